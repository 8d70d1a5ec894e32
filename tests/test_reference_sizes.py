"""Cells whose equations depend on sizes, or on elapsed times, against their references at such sizes and times."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from references import reference_of
from support import assert_close, inputs, random_like
from test_cells_reference import numbers

from rnnzoo import cells, run, unrolls

TIME = 5


def given(cell, features):
    params = random_like(jax.random.key(0), cell.init(jax.random.key(0), features), 0.7)
    return params, inputs(TIME, (), features), random_like(jax.random.key(1), cell.initial_state(params))


@pytest.mark.parametrize(
    ("cell", "features"),
    [
        (cells.MUT1(hidden_size=3), 3),
        (cells.MUT2(hidden_size=3), 3),
        (cells.IntersectionRNN(hidden_size=3), 3),
        (cells.SRU(hidden_size=4), 4),
        (cells.SRU(hidden_size=4, rescale=False), 4),
        (cells.SRU(hidden_size=4, highway_bias=-1.0, activation="tanh"), 4),
        (cells.SRU(hidden_size=4, skip=False), 4),
        (cells.LinOSS(hidden_size=8, complex=True), 3),
        (cells.LinOSS(hidden_size=8, complex=True, bias=True, features=2), 3),
        (cells.LinOSS(hidden_size=8, complex=True, discretization="imex"), 3),
        (cells.LinOSS(hidden_size=8, complex=True, discretization="imex", damping=True), 3),
    ],
    ids=str,
)
def test_cell_is_its_paper_at_sizes_of_its_own(x64, cell, features):
    params, xs, state = given(cell, features)
    p, s = numbers(cell, params), jax.tree.map(np.asarray, state)
    expected = reference_of(type(cell))(cell, p, np.asarray(xs), s)
    assert_close(run(cell, params, xs, state, unroll=unrolls.Loop()), expected, 1e-12)


@pytest.mark.parametrize(
    "cell",
    [
        cells.S5(hidden_size=6),
        cells.S5(hidden_size=6, discretization="bilinear", bias=True),
        cells.LinOSS(hidden_size=6),
        cells.LinOSS(hidden_size=6, discretization="imex"),
        cells.LinOSS(hidden_size=6, discretization="imex", damping=True),
        cells.LinOSS(hidden_size=8, complex=True, bias=True),
    ],
    ids=str,
)
def test_step_is_multiplied_by_elapsed_time(x64, cell):
    params, xs, state = given(cell, 3)
    dts = jax.random.uniform(jax.random.key(4), (TIME,), jnp.float64, 0.1, 3.0)
    p, s = numbers(cell, params), jax.tree.map(np.asarray, state)
    expected = reference_of(type(cell))(cell, p, np.asarray(xs), s, np.asarray(dts))
    assert_close(run(cell, params, xs, state, dt=dts, unroll=unrolls.Loop()), expected, 1e-12)
