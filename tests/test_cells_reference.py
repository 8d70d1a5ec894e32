"""Every cell against the literal equations of its paper, and the facts that its documentation states."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from references import name_of, names, reference_of
from structure_support import with_dense_matrices
from support import assert_close, inputs, last_axis, random_like
from zoo import CELL_FIELDS, all_cells, is_varied, marked, published

import rnnzoo
from rnnzoo import cells, run, structures, unrolls
from rnnzoo.cells.base import Recurrent

SMALL, SQUARE = (6, 3, 5, 0), (2, 2, 3, 2)  # hidden units, inputs, steps, seed


def cases() -> list[Any]:
    """A cell with its default fields, and with one other set of fields if it has some of its own, at once; the rest is
    slow. A bias that there is not is the same for all cells: at once for one of every kind."""
    found: list[Any] = []
    for name, cls in published("cells").items():
        no_bias = [{"bias": False}]
        others = CELL_FIELDS.get(name, no_bias if is_varied(cls(hidden_size=6)) else [])
        found += [(name, fields, SMALL) for fields in [{}, *others[:1]]]
        slow = [(name, fields, SMALL) for fields in no_bias + others[1:]]
        found += [pytest.param(*case, marks=pytest.mark.slow) for case in [*slow, (name, {}, SQUARE)]]
    return found


def numbers(cell: Any, params: Any) -> Any:
    """The parameters as a reference takes them."""
    return jax.tree.map(np.asarray, with_dense_matrices(cell, params))


def test_every_cell_and_wrapper_has_a_reference_and_every_reference_a_cell():
    files = [name_of(cls) for cls in published("cells").values()]
    assert len(files) == len(set(files)), "two members in files of one name"
    assert set(files) == names()
    assert all(callable(reference_of(cls)) for cls in published("cells").values())


@pytest.mark.parametrize(("name", "fields", "sizes"), cases(), ids=str)
def test_cell_is_its_paper(x64, name, fields, sizes):
    hidden_size, features, time, seed = sizes
    cell = published("cells")[name](hidden_size=hidden_size, **fields)
    keys = jax.random.split(jax.random.key(seed), 2)
    params = random_like(keys[0], cell.init(keys[0], cell.input_size_of(features)), 0.7)
    state = random_like(keys[1], cell.initial_state(params))
    xs = inputs(time, cell.leading_axes, last_axis(cell, features), seed)
    expected = reference_of(type(cell))(cell, numbers(cell, params), np.asarray(xs), jax.tree.map(np.asarray, state))
    assert_close(run(cell, params, xs, state, unroll=unrolls.Loop()), expected, 1e-12)


RECURRENT = [cell for cell in all_cells(4) if isinstance(cell, Recurrent)]


@pytest.mark.parametrize("cell", marked(RECURRENT, is_varied))
def test_structure_enters_as_its_matrix(x64, cell):
    cell = dataclasses.replace(cell, structure=structures.Diagonal())
    params = random_like(jax.random.key(0), cell.init(jax.random.key(0), 3))
    xs, state = inputs(4, (), 3), cell.initial_state(params)
    expected = reference_of(type(cell))(cell, numbers(cell, params), np.asarray(xs), jax.tree.map(np.asarray, state))
    assert_close(run(cell, params, xs, unroll=unrolls.Loop()), expected, 1e-12)


# ---- what the documentation states -----------------------------------------------------------------------


def test_biases_that_start_at_one():
    def biases(cell):
        return {g: float(b[0]) for g, b in cell.init(jax.random.key(0), 3)["b"].items()}

    assert biases(cells.LSTM(hidden_size=4)) == {"i": 0, "f": 1, "g": 0, "o": 0}
    assert biases(cells.UGRNN(hidden_size=4)) == {"g": 1, "n": 0}


def test_gru_forms_are_the_same_for_a_diagonal_without_c(x64):
    fields = {"hidden_size": 5, "structure": structures.Diagonal(), "bias": False}
    after, before = cells.GRU(**fields), cells.GRUResetBefore(**fields)
    params = after.init(jax.random.key(0), 3)
    xs = inputs(6, (2,), 3)
    assert_close(run(after, params, xs), run(before, params, xs), 1e-14)


def test_indrnn_starts_between_zero_and_one_where_units_hear_only_themselves():
    u = cells.IndRNN(hidden_size=1000).init(jax.random.key(0), 3)["u"]["h"]
    assert u.min() >= 0 and u.max() <= 1 and abs(u.mean() - 0.5) < 0.05
    cell = cells.IndRNN(hidden_size=8, structure=structures.Dense())
    assert cell.init(jax.random.key(0), 3)["u"]["h"].min() < 0


@pytest.mark.parametrize("cell", [cells.MinGRU(hidden_size=4), cells.MinLSTM(hidden_size=4)], ids=str)
@pytest.mark.parametrize("scale", [pytest.param(1.0, marks=pytest.mark.slow), 1e3])
def test_min_cells_stay_finite(cell, scale):
    params = random_like(jax.random.key(0), cell.init(jax.random.key(0), 3), scale)
    xs = inputs(1000, (), 3) - 1

    def total(params, unroll):
        return run(cell, params, xs, unroll=unroll)[0].mean()

    for unroll in (unrolls.Scan(), unrolls.Associative()):
        value, grads = jax.jit(jax.value_and_grad(total), static_argnums=1)(params, unroll)
        assert np.isfinite(value) and all(np.isfinite(g).all() for g in jax.tree.leaves(grads))


def test_minlstm_gates_that_both_vanish(x64):
    cell = cells.MinLSTM(hidden_size=2)
    zeros = jnp.zeros(2)
    f_t, b_t = cell.affine({}, {"f": zeros - 2000, "i": zeros - 2001, "n": zeros})
    assert_close([f_t, b_t], [zeros + 1 / (1 + np.exp(-1)), zeros + 0.5 / (1 + np.exp(1))], 1e-12)


@pytest.mark.parametrize(("r_min", "r_max"), [(0.0, 1.0), (0.9, 0.999), (0.5, 0.6)])
def test_lru_starts_on_a_ring_at_unit_variance(r_min, r_max):
    cell = cells.LRU(hidden_size=8000, r_min=r_min, r_max=r_max, max_phase=0.3, features=1)
    params = cell.init(jax.random.key(0), 1)
    radius, phase, gain = (np.exp(v) for v in (-np.exp(params["nu"]), params["theta"], params["gamma"]))
    assert r_min <= radius.min() and radius.max() <= r_max
    assert abs((radius**2).mean() - (r_min**2 + r_max**2) / 2) < 0.02  # uniform in area
    assert 0 < phase.min() and phase.max() <= 0.3 and abs(phase.mean() - 0.15) < 0.01
    np.testing.assert_allclose(gain, np.sqrt(1 - radius.astype(float) ** 2), rtol=1e-3)
    assert abs(params["w"]["h"].std() - np.sqrt(1 / 2)) < 0.02
    assert abs(params["c"].std() * np.sqrt(4000) - 1) < 0.02


def test_lru_decay_is_float32_in_low_precision():
    low, high = cells.LRU(hidden_size=4, dtype="bfloat16"), cells.LRU(hidden_size=4)
    params = high.init(jax.random.key(0), 3)
    params["nu"] -= 9  # abs(lambda) = 0.9999: 1 in bfloat16
    params |= {"w": {"h": jnp.zeros((4, 3))}}
    states = [run(cell, params, jnp.zeros((2000, 3)), {"h": jnp.ones(4)})[1]["h"] for cell in (low, high)]
    assert_close(states[0], states[1], 1e-6)
    assert 0.1 < jnp.linalg.norm(states[0]) < 1.9  # 2 at first


def test_lru_refuses_what_it_cannot_be():
    with pytest.raises(rnnzoo.UsageError, match="5"):
        cells.LRU(hidden_size=5)
    with pytest.raises(rnnzoo.UsageError, match=r"r_min is 0\.9; accepted: a number less than r_max"):
        cells.LRU(hidden_size=4, r_min=0.9, r_max=0.5)


def test_lru_outputs_as_many_features_as_it_is_asked_for():
    cell = cells.LRU(hidden_size=4, features=7)
    assert cell.output_size == 7
    assert run(cell, cell.init(jax.random.key(0), 3), inputs(5, (2,), 3))[0].shape == (5, 2, 7)
