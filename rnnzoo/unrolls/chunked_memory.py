"""Matrix memories in chunks, each by matrix products (Hua et al. 2022, arXiv:2202.10447; Yang et al. 2024,
arXiv:2312.06635 and arXiv:2406.06484)."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.base import Cell
from rnnzoo.cells.matrix_memory import MatrixMemory, Memory
from rnnzoo.spec import Size, spec
from rnnzoo.typing import Array, Control, Params, PyTree, State
from rnnzoo.unrolls.base import Ran, Unroll, around
from rnnzoo.unrolls.memory_chunk import run_chunk
from rnnzoo.unrolls.memory_steps import steps_of
from rnnzoo.unrolls.scan import Scan
from rnnzoo.unrolls.stabilised_chunk import run_stabilised


@spec
class ChunkedMemory(Unroll):
    """One chunk of steps after the other, each by matrix products instead of step by step, and computed once more for a
    gradient. Keeps the matrices at the borders of chunks only: memory for T / chunk of them, not for T.

    Only for cells with a `MatrixMemory`. Derivatives of any order. All states, if they are asked for, come from `Scan`.
    """

    symbolic = False
    keeps_states = False

    chunk: Size = 64
    """Steps in a chunk."""

    def refuses(self, cell: Cell) -> str | None:
        if isinstance(cell.recurrence, MatrixMemory):
            return None
        name = type(cell).__name__
        return (
            f"the state of {name} is no matrix memory; ChunkedMemory runs cells whose state is S_t = A_t S_tm1 + k v^T"
        )

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        return Scan()(cell, params, state, zs, controls)

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Array, controls: Control, *, states: bool = False
    ) -> Ran:
        if states:
            return Scan().apply(cell, params, state, xs, controls, states=True)
        memory = cell.recurrence
        assert isinstance(memory, MatrixMemory)
        unrolled = functools.partial(self._reads, memory, params)
        output: Any = cell  # a matrix memory, or a wrapper whose recurrence is one
        return around(unrolled, cell, params, state, xs, controls, readout=output.output)

    def _reads(
        self, cell: MatrixMemory, params: Params, state: State, zs: PyTree, controls: Control
    ) -> tuple[Memory, State]:
        """What is read at each step, leaves (T, B, N, ...), and the last state."""
        time = jax.tree.leaves(zs)[0].shape[0]
        if not time:
            return _nothing_read(cell, state), state
        fresh = {name: leaf for name, leaf in cell.initial_state(params).items() if name in state}

        # The cell's part of a chunk is in its body, too: what it makes is as large as a chunk, not as the sequence.
        def body(state: State, part: tuple[PyTree, Control]) -> tuple[State, Memory]:
            steps, writes = steps_of(cell, params, state, *part)
            state, reads = (run_stabilised if cell.stabilised else run_chunk)(state, fresh, steps)
            return state, {name: jnp.moveaxis(a[:, :, writes - 1 :: writes], 2, 0) for name, a in reads.items()}

        parts = _in_chunks(zs, controls, min(self.chunk, time))
        last, reads = lax.scan(jax.checkpoint(body, prevent_cse=False), state, parts)
        return {name: a.reshape(-1, *a.shape[2:])[:time] for name, a in reads.items()}, last


def _nothing_read(cell: MatrixMemory, state: State) -> Memory:
    batch, heads, _, values = state["s"].shape
    y = {"y": jnp.zeros((0, batch, heads, values), state["s"].dtype)}
    return y | {"m": jnp.zeros((0, batch, heads), state["m"].dtype)} if cell.stabilised else y


def _in_chunks(zs: PyTree, controls: Control, count: int) -> tuple[PyTree, Control]:
    """Leaves (T / count, count, B, ...). Steps that are added at the end are like the last one, and do not count."""
    time, batch = jax.tree.leaves(zs)[0].shape[:2]
    added = -time % count
    active = controls.active
    if added:
        active = jnp.ones((time, batch), bool) if active is None else active
        active = jnp.concatenate([active, jnp.zeros((added, batch), bool)])

    def split(a: Array) -> Array:
        if a.shape[0] == time and added:
            a = jnp.concatenate([a, jnp.broadcast_to(a[-1:], (added, *a.shape[1:]))])
        return a.reshape(-1, count, *a.shape[1:])

    return jax.tree.map(split, (zs, Control(active=active, reset=controls.reset)))


__all__ = ["ChunkedMemory"]
