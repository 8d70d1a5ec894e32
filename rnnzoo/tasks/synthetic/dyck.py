"""Dyck-(k, m), brackets of k kinds that are nested up to m deep (Hewitt et al. 2020). arXiv:2010.07515"""

from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic.next_symbols import NextSymbols
from rnnzoo.tasks.synthetic.varied_lengths import VariedLengths, before
from rnnzoo.typing import Array, Int, Key


@spec
class Dyck(VariedLengths, NextSymbols):
    """Beginnings of well-nested strings; after each bracket, which ones may follow, and whether the string may end.

    x (T, B) tokens: 0..k-1 open, k..2k-1 close. y (T, B, 2k + 1): all opening brackets below depth m; the one that
    closes the innermost open bracket; and, as the last, the end, at depth 0. Strings open or close a bracket with equal
    probability where they may do both. A bounded depth makes the language star-free, so that no cycle in the graph of U
    is needed; a large one needs a stack.
    """

    kinds: Size = 2
    """Kinds of brackets, k."""
    depth: Size = 3
    """The largest number of open brackets, m."""
    test_length: Size = 32
    """Length of every held-out sequence, in steps."""

    held_out_sequences = 2**11

    @property
    def input_size(self) -> int:
        return 2 * self.kinds

    @property
    def output_size(self) -> int:
        return 2 * self.kinds + 1

    def sequences(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> Batch:
        key_open, key_kind = jax.random.split(key)
        shape = (longest, len(lengths))
        wanted = jax.random.bernoulli(key_open, shape=shape), jax.random.randint(key_kind, shape, 0, self.kinds)
        empty = jnp.zeros(len(lengths), jnp.int32), jnp.zeros((self.depth, len(lengths)), jnp.int32)
        _, (x, y) = jax.lax.scan(self._bracket, empty, wanted)
        return {"x": jnp.where(before(lengths, longest), x, 0), "y": y.astype(jnp.int32), "lengths": lengths}

    def _bracket(self, carry: tuple[Array, Array], wanted: tuple[Array, Array]) -> tuple[Any, Any]:
        """One more bracket: the depth (B,), the stack of kinds (m, B); the bracket, and what may follow it."""
        (depth, stack), (opens, kind) = carry, wanted
        opens = (opens & (depth < self.depth)) | (depth == 0)
        levels = jnp.arange(self.depth)[:, None]
        symbol = jnp.where(opens, kind, self.kinds + _top(depth, stack)).astype(jnp.int32)
        stack = jnp.where(opens & (levels == depth), kind, stack).astype(jnp.int32)
        depth = depth + jnp.where(opens, 1, -1)
        kinds = jnp.arange(self.kinds)
        may_open = jnp.broadcast_to((depth < self.depth)[:, None], (len(depth), self.kinds))
        may_close = (depth > 0)[:, None] & (_top(depth, stack)[:, None] == kinds)
        follow = jnp.concatenate([may_open, may_close, (depth == 0)[:, None]], axis=-1)
        return (depth, stack), (symbol, follow)


def _top(depth: Array, stack: Array) -> Array:
    """The kind of the innermost open bracket; anything where there is none."""
    return stack[jnp.maximum(depth - 1, 0), jnp.arange(len(depth))]
