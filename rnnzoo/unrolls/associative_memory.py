"""Matrix memories in chunks, and a parallel prefix over them (Blelloch 1990; Yang et al. 2024, arXiv:2406.06484)."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.spec import spec
from rnnzoo.typing import State
from rnnzoo.unrolls.memory_unroll import MemoryUnroll, Passed


@spec
class AssociativeMemory(MemoryUnroll):
    """`ChunkedMemory` with no chunk waiting for the one before it: all chunks at once, and a parallel prefix over what
    they make of the matrix, O(log (T / chunk)) deep. Meant for few sequences on a large device, and for a time axis
    that is split over several; on a CPU it is slower.

    Keeps what it computes within all chunks, and the matrices at all their borders. Where cells erase, joining two
    chunks multiplies matrices of K x K. Only for cells with a `MatrixMemory`. Derivatives of any order. All states, if
    they are asked for, come from `Scan`."""

    keeps_states = False

    def _together(self, chunks: int) -> int:
        return chunks

    def _pass(self, state: State, transitions: Any) -> Passed:
        joined = lax.associative_scan(lambda first, second: first.join(second), transitions.affine())
        after = joined.after(state)
        before = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest[:-1]]), state, after)
        return jax.tree.map(lambda a: a[-1], after), before, transitions.found(before)


__all__ = ["AssociativeMemory"]
