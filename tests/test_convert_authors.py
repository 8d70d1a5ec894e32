"""Weights from authors' code: the loops of their equations, in their names, against our cells."""

import jax.numpy as jnp
import numpy as np
import pytest
from references import positive, sigmoid
from support import assert_close, inputs

from rnnzoo import UsageError, cells, convert, run, structures

HIDDEN, FEATURES, TIME = 6, 4, 5


@pytest.fixture
def draw():
    random = np.random.default_rng(0)
    return lambda *shape: random.normal(size=shape)


def check(cell, found, step):
    """The outputs of our cell are those of h = step(x, h) from zeros."""
    xs, h, ys = inputs(TIME, (), FEATURES), np.zeros(HIDDEN), []
    for x in np.asarray(xs):
        h = step(x, h)
        ys.append(h)
    assert_close(np.asarray(run(cell, found.params, xs)[0]), np.array(ys))


def test_mingru(x64, draw):
    weight = draw(2 * HIDDEN, FEATURES)
    source = {"0.to_hidden_and_gate.weight": weight, "0.to_out.weight": draw(FEATURES, HIDDEN)}
    cell = cells.MinGRU(hidden_size=HIDDEN)
    found = convert.from_mingru(cell, source)
    assert (found.unused, found.missing) == (("0.to_out.weight",), ("b.n", "b.z"))

    def step(x, h):
        hidden, gate = np.split(weight @ x, 2)
        z = sigmoid(gate)
        return (1 - z) * h + z * positive(hidden)

    check(cell, found, step)


def test_minlstm(x64, draw):
    weight = draw(3 * HIDDEN, FEATURES)
    cell = cells.MinLSTM(hidden_size=HIDDEN, bias=False)
    found = convert.from_mingru(cell, {"to_hidden_and_f_i_gate.weight": weight})
    assert found.missing == ()

    def step(x, h):
        hidden, f, i = np.split(weight @ x, 3)
        f, i = sigmoid(f), sigmoid(i)
        return f / (f + i) * h + i / (f + i) * positive(hidden)

    check(cell, found, step)


@pytest.mark.parametrize("kind", [cells.GRU, cells.GRUResetBefore])
@pytest.mark.parametrize("heads", [1, 2])
def test_pararnn(x64, draw, kind, heads):
    a, b = draw(3, HIDDEN), draw(3, HIDDEN)
    blocks = draw(heads, FEATURES // heads, 3, HIDDEN // heads)
    cell = kind(hidden_size=HIDDEN, structure=structures.Diagonal())
    found = convert.from_pararnn(cell, {"cell.A": a, "cell.B": blocks, "cell.b": b})
    assert found.missing == (("c",) if kind is cells.GRU else ())

    def step(x, h):
        bx = np.einsum("hi,hivj->vhj", x.reshape(heads, -1), blocks).reshape(3, HIDDEN) + b
        z, r = sigmoid(a[:2] * h + bx[:2])
        return z * np.tanh(a[2] * h * r + bx[2]) + (1 - z) * h

    check(cell, found, step)


@pytest.mark.parametrize(
    "cell",
    [
        cells.IndRNN(hidden_size=HIDDEN),
        cells.Elman(hidden_size=HIDDEN, structure=structures.Diagonal(), activation="tanh"),
    ],
    ids=str,
)
def test_indrnn(x64, draw, cell):
    w, u, b = draw(HIDDEN, FEATURES), draw(HIDDEN), draw(HIDDEN)
    source = {"cells.0.0.weight_ih": w, "cells.0.0.weight_hh": u, "cells.0.0.bias_ih": b, "h0": np.zeros(HIDDEN)}
    found = convert.from_torch(cell, source)
    assert (found.unused, found.missing) == (("h0",), ())
    function = np.tanh if isinstance(cell, cells.Elman) else lambda v: np.maximum(v, 0)
    check(cell, found, lambda x, h: function(w @ x + b + u * h))


@pytest.mark.parametrize(
    ("function", "cell", "source", "message"),
    [
        (convert.from_mingru, cells.GRU(hidden_size=2), {}, "minGRU-pytorch has no cell"),
        (convert.from_mingru, cells.MinGRU(hidden_size=2), {"to_hidden_and_gate.weight": jnp.ones((3, 2))}, "2 gates"),
        (convert.from_mingru, cells.MinGRU(hidden_size=2), {}, "no to_hidden_and_gate.weight"),
        (convert.from_pararnn, cells.LSTM(hidden_size=2), {}, "coupled gates and peepholes"),
        (convert.from_pararnn, cells.GRU(hidden_size=2), {"A": jnp.ones((3, 2))}, "lacks B, b"),
        (
            convert.from_pararnn, cells.GRU(hidden_size=2),
            {"A": jnp.ones((3, 2)), "B": jnp.ones((1, 4, 3, 3)), "b": jnp.ones((3, 2))}, "2 units",
        ),
    ],
)  # fmt: skip
def test_refusals_say_why(function, cell, source, message):
    with pytest.raises(UsageError, match=message):
        function(cell, source)
