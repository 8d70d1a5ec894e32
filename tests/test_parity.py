"""The same weights give the same numbers in torch and in Flax Linen."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, random_like

from rnnzoo import cells, convert, run

HIDDEN, FEATURES, TIME, BATCH = 5, 3, 6, 2


def arguments(cell: Any) -> tuple[Any, Any, Any]:
    params = cell.init(jax.random.key(0), FEATURES)
    params = jax.tree.map(jnp.add, params, random_like(jax.random.key(1), params, 0.3))
    state = {name: random_like(jax.random.key(2), jnp.zeros((BATCH, HIDDEN))) for name in cell.carries}
    return params, inputs(TIME, (BATCH,), FEATURES), state


# torch: class, keywords, and its order of gates
TORCH = [
    (cells.LSTM(hidden_size=HIDDEN), "LSTM", {}, "ifgo"),
    (cells.GRU(hidden_size=HIDDEN), "GRU", {}, "rzn"),
    (cells.Elman(hidden_size=HIDDEN), "RNN", {"nonlinearity": "tanh"}, "h"),
    (cells.Elman(hidden_size=HIDDEN, activation="relu"), "RNN", {"nonlinearity": "relu"}, "h"),
]


@pytest.mark.parametrize(("cell", "name", "fields", "gates"), TORCH, ids=lambda v: v if isinstance(v, str) else "")
def test_torch_values_and_gradients(x64, cell, name, fields, gates):
    torch = pytest.importorskip("torch")
    params, xs, state = arguments(cell)

    def tensor(a):
        return torch.tensor(np.asarray(a), requires_grad=True)

    def rows(group):
        return tensor(np.concatenate([np.asarray(params[group][g]) for g in gates]))

    second_bias = np.zeros(len(gates) * HIDDEN)  # torch adds two biases; only that of the GRU's n is not redundant
    if "c" in params:
        second_bias[-HIDDEN:] = params["c"]
    layer = getattr(torch.nn, name)(FEATURES, HIDDEN, **fields).double()
    weights = {"w": rows("w"), "u": rows("u"), "b": rows("b"), "second": tensor(second_bias)}
    names = {"w": "weight_ih_l0", "u": "weight_hh_l0", "b": "bias_ih_l0", "second": "bias_hh_l0"}
    x = tensor(xs)
    given = {k: tensor(v) for k, v in state.items()}
    hidden = (given["h"][None], given["c"][None]) if "c" in given else given["h"][None]
    out, last = torch.func.functional_call(layer, {names[k]: v for k, v in weights.items()}, (x, hidden))
    last = dict(zip("hc", last, strict=False)) if "c" in given else {"h": last}
    total = (out**2).sum() + sum((v**3).sum() for v in last.values())
    total.backward()

    def loss(params, xs, state):
        ys, last = run(cell, params, xs, state)
        return (ys**2).sum() + sum((v**3).sum() for v in last.values()), (ys, last)

    (value, (ys, end)), grads = jax.value_and_grad(loss, (0, 1, 2), has_aux=True)(params, xs, state)
    torch_end = {k: v.detach().numpy()[0] for k, v in last.items()}
    assert_close((value, ys, end), (total.detach().numpy(), out.detach().numpy(), torch_end))

    def pieces(group):
        return dict(zip(gates, np.split(weights[group].grad.numpy(), len(gates)), strict=True))

    expected: dict[str, Any] = {group: pieces(group) for group in "wub"}
    if "c" in params:
        expected["c"] = pieces("second")["n"]
    assert_close(grads, (expected, x.grad.numpy(), {k: v.grad.numpy() for k, v in given.items()}))


FLAX = [
    (cells.LSTM(hidden_size=HIDDEN), "LSTMCell", {}),
    (cells.GRU(hidden_size=HIDDEN), "GRUCell", {}),
    (cells.Elman(hidden_size=HIDDEN), "SimpleCell", {}),
    (cells.UGRNN(hidden_size=HIDDEN), "MGUCell", {"reset_gate": False}),
]


@pytest.mark.parametrize(("cell", "name", "fields"), FLAX, ids=lambda v: v if isinstance(v, str) else "")
def test_flax_values_from_any_state(x64, cell, name, fields):
    nn = pytest.importorskip("flax.linen")
    params, xs, state = arguments(cell)
    layer = getattr(nn, name)(HIDDEN, param_dtype=jnp.float64, **fields)
    carry, ys = (state["c"], state["h"]) if "c" in state else state["h"], []
    for x_t in xs:
        carry, y_t = layer.apply({"params": convert.to_linen(cell, params)}, carry, x_t)
        ys.append(y_t)
    last = dict(zip(cell.carries, carry if isinstance(carry, tuple) else (carry,), strict=True))
    assert_close(run(cell, params, xs, state), (jnp.stack(ys), last))
