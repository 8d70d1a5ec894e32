"""What the steps of one chunk write into a matrix memory and read from it, one write after the other."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.matrix_memory import MatrixMemory, Memory
from rnnzoo.typing import Array, Control, Params, PyTree, State, widen
from rnnzoo.unrolls.decays import even
from rnnzoo.unrolls.memory_chunk import Steps
from rnnzoo.unrolls.stabilised_chunk import LOW

NOTHING = {"g": 0.0, "k": 0.0, "b": 0.0, "a": 0.0, "i": LOW}
"""Where a step changes nothing: no decay, and nothing written or erased."""


def steps_of(cell: MatrixMemory, params: Params, state: State, zs: PyTree, controls: Control) -> Steps:
    """One chunk, from its projected inputs `zs` (C, B, ...). Each write is a step of the chunk, and the last one in a
    step reads. Steps that change nothing are added at its end until its length is even."""
    memory = jax.vmap(jax.vmap(functools.partial(cell.memory, params)))(widen(zs))
    memory = {name: a.astype(state["s"].dtype) for name, a in memory.items()}
    writes = _writes(memory["k"])
    memory = {name: _in_line(a, writes) for name, a in memory.items()}
    active = None if controls.active is None else jnp.repeat(controls.active.T, writes, 1)
    reset = None if controls.reset is None else _first_of(controls.reset.T, writes)
    if active is not None:
        memory = _held(memory, active)
        reset = None if reset is None else reset & active
    return _filled(memory, active, reset)


def writes_in_a_step(cell: MatrixMemory, params: Params, zs: PyTree) -> int:
    """How many writes a step is, from projected inputs `zs` (T, B, ...)."""
    each = jax.vmap(jax.vmap(functools.partial(cell.memory, params)))
    return _writes(jax.eval_shape(each, zs)["k"])


def _writes(k: Any) -> int:
    return k.shape[2] if k.ndim == 5 else 1


def _in_line(a: Array, writes: int) -> Array:
    """(C, B, N, K) or (C, B, n, N, K) as (B, N, C n, K)."""
    if a.ndim == 5:
        return a.transpose(1, 3, 0, 2, 4).reshape(a.shape[1], a.shape[3], a.shape[0] * writes, a.shape[4])
    return jnp.repeat(jnp.moveaxis(a, 0, 2), writes, 2)


def _first_of(reset: Array, writes: int) -> Array:
    """A reset (B, C) is before the first write of a step."""
    batch, count = reset.shape
    return jnp.stack([reset, *[jnp.zeros_like(reset)] * (writes - 1)], -1).reshape(batch, count * writes)


def _held(memory: Memory, active: Array) -> Memory:
    here = active[:, None, :, None]
    return {n: jnp.where(here, a, NOTHING[n]) if n in NOTHING else a for n, a in memory.items()}


def _filled(memory: Memory, active: Array | None, reset: Array | None) -> Steps:
    batch, _, count, _ = memory["k"].shape
    added = even(count) - count
    if added:
        memory = {n: _padded(a, added, 2, NOTHING.get(n, 0.0)) for n, a in memory.items()}
        active = _padded(jnp.ones((batch, count), bool) if active is None else active, added, 1)
        reset = None if reset is None else _padded(reset, added, 1)
    return Steps(memory, active, reset)


def _padded(a: Array, added: int, axis: int, value: float = 0.0) -> Array:
    return jnp.pad(a, [(0, added if axis == i else 0) for i in range(a.ndim)], constant_values=value)


__all__ = ["steps_of", "writes_in_a_step"]
