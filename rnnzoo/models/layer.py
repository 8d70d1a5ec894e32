"""What every layer of a network is: the contract of the plain recurrent layer and of blocks."""

import abc
import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.models.norms import LayerNorm
from rnnzoo.typing import Array, Bool, Float, Key, Params, State


class Call(NamedTuple):
    """What one call of a network says to all of its layers."""

    run: Callable[..., tuple[Array, State]]  # of a cell, its parameters, inputs and state; key and reverse by name
    counts: Bool[Array, "T B"] | None  # which steps count; None for all
    resets: Bool[Array, "T B"] | None
    dropout: float = 0.0  # 0 in evaluation


class Keys(NamedTuple):
    """The keys of one layer."""

    dropout: Key
    noise: Key


class Stream(NamedTuple):
    """What goes from layer to layer."""

    xs: Float[Array, "T B F"]
    shared: Float[Array, "T B S"] | None = None  # what an earlier layer gave to later ones, besides its output


class Layer(abc.ABC):
    """One layer of a network. Layers that compare equal compute the same from the same parameters."""

    @property
    @abc.abstractmethod
    def cells(self) -> tuple[Cell, ...]:
        """The recurrent cells in it, one for each set of parameters of a cell."""

    def cell_input_size(self, size: int) -> int:
        """Number of features that the cells read in a layer that reads so many."""
        return size

    @abc.abstractmethod
    def init(self, key: Key, size: int, depth: float, layers: int) -> Params:
        """The parameters for inputs of that size, at a place from 0 (first) to 1 (last) among so many layers."""

    @abc.abstractmethod
    def prepare(self, params: Params) -> Params:
        """The parameters with those of all cells prepared."""

    @abc.abstractmethod
    def initial_state(self, ready: Params) -> State:
        """The state of one sequence before the first step, from prepared parameters."""

    @abc.abstractmethod
    def apply(
        self, call: Call, params: Params, stream: Stream, state: State | None, keys: Keys | None
    ) -> tuple[Stream, State]:
        """What the next layer reads, and the state after the last step. `params` are what ``call.run`` takes."""


def dropped(call: Call, keys: Keys | None, x: Array) -> Array:
    """x with features left out at random, in training."""
    if keys is None or not call.dropout:
        return x
    keep = jax.random.bernoulli(keys.dropout, 1 - call.dropout, x.shape)
    return jnp.where(keep, x / max(1 - call.dropout, 1e-9), 0)


@dataclasses.dataclass(frozen=True)
class PlainLayer(Layer):
    """A cell in one direction or both, with a norm before it and a residual connection around it."""

    cell: Cell
    directions: tuple[str, ...]  # the names of the cells in the parameters
    norm: bool
    residual: bool

    @property
    def cells(self) -> tuple[Cell, ...]:
        return (self.cell,) * len(self.directions)

    def init(self, key: Key, size: int, depth: float, layers: int) -> Params:
        keys = jax.random.split(key, len(self.directions))
        cell = self.cell.at_depth(depth, layers)
        params: Params = {d: cell.init(k, size) for d, k in zip(self.directions, keys, strict=True)}
        return {**params, "norm": LayerNorm().init(size)} if self.norm else params

    def prepare(self, params: Params) -> Params:
        return {**params, **{d: self.cell.prepare(params[d]) for d in self.directions}}

    def initial_state(self, ready: Params) -> State:
        return self.cell.initial_state(ready["cell"])

    def apply(
        self, call: Call, params: Params, stream: Stream, state: State | None, keys: Keys | None
    ) -> tuple[Stream, State]:
        read = LayerNorm()(params["norm"], stream.xs) if self.norm else stream.xs
        ys, last = self._both(call, params, read, state, None if keys is None else keys.noise)
        ys = dropped(call, keys, ys)
        if self.residual and ys.shape == stream.xs.shape:
            ys = ys + stream.xs
        return Stream(ys), last

    def _both(self, call: Call, params: Params, xs: Array, state: State | None, key: Any) -> tuple[Array, State]:
        ys, last = call.run(self.cell, params["cell"], xs, state, key=key)
        if len(self.directions) == 1:
            return ys, last
        key = None if key is None else jax.random.fold_in(key, 2)
        back, last_back = call.run(self.cell, params["backward"], xs, reverse=True, key=key)
        return jnp.concatenate([ys, back], -1), {"cell": last, "backward": last_back}


__all__ = ["Call", "Keys", "Layer", "PlainLayer", "Stream", "dropped"]
