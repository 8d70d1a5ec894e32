"""The LSTM of cuDNN (Chetlur et al. 2014, arXiv:1410.0759), through `jax.experimental.rnn`, for dense cells on CUDA."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.spec import UsageError, spec
from rnnzoo.typing import Array, Control, Float, Params, PyTree, State
from rnnzoo.unrolls.base import Ran, Unroll, advance

GATES = ("i", "f", "g", "o")  # in cuDNN's order
TRIED_AT_ONCE = 1024  # units
TRIAL_INPUTS = 2


@spec
class CuDNN(Unroll):
    """One fused kernel for a whole batch, projection included; with the parameters of the plain cell.

    It runs float32 cells that compute cuDNN's LSTM with dense U, which is found by trying the cell's step, and one bias
    per gate (cuDNN's second one is 0). lengths, mask and reverse work; resets do not. Reverse mode only: no `jax.jvp`,
    and no `jax.vmap`, hence no several seeds at once. Products are as precise as `jax.default_matmul_precision` says.
    """

    symbolic = False

    def refuses(self, cell: Cell) -> str | None:
        name = type(cell).__name__
        if cell.dtype not in (None, "float32"):
            return f"dtype of {name} is {cell.dtype}; CuDNN runs float32"
        no_lstm = f"{name} does not compute the LSTM of cuDNN with dense U; CuDNN runs nothing else"
        # The trial has parameters of full size: where they are large, it comes last.
        is_large = cell.hidden_size > TRIED_AT_ONCE
        if not _has_lstm_shapes(cell) or not (is_large or _is_lstm(cell)):
            return no_lstm
        if "cuda" not in jax.devices()[0].client.platform_version.lower():
            return f"CuDNN runs {name} on CUDA devices; the default device is {jax.default_backend()}"
        return None if _is_lstm(cell) else no_lstm

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        raise UsageError(f"CuDNN runs {type(cell).__name__} on whole batches; accepted: CuDNN().apply, rnnzoo.run")

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Float[Array, "T B I"], controls: Control, *,
        states: bool = False,
    ) -> Ran:  # fmt: skip
        """As `Unroll.apply`.

        Raises:
            UsageError (a ValueError): resets, all states, noise inside steps, or anything that is not float32."""
        from jax.experimental import rnn

        if states:
            raise UsageError(f"CuDNN does not give all states of {type(cell).__name__}; accepted with states: Scan")
        if controls.reset is not None:
            raise UsageError(f"CuDNN cannot put {type(cell).__name__} back to its start; accepted with resets: Scan")
        if controls.noise is not None:
            raise UsageError(f"CuDNN cannot add the noise of {type(cell).__name__} to its steps; accepted: Scan")
        for what, tree in (("xs", xs), ("params", params), ("state", state)):
            if any(leaf.dtype != jnp.float32 for leaf in jax.tree.leaves(tree)):
                raise UsageError(f"{what} of {type(cell).__name__} are not all float32, which CuDNN runs")
        time, batch, features = xs.shape
        if not time or not batch:
            return Ran(jnp.zeros((time, batch, cell.hidden_size), xs.dtype), state)
        active = jnp.ones((time, batch), bool) if controls.active is None else controls.active
        # cuDNN's padding is at the end; a mask leaves out any steps.
        order = jnp.argsort(~active, 0, stable=True)
        xs = jnp.take_along_axis(jnp.where(active[..., None], xs, 0), order[..., None], 0)
        lengths = active.sum(0, dtype=jnp.int32)
        some = jnp.maximum(lengths, 1)  # cuDNN has no empty sequences
        given = _row_major((xs.swapaxes(0, 1), state["h"][None], state["c"][None]))
        layers, dropout, bidirectional = 1, 0.0, False
        sizes = (features, cell.hidden_size, layers)
        outputs: Any = rnn.lstm(*given, pack(params), some, *sizes, dropout, bidirectional)
        ys, h, c = _row_major(outputs)
        back = jnp.argsort(order, 0)[..., None]
        ys = jnp.where(active[..., None], jnp.take_along_axis(ys.swapaxes(0, 1), back, 0), 0)
        ran = (lengths > 0)[:, None]
        return Ran(ys, {"c": jnp.where(ran, c[0], state["c"]), "h": jnp.where(ran, h[0], state["h"])})


def _row_major(arrays: tuple[Array, ...]) -> tuple[Array, ...]:
    """The same arrays, in memory as cuDNN reads and writes them, and their cotangents too.

    JAX's call does not say which order it wants, so that XLA takes a swap of axes as a change of order, and the kernel
    reads steps as sequences, without an error (jax-ml/jax#19177)."""
    from jax.experimental.layout import Layout, with_layout_constraint

    return tuple(with_layout_constraint(a, Layout(major_to_minor=tuple(range(a.ndim)))) for a in arrays)


def pack(params: Params) -> Float[Array, " N"]:
    """The parameters of one dense LSTM as cuDNN has them: W (4H, I), U (4H, H), and two biases (4H,), in one vector."""
    w, u = (jnp.concatenate([params[name][g] for g in GATES]) for name in "wu")
    size = u.shape[1]
    b = jnp.concatenate([params["b"][g] for g in GATES]) if "b" in params else jnp.zeros(4 * size, u.dtype)
    return jnp.concatenate([w.ravel(), u.ravel(), b, jnp.zeros(4 * size, u.dtype)])


def _shapes(cell: Cell) -> Params:
    """Of the prepared parameters, for a few inputs."""
    return jax.eval_shape(lambda: cell.prepare(cell.init(jax.random.key(0), TRIAL_INPUTS)))


@functools.lru_cache(maxsize=256)
def _has_lstm_shapes(cell: Cell) -> bool:
    """Whether the parameters and the state of `cell` have the shapes of a dense LSTM's."""
    size, shapes = cell.hidden_size, _shapes(cell)
    wanted = {"w": (size, TRIAL_INPUTS), "u": (size, size)} | ({"b": (size,)} if "b" in shapes else {})
    expected = {name: dict.fromkeys(GATES, shape) for name, shape in wanted.items()}
    return set(cell.carries) == {"c", "h"} and jax.tree.map(lambda a: a.shape, shapes) == expected


@functools.lru_cache(maxsize=256)
def _is_lstm(cell: Cell) -> bool:
    """Whether the parameters of `cell` are those of a dense LSTM, and a step with random ones is its step."""
    if not _has_lstm_shapes(cell):
        return False
    random, size = np.random.default_rng(0), cell.hidden_size
    vectors = (jax.ShapeDtypeStruct((n,), jnp.float32) for n in (TRIAL_INPUTS + cell.uses_dt, size, size))

    def draw(a: jax.ShapeDtypeStruct) -> np.ndarray:
        scale = a.shape[1] ** -0.5 if len(a.shape) == 2 else 1  # gates near 0 or 1 would look alike
        return (scale * random.standard_normal(a.shape, np.float32)).astype(a.dtype)

    params, x, h, c = jax.tree.map(draw, (_shapes(cell), *vectors))
    a = {g: params["w"][g] @ x + params["u"][g] @ h + (params["b"][g] if "b" in params else 0) for g in GATES}
    i, f, o = (1 / (1 + np.exp(-a[g])) for g in "ifo")
    c_new = f * c + i * np.tanh(a["g"])
    expected = {"c": c_new, "h": o * np.tanh(c_new)}
    with jax.ensure_compile_time_eval(), jax.default_matmul_precision("highest"):
        params, x, h, c = jax.tree.map(jnp.asarray, (params, x, h, c))
        z = cell.project(params, x)
        new = advance(cell, params, {"c": c, "h": h}, z, Control())
        y = cell.readout(params, new, z)
    if new.keys() != expected.keys():
        return False
    pairs = [*((new[name], expected[name]) for name in expected), (y, expected["h"])]
    return all(a.shape == b.shape and np.allclose(a, b, rtol=1e-3, atol=1e-3) for a, b in pairs)
