"""Multiple shooting: a sequence cut into chunks that run side by side, each from a guess of the state before it (Bock &
Plitt 1984, doi:10.1016/S1474-6670(17)61205-9). What is unknown are the states at the borders only."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.structures.base import Algebra
from rnnzoo.typing import Array, Float, PyTree, State
from rnnzoo.unrolls.linearized import Steps

Linear = Callable[[Steps, Float[Array, "C N"]], PyTree]  # of one step of all chunks: parameters of its Jacobians


class Shot(NamedTuple):
    """The result of one sweep through all chunks."""

    ends: Float[Array, "C N"]  # the states after each chunk
    products: PyTree  # of the Jacobians of each chunk's steps: how its end follows its start


class Chunks:
    """C chunks of the steps of one sequence, as functions of the states before them."""

    def __init__(self, steps: Steps, length: int | None):
        self.steps, self.time = steps, jax.tree.leaves(steps.zs)[0].shape[0]
        self.length = min(length or max(2, math.isqrt(self.time)), self.time)
        self.count = -(-self.time // self.length)
        self.inputs = jax.tree.map(self._split, (steps.zs, steps.controls))

    def _split(self, x: Array) -> Array:  # (T, ...) to (L, C, ...), L being the length of a chunk
        # The padding is never read back. Repeat the last step, since zeros could give non-finite values.
        x = jnp.pad(x, [(0, self.count * self.length - self.time)] + [(0, 0)] * (x.ndim - 1), mode="edge")
        return jnp.moveaxis(x.reshape(self.count, self.length, *x.shape[1:]), 1, 0)

    def guess(self) -> Float[Array, "C N"]:
        """The states before each chunk if the step before it started from 0; for the first chunk, the given state."""
        start = self.steps.start[None]
        last = self.steps.over(*jax.tree.map(lambda a: a[-1, :-1], self.inputs))
        return jnp.concatenate([start, last.apply(jnp.zeros((self.count - 1, start.size), start.dtype))])

    def states(self, starts: Float[Array, "C N"]) -> State:
        """All T states, from those before each chunk."""

        def step(h, inputs_t):
            h = self.steps.over(*inputs_t).apply(h)
            return h, h

        hs = lax.scan(step, starts, self.inputs)[1]
        return self.steps.states(jnp.moveaxis(hs, 0, 1).reshape(-1, hs.shape[-1])[: self.time])

    def shoot(self, starts: Float[Array, "C N"], family: Algebra, linear: Linear) -> Shot:
        """The states after each chunk, and what `linear`, of members of `family`, makes of their derivatives."""
        compose = jax.vmap(family.compose)

        def step(done, inputs_t):
            here = self.steps.over(*inputs_t)
            return Shot(here.apply(done.ends), compose(linear(here, done.ends), done.products)), None

        here = self.steps.over(*jax.tree.map(lambda a: a[0], self.inputs))
        first = Shot(here.apply(starts), linear(here, starts))
        if self.length == 1:
            return first
        return lax.scan(step, first, jax.tree.map(lambda a: a[1:], self.inputs))[0]
