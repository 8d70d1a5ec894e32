"""Matrix memories in chunks, each by matrix products (Hua et al. 2022, arXiv:2202.10447; Yang et al. 2024,
arXiv:2312.06635 and arXiv:2406.06484)."""

from typing import Any

from jax import lax

from rnnzoo.spec import Size, spec
from rnnzoo.typing import Array, State
from rnnzoo.unrolls.memory_unroll import MemoryUnroll, Passed


@spec
class ChunkedMemory(MemoryUnroll):
    """Chunks of steps by matrix products instead of step by step. A few chunks at once are a group, which is computed
    once more for a gradient. Keeps only the matrices before groups: memory for T / (chunk * together) of them, not
    for T.

    Only for cells with a `MatrixMemory`. Derivatives of any order. All states, if they are asked for, come from `Scan`.
    """

    keeps_states = False

    together: Size = 4
    """Chunks in a group. Of them, only the matrices at their borders wait for each other."""

    def _together(self, chunks: int) -> int:
        return self.together

    def _pass(self, state: State, transitions: Any) -> Passed:
        def one(state: State, transition: Any) -> tuple[State, tuple[State, Array | None]]:
            found = transition.found(state)
            return transition.after(state, found), (state, found)

        last, (before, found) = lax.scan(one, state, transitions)
        return last, before, found


__all__ = ["ChunkedMemory"]
