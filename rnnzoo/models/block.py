"""Residual blocks: how papers put a cell into a layer of a deep network."""

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.models.attention import LocalAttention
from rnnzoo.models.convolution import convolved, init_convolution
from rnnzoo.models.layer import Call, Keys, Layer, Stream, dropped
from rnnzoo.models.linear import init_linear, linear
from rnnzoo.models.mlp import FUNCTIONS, MLP
from rnnzoo.models.norms import Norm, RMSNorm
from rnnzoo.spec import Count, Spec, UsageError, spec
from rnnzoo.typing import Array, Key, Params, State, cast


@spec
class Block(Spec, kind="blocks"):
    """One residual layer of width D, that of the embedding::

        x = x + W_conv conv(x) + b_conv with `convolution`    Parameters  convolution ...
        u = norm(x)                                                       norm ...
        c = cell(u), or cell(W_inner u) with `inner_size`                 inner.w (E, D)
        c = output_norm(c)                                                output_norm ...
        c = c * act(W_gate u)                                             gate.w (O, D)
        x = x + W_out c                                                   out.w (D, O)
        x = x + mlp(mlp.norm(x))                                          mlp ...

        State       {"cell": the cell's}, with ``mlp.shift`` {"mlp": x (1, D)}, with `convolution` = k
                    {"convolution": x (k - 1, D)}

    O is the size of the cell's output. inner, gate and out have a bias b each with `bias`. Norms are those of the
    fields; a part that is None, "none" or 0 is left out. conv is w[0] * x_{t-k+1} + ... + w[k-1] * x_t + b, of every
    feature by itself, with zeros before the first step; its parameters are w (k, D), b (D,), out.w (D, D), out.b (D,).
    What a paper has besides, such as a short convolution of what the cell reads, is a wrapper around the cell. The
    stream x is in float32 or wider, all else in the dtype of the cell."""

    cell: Cell | LocalAttention | None = None
    """The cell (None: that of the `Model`)."""
    norm: Norm | None = RMSNorm()
    """The norm before the cell."""
    inner_size: Count = 0
    """Width E of a linear map before the cell; 0: none."""
    output_norm: Norm | None = None
    """The norm of the cell's output."""
    gate: Literal["none", "silu", "gelu", "sigmoid"] = "none"
    """The nonlinearity of a gate on the cell's output, made of what the cell's branch reads."""
    gate_first: bool = False
    """Whether the gate comes before the norm of the output, as in Mamba-2."""
    projection: bool = True
    """Whether there is a linear map W_out; without it, O must be D."""
    bias: bool = False
    """Whether the linear maps have biases."""
    mlp: MLP | None = None
    """The feed-forward part, with a residual connection of its own."""
    mlp_norm: Norm | None = RMSNorm()
    """The norm before the feed-forward part."""
    convolution: Count = 0
    """Width k of a causal convolution of the stream, before all else, in a residual branch of its own; 0: none."""


@dataclasses.dataclass(frozen=True)
class BlockLayer(Layer):
    """A block in a network: with its cell, and the width of the stream."""

    block: Block
    cell: Cell | LocalAttention
    width: int

    def __post_init__(self) -> None:
        block, size = self.block, self.output_size
        if not block.projection and size != self.width:
            raise UsageError(
                f"Block.projection is False and the output of {type(self.cell).__name__} has {size} features; "
                f"accepted: {self.width} of them, the width of the network, or projection=True"
            )
        for norm, features in ((block.norm, self.width), (block.output_norm, size), (block.mlp_norm, self.width)):
            if norm is not None:
                norm.check(features)

    @property
    def cells(self) -> tuple[Cell, ...]:
        return (self.cell,) if isinstance(self.cell, Cell) else ()

    @property
    def output_size(self) -> int:
        """Number of features O of the cell's own output."""
        return self.cell.output_size - (self.cell.gives if isinstance(self.cell, Cell) else 0)

    def cell_input_size(self, size: int) -> int:
        return (self.block.inner_size or size) + (self.cell.takes if isinstance(self.cell, Cell) else 0)

    def init(self, key: Key, size: int, depth: float, layers: int) -> Params:
        block, output = self.block, self.output_size
        cell_key, inner_key, gate_key, out_key, mlp_key = jax.random.split(key, 5)
        # Each layer adds two branches to the stream, whose sum is to stay in size (De et al. 2024, their code).
        gain = min(1.0, (2 / layers) ** 0.5)
        cell = self.cell.at_depth(depth, layers) if isinstance(self.cell, Cell) else self.cell
        params: Params = {"cell": cell.init(cell_key, self.cell_input_size(size))}
        norms = {"norm": (block.norm, size), "output_norm": (block.output_norm, output)}
        params |= {name: norm.init(features) for name, (norm, features) in norms.items() if norm is not None}
        if block.inner_size:
            params["inner"] = init_linear(inner_key, block.inner_size, size, block.bias)
        if block.gate != "none":
            params["gate"] = init_linear(gate_key, output, size, block.bias)
        if block.projection:
            params["out"] = init_linear(out_key, size, output, block.bias, gain)
        if block.convolution:
            convolution_key = jax.random.fold_in(key, 5)
            params["convolution"] = init_convolution(convolution_key, block.convolution, size, gain)
        if block.mlp is not None:
            params["mlp"] = block.mlp.init(mlp_key, size, gain, depth, layers)
            if block.mlp_norm is not None:
                params["mlp"]["norm"] = block.mlp_norm.init(size)
        return params

    def prepare(self, params: Params) -> Params:
        return {**params, "cell": self.cell.prepare(params["cell"])}

    def initial_state(self, ready: Params) -> State:
        state: State = {"cell": self.cell.initial_state(ready["cell"])}
        if not self._kept:
            return state
        dtype = jnp.promote_types(_dtype(ready), jnp.float32)
        return state | {name: {"x": jnp.zeros((steps, self.width), dtype)} for name, steps in self._kept.items()}

    @property
    def _kept(self) -> dict[str, int]:
        """How many inputs each part keeps in the state, of those that keep any."""
        block = self.block
        convolution = {"convolution": block.convolution - 1} if block.convolution else {}
        return convolution | ({"mlp": 1} if block.mlp is not None and block.mlp.shift else {})

    def apply(
        self, call: Call, params: Params, stream: Stream, state: State | None, keys: Keys | None
    ) -> tuple[Stream, State]:
        xs, block = stream.xs, self.block
        new: State = {}
        if block.convolution:
            before = None if state is None else state["convolution"]
            xs, past = self._convolved(call, params["convolution"], xs, before, keys)
            new["convolution"] = {"x": past}
        u = self._normed(block.norm, params, "norm", xs)
        c, shared, last = self._centre(call, params, u, stream.shared, None if state is None else state["cell"], keys)
        gate = None
        if block.gate != "none":
            gate = FUNCTIONS[block.gate](linear(cast(params["gate"], self.cell.dtype), u))
        if gate is not None and block.gate_first:
            c, gate = c * gate, None
        c = self._normed(block.output_norm, params, "output_norm", c)
        c = c if gate is None else c * gate
        if block.projection:
            c = linear(cast(params["out"], self.cell.dtype), c)
        xs = xs + dropped(call, keys, c).astype(xs.dtype)
        new["cell"] = last
        if block.mlp is not None:
            xs, past = self._mlp(call, block.mlp, params["mlp"], xs, None if state is None else state.get("mlp"), keys)
            new |= {} if past is None else {"mlp": {"x": past}}
        return Stream(xs, shared), new

    def _normed(self, norm: Norm | None, params: Params, name: str, x: Array) -> Array:
        y = x if norm is None else norm(params[name], x)
        return y if self.cell.dtype is None else y.astype(self.cell.dtype)

    def _centre(
        self, call: Call, params: Params, u: Array, shared: Array | None, state: State | None, keys: Keys | None
    ) -> tuple[Array, Array | None, State]:
        """The output of the cell, what later layers get from it, and its last state."""
        cell = self.cell
        read = linear(cast(params["inner"], cell.dtype), u) if self.block.inner_size else u
        if not isinstance(cell, Cell):
            return (*_with(shared, cell.apply(params["cell"], read, state, call.counts, call.resets)),)
        if cell.takes:
            read = jnp.concatenate([read, self._from_before(shared).astype(read.dtype)], -1)
        c, last = call.run(cell, params["cell"], read, state, key=None if keys is None else keys.noise)
        if cell.gives:
            c, shared = c[..., : self.output_size], c[..., self.output_size :]
        return c, shared, last

    def _from_before(self, shared: Array | None) -> Array:
        size = self.cell.takes if isinstance(self.cell, Cell) else 0
        if shared is None or shared.shape[-1] != size:
            found = "nothing" if shared is None else f"{shared.shape[-1]} features"
            raise UsageError(
                f"{type(self.cell).__name__} takes {size} features from a layer before, which gives {found}; accepted: "
                "a pattern whose first cell gives them"
            )
        return shared

    def _mlp(
        self, call: Call, mlp: MLP, params: Params, xs: Array, state: State | None, keys: Keys | None
    ) -> tuple[Array, Array | None]:
        """The stream after the feed-forward part, and the last input of one that is shifted."""
        read, past = self._normed(self.block.mlp_norm, params, "norm", xs), None
        params = cast({name: value for name, value in params.items() if name != "norm"}, self.cell.dtype)
        if mlp.shift:
            none = jnp.zeros((xs.shape[1], 1, self.width), jnp.promote_types(xs.dtype, jnp.float32))
            before = none if state is None else state["x"]
            read, past = mlp.shifted(params, read, before, call.counts, call.resets)
        return xs + dropped(call, _folded(keys, 1), mlp(params, read)).astype(xs.dtype), past

    def _convolved(
        self, call: Call, params: Params, xs: Array, state: State | None, keys: Keys | None
    ) -> tuple[Array, Array]:
        """The stream after the convolution, and the last of what it read."""
        none = jnp.zeros(
            (xs.shape[1], self.block.convolution - 1, self.width), jnp.promote_types(xs.dtype, jnp.float32)
        )
        before = none if state is None else state["x"]
        params, read = cast((params, xs), self.cell.dtype)
        ys, past = convolved(params, read, before, call.counts, call.resets)
        return xs + dropped(call, _folded(keys, 2), ys).astype(xs.dtype), past


def _with(shared: Array | None, found: tuple[Array, State]) -> tuple[Array, Array | None, State]:
    return found[0], shared, found[1]


def _folded(keys: Keys | None, branch: int) -> Keys | None:
    """The keys of another branch than that of the cell."""
    return None if keys is None else keys._replace(dropout=jax.random.fold_in(keys.dropout, branch))


def _dtype(params: Params) -> Any:
    return jnp.result_type(*jax.tree.leaves(params))


__all__ = ["Block", "BlockLayer"]
