"""What the unrolls of matrix memories share: chunks of steps as maps, in groups of chunks."""

import abc
import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.base import Cell
from rnnzoo.cells.matrix_memory import MatrixMemory, Memory
from rnnzoo.spec import Size, spec
from rnnzoo.typing import Array, Control, Float, Params, PyTree, State
from rnnzoo.unrolls.base import Ran, Unroll, around
from rnnzoo.unrolls.memory_chunk import memory_chunk
from rnnzoo.unrolls.memory_steps import steps_of, writes_in_a_step
from rnnzoo.unrolls.scan import Scan
from rnnzoo.unrolls.stabilised_chunk import stabilised_chunk

Passed = tuple[State, State, Array | None]
"""The state after the last chunk; before each chunk; and what each transition has found. Leaves (chunks, ...)."""


@spec
class MemoryUnroll(Unroll):
    """Chunks of steps by matrix products instead of step by step. Only for cells with a `MatrixMemory`."""

    symbolic = False

    chunk: Size = 64
    """Steps in a chunk."""

    @abc.abstractmethod
    def _together(self, chunks: int) -> int:
        """How many of all chunks are in a group, at most."""

    @abc.abstractmethod
    def _pass(self, state: State, transitions: Any) -> Passed:
        """From the state before the chunks of a group."""

    def refuses(self, cell: Cell) -> str | None:
        if isinstance(cell.recurrence, MatrixMemory):
            return None
        return (
            f"the state of {type(cell).__name__} is no matrix memory; {type(self).__name__} runs cells whose state is "
            "S_t = A_t S_tm1 + k v^T"
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
        count, writes = min(self.chunk, time), writes_in_a_step(cell, params, zs)
        chunk_of = functools.partial(stabilised_chunk if cell.stabilised else memory_chunk, fresh)

        # The cell's part of a group is in its body, too: what it makes is as large as a group, not as the sequence.
        def body(state: State, group: tuple[PyTree, Control]) -> tuple[State, Memory]:
            steps = jax.vmap(functools.partial(steps_of, cell, params, state))(*group)
            reads, transitions = chunk_of(steps)
            matrices = {name: a for name, a in state.items() if name != "y"}
            last, before, found = self._pass(matrices, transitions)
            found = {name: _by_time(a, count, writes) for name, a in reads.at(before, found).items()}
            return ({**last, "y": _last_read(found["y"], state["y"], group[1].active)} if "y" in state else last), found

        groups = _in_groups(zs, controls, count, self._together(-(-time // count)))
        if jax.tree.leaves(groups)[0].shape[0] > 1:  # else a gradient would compute all once more, and save nothing
            body = jax.checkpoint(body, prevent_cse=False)
        last, reads = lax.scan(body, state, groups)
        return {name: _joined(a)[:time] for name, a in reads.items()}, last


def _nothing_read(cell: MatrixMemory, state: State) -> Memory:
    batch, heads, _, values = state["s"].shape
    y = {"y": jnp.zeros((0, batch, heads, values), state["s"].dtype)}
    return y | {"m": jnp.zeros((0, batch, heads), state["m"].dtype)} if cell.stabilised else y


def _by_time(a: Float[Array, "G B N C ..."], count: int, writes: int) -> Float[Array, "T B N ..."]:
    """What is read at the `count` steps of each chunk, after the last of `writes` in a step."""
    a = jnp.moveaxis(a[:, :, :, writes - 1 : count * writes : writes], 3, 1)
    return _joined(a)


def _joined(a: Float[Array, "M N ..."]) -> Float[Array, "T ..."]:
    """The first two axes as one; of an empty batch, too, which has no -1."""
    return a.reshape(a.shape[0] * a.shape[1], *a.shape[2:])


def _last_read(ys: Float[Array, "T B N V"], before: Float[Array, "B N V"], active: Array | None) -> Array:
    """What was read at the last active step; `before` where there is none."""
    if active is None:
        return ys[-1]
    active = active.reshape(ys.shape[:2])
    last = active.shape[0] - 1 - jnp.argmax(active[::-1], 0)
    found = jnp.take_along_axis(ys, last[None, :, None, None], 0)[0]
    return jnp.where(active.any(0)[:, None, None], found, before)


def _in_groups(zs: PyTree, controls: Control, count: int, together: int) -> tuple[PyTree, Control]:
    """Leaves (groups, chunks, count, B, ...), with about equally many chunks in each group, at most `together`. Steps
    that are added at the end are like the last one, and do not count."""
    time, batch = jax.tree.leaves(zs)[0].shape[:2]
    chunks = -(-time // count)
    groups = -(-chunks // together)
    chunks = -(-chunks // groups)
    added = groups * chunks * count - time
    active = controls.active
    if added:
        active = jnp.ones((time, batch), bool) if active is None else active
        active = jnp.concatenate([active, jnp.zeros((added, batch), bool)])

    def split(a: Array) -> Array:
        if a.shape[0] == time and added:
            a = jnp.concatenate([a, jnp.broadcast_to(a[-1:], (added, *a.shape[1:]))])
        return a.reshape(groups, chunks, count, *a.shape[1:])

    return jax.tree.map(split, (zs, Control(active=active, reset=controls.reset)))


__all__ = ["MemoryUnroll", "Passed"]
