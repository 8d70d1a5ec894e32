"""Whether the arrays of a training run fit memory: a lower bound from their shapes, before anything is compiled."""

import dataclasses
import functools
import math
import os
from pathlib import Path
from typing import Any

import jax
import numpy as np

from rnnzoo.initializers.base import undrawn
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.tasks.data import Data, InMemory
from rnnzoo.training.config import Config
from rnnzoo.training.numbers import numbers_of
from rnnzoo.training.optimizer import make_optimizer
from rnnzoo.training.update import next_batch

CGROUP = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # version 2, version 1


def check_memory(config: Config, model: Model, data: Data) -> None:
    """Raise `UsageError` for a run that certainly needs more memory than there is. Most runs need several times the
    bytes that are counted here, so that one that passes may still run out of memory."""
    parts = needed_bytes(config, model, data)
    total, (there, where) = sum(parts.values()), memory_of(config)
    if total <= there:
        return
    largest = sorted(parts, key=lambda name: parts[name], reverse=True)[:2]
    raise UsageError(
        f"the arrays of this run take {total:,} bytes or more ("
        + ", ".join(f"{name} {parts[name]:,}" for name in largest)
        + f"); accepted: up to the {there:,} of {where}, by fewer units, sequences (batch_size), steps in a sequence, "
        "or seeds"
    )


def needed_bytes(config: Config, model: Model, data: Data) -> dict[str, int]:
    """Bytes that are in use at once in every training step, by what they are for, in Python's integers: the sizes may
    be larger than any array. What an unroll keeps for the gradient is left out, since unrolls differ in it."""
    params = model.shapes()
    optimizer = jax.eval_shape(make_optimizer(config, numbers_of(config)).init, params)
    states = [_bytes(state) for state in jax.eval_shape(lambda: _first(undrawn(model))).values()]
    states = sum(states) if config.stream else max(states)  # others may be gone when the next layer begins
    longest = min(config.steps, config.log_every, config.eval_every)
    one = {
        "parameters": _bytes(params),
        "gradients": _bytes(params),  # all at once, for their norm
        "optimizer": _bytes(optimizer),
        "batch": config.batch_size * _bytes(_sequence(config, data)),
        "states": config.batch_size * states,
        "metrics": longest * 9,  # two float32 and a bool
    }
    return {name: config.seeds * size for name, size in one.items()}


def _first(model: Model) -> Any:
    """The state of one sequence before the first step, of every layer."""
    return model.initial_state(model.init(jax.random.key(0)), 1)


def _sequence(config: Config, data: Data) -> Any:
    """The shapes of a batch of one sequence; nothing for data that must be read to know."""
    if not isinstance(data, InMemory):
        return {}
    draw = functools.partial(next_batch, dataclasses.replace(config, batch_size=1), data.static)
    return jax.eval_shape(draw, data.arrays, jax.random.key(0), np.int32(0))


def _bytes(tree: Any) -> int:
    return sum(math.prod(a.shape) * a.dtype.itemsize for a in jax.tree.leaves(tree))


# ---- the memory there is ---------------------------------------------------------------------------------


def memory_of(config: Config) -> tuple[float, str]:
    """The bytes that a run may use at most, and whose they are; infinitely many where nobody says."""
    devices = jax.local_devices() if config.devices == "all" else jax.local_devices()[:1]
    limits = [(device.memory_stats() or {}).get("bytes_limit", 0) for device in devices]
    if all(limits):
        return sum(limits), f"{len(limits)} x {devices[0].device_kind}"
    return machine_bytes(), "the machine"


def machine_bytes() -> float:
    """Memory and swap space of the machine, or what the process may have of it, if that is less."""
    found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in _lines("/proc/meminfo") if "kB" in line}
    swap = found.get("SwapTotal", 0)
    groups = [int(line) for file in CGROUP for line in _lines(file) if line.strip().isdigit()]
    return min([_physical() + swap, _address_space(), *(limit + swap for limit in groups)])


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:  # not Linux, or no such limit
        return []


def _physical() -> float:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows, and systems without these names
        return math.inf


def _address_space() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return math.inf
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return math.inf if limit == resource.RLIM_INFINITY else limit


__all__ = ["check_memory", "machine_bytes", "memory_of", "needed_bytes"]
