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
from rnnzoo.typing import Array, Control, Params, PyTree, State, widen
from rnnzoo.unrolls.base import Ran, Unroll, around
from rnnzoo.unrolls.memory_chunk import LOW, Steps, block_of, run_chunk
from rnnzoo.unrolls.scan import Scan


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
        memory = jax.vmap(jax.vmap(functools.partial(cell.memory, params)))(widen(zs))
        memory = {name: a.astype(state["s"].dtype) for name, a in memory.items()}
        # A decay to nothing is one to the smallest number, lest -inf - -inf be NaN.
        memory["g"] = jnp.maximum(memory["g"], jnp.log(jnp.finfo(memory["g"].dtype).tiny))
        memory, writes = _one_after_the_other(memory)
        time = memory["q"].shape[0]
        if not time:
            return {"y": jnp.zeros((0, *memory["v"].shape[1:]), memory["v"].dtype)} | (
                {"m": jnp.zeros((0, *state["m"].shape), state["m"].dtype)} if cell.stabilised else {}
            ), state
        memory, active = _held(memory, controls.active, writes)
        reset = _first_of(controls.reset, writes)
        if reset is not None and active is not None:
            reset = reset & active
        count = min(self.chunk * writes, time)
        count = -(-count // block_of(count)) * block_of(count)
        chunks = _in_chunks(memory, active, reset, count)
        fresh = {name: leaf for name, leaf in cell.initial_state(params).items() if name in state}
        body = jax.checkpoint(lambda state, steps: run_chunk(state, fresh, steps), prevent_cse=False)
        last, reads = lax.scan(body, state, chunks)
        return {name: _in_time(a, time)[writes - 1 :: writes] for name, a in reads.items()}, last


def _one_after_the_other(memory: Memory) -> tuple[Memory, int]:
    """Leaves (T n, B, N, ...), the n writes of a step as n steps, of which the last one reads; and n."""
    if memory["k"].ndim == 4:
        return memory, 1
    writes = memory["k"].shape[2]

    def in_line(a: Array) -> Array:
        return jnp.moveaxis(a, 2, 1).reshape(-1, a.shape[1], *a.shape[3:])

    spread = {name: jnp.repeat(a, writes, 0) if a.ndim == 4 else in_line(a) for name, a in memory.items()}
    return spread, writes


def _held(memory: Memory, active: Array | None, writes: int) -> tuple[Memory, Array | None]:
    """Steps that do not count change nothing: no decay, and nothing written or erased."""
    if active is None:
        return memory, None
    active = jnp.repeat(active, writes, 0)
    nothing = {"g": 0.0, "k": 0.0, "b": 0.0, "a": 0.0, "i": LOW}
    here = active[..., None, None]
    return {n: jnp.where(here, a, nothing[n]) if n in nothing else a for n, a in memory.items()}, active


def _first_of(reset: Array | None, writes: int) -> Array | None:
    """A reset is before the first write of a step."""
    if reset is None or writes == 1:
        return reset
    return jnp.stack([reset, *[jnp.zeros_like(reset)] * (writes - 1)], 1).reshape(-1, reset.shape[1])


def _in_chunks(memory: Memory, active: Array | None, reset: Array | None, count: int) -> Steps:
    """The steps in chunks: leaves (T / count, B, N, count, ...), (T / count, B, count). Steps that are added at the end
    change nothing."""
    time = memory["q"].shape[0]
    chunks = -(-time // count)

    def split(a: Array, value: float = 0.0) -> Array:
        a = jnp.pad(a, [(0, chunks * count - time)] + [(0, 0)] * (a.ndim - 1), constant_values=value)
        return jnp.moveaxis(a.reshape(chunks, count, *a.shape[1:]), 1, 2 if a.ndim == 2 else 3)

    found = {name: split(a, LOW if name == "i" else 0.0) for name, a in memory.items()}
    is_padded = chunks * count > time
    if active is None and is_padded and "u" in memory:  # which keeps what was read at the last step that counts
        active = jnp.ones(memory["q"].shape[:2], bool)
    segment = None if reset is None else jnp.cumsum(split(reset), -1, dtype=jnp.int32)
    return Steps(found, None if active is None else split(active), segment)


def _in_time(a: Array, time: int) -> Array:
    """(chunks, B, N, C, ...) as (T, B, N, ...)."""
    return jnp.moveaxis(a, 3, 1).reshape(-1, *a.shape[1:3], *a.shape[4:])[:time]


__all__ = ["ChunkedMemory"]
