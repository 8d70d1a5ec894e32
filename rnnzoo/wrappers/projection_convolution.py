"""A short causal convolution of the projected inputs, as in Mamba-2 (Dao & Gu 2024) and DeltaNet (Yang et al. 2024).

arXiv:2405.21060, arXiv:2406.06484"""

from typing import Annotated, Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.recur import Recur
from rnnzoo.fields import Range
from rnnzoo.spec import UsageError, derived, spec
from rnnzoo.typing import Key, Params, PyTree, State, cast
from rnnzoo.wrappers.base import Wrapper, needs_plain_projection, projected_shapes
from rnnzoo.wrappers.taps import Activation, convolution, leaf_of, leaves_of, needs_gates, uniform, with_convolution


@spec
class ProjectionConvolution(Wrapper):
    """The cell, with a = W x_t + b of each gate g that is `convolved` replaced by what the last k = `width` ones make,
    each number by itself::

        activation(conv.w.g[0] * a_{t-k+1} + ... + conv.w.g[k-1] * a_t + conv.b.g)

        Parameters  those of `cell`, and  conv.w.g (k, M)  conv.b.g (M,), for a of shape (M,)
        State       those of `cell`, and  z.g (k - 1, M), the a before, zeros at first

    It stands between the projection and all that the cell does with it: silu in a `Mamba2`, whose x, b and c its paper
    convolves; silu and the norm in a `DeltaNet`, `GatedDeltaNet` or `KDA`, whose q, k and v theirs do. Where z_t has
    the W x + b of a gate under another name, that is its name in z. At the start, and after a reset, the
    projections before are 0, not those of an input that is 0.

    All of it runs in parallel over time; the recurrence is that of `cell`, so that an affine cell or a matrix memory
    stays one. conv.w and conv.b start uniform in (-1, 1) / sqrt(k), as in the code of those papers. Sums are in
    float32 or wider."""

    cell: Cell = Elman(hidden_size=1)
    """The cell whose projected inputs are convolved."""
    width: Annotated[int, Range(low=2, high=2**31 - 1)] = 4
    """Number of projections k, the newest included."""
    convolved: tuple[str, ...] = ()
    """The gates whose W x + b is convolved (empty: all)."""
    convolution_bias: bool = True
    """Whether the convolution has biases."""
    activation: Activation = "identity"
    """What is applied to the convolution."""

    z_history = derived(lambda self: self.width - 1)
    recurrence = derived(lambda self: self.cell.recurrence)

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_plain_projection(self)
        needs_gates(self, self.convolved)
        if not self.gates:
            raise UsageError(
                f"{type(self.cell).__name__} has no W x + b, which ProjectionConvolution convolves; accepted: a cell "
                "with gates"
            )

    def _gates(self) -> tuple[str, ...]:
        return self.convolved or self.gates

    def init(self, key: Key, input_size: Any) -> Params:
        key, w_key, b_key = jax.random.split(key, 3)
        zs = projected_shapes(self.cell, input_size)
        shapes = {gate: zs[leaf].shape for gate, leaf in leaves_of(self, self._gates(), zs).items()}

        def drawn(key: Key, *axes: int) -> Params:
            keys = zip(shapes.items(), jax.random.split(key, len(shapes)), strict=True)
            return {gate: uniform(k, self.width, (*axes, *shape)) for (gate, shape), k in keys}

        conv = {"w": drawn(w_key, self.width)} | ({"b": drawn(b_key)} if self.convolution_bias else {})
        return with_convolution(self, self.cell.init(key, input_size), conv)

    def prepare(self, params: Params) -> Params:
        rest = {name: value for name, value in params.items() if name != "conv"}
        return {**self.cell.prepare(rest), "conv": cast(params["conv"], self.dtype)}

    def initial_state(self, params: Params) -> State:
        state = self.cell.initial_state(params)
        if "z" in state:
            raise UsageError(
                f"the state of {type(self.cell).__name__} has a z, and so has that of ProjectionConvolution; accepted: "
                "a cell whose state has none"
            )
        dtype = jnp.result_type(*jax.tree.leaves(params), jnp.float32)
        leaves = [leaf_of(self, gate) for gate in params["conv"]["w"]]
        shapes = [w.shape[1:] for w in params["conv"]["w"].values()]
        past = {leaf: jnp.zeros((self.z_history, *shape), dtype) for leaf, shape in zip(leaves, shapes, strict=True)}
        return {**state, "z": past}

    def convolve(self, params: Params, window: PyTree) -> PyTree:
        conv = params["conv"]
        biases = conv.get("b", dict.fromkeys(conv["w"]))
        made = {}
        for gate, w in conv["w"].items():
            leaf = leaf_of(self, gate)
            made[leaf] = convolution(w, biases[gate], window[leaf], self.activation)
        return {**window, **made}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        return self.cell.step(params, state, z_t, recur)
