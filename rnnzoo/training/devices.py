"""Several devices: the cores of a CPU as devices, and batches and seeds split over them.

A loop over time is many small kernels, and XLA runs each on one thread of a CPU. With the batch split over as many
devices as there are cores, all of them work; on GPUs and TPUs the same split uses several of them. A training loop of
your own takes two lines, one before JAX is first used and one for each batch::

    rnnzoo.use_cpu_cores()
    xs = rnnzoo.split_batch(xs)  # then as before: jax.jit(step)(params, xs)

Arrays stay global: a loss is that of the whole batch, equal to that on one device up to rounding.
"""

import os
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rnnzoo.spec import UsageError
from rnnzoo.typing import PyTree

SEEDS, BATCH = "seeds", "batch"  # the axes of a training step's mesh
WORTH = 2e8  # floating-point operations; to split the batch of a smaller update takes longer than it saves


def use_cpu_cores() -> None:
    """Make each core that this process may use a JAX device. Call it before JAX is first used.

    A number of CPU devices that was set by hand stays: by ``JAX_NUM_CPU_DEVICES``, ``jax.config`` or the option
    ``--xla_force_host_platform_device_count`` of ``XLA_FLAGS``.

    Raises:
        UsageError: JAX has started with another number of devices.
    """
    if jax.config.jax_num_cpu_devices >= 0 or "host_platform_device_count" in os.environ.get("XLA_FLAGS", ""):  # pyright: ignore
        return
    cores = _cores()
    try:
        jax.config.update("jax_num_cpu_devices", cores)
    except RuntimeError:
        if (there := len(jax.devices("cpu"))) != cores:
            raise UsageError(
                f"use_cpu_cores comes too late: JAX has started with {there} CPU devices, there are {cores} cores; "
                "accepted: a call before JAX is first used"
            ) from None


def _cores() -> int:
    """Cores that the process may run on, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def split_batch(tree: PyTree, axis: int = 1, devices: Sequence[Any] | None = None) -> PyTree:
    """The same arrays, in equal parts along the batch axis on several devices, inside of `jax.jit` or outside.

    Arguments of a jitted function that are not split, such as fresh parameters, go to every device by themselves.

    Args:
        tree: arrays that have the batch axis, say inputs (T, B, I).
        axis: which it is; 1 for time-major arrays, 0 for lengths (B,).
        devices: where to (None: all).

    Raises:
        UsageError: an array without that axis, or of a batch that does not divide, or no devices.
    """
    devices = jax.local_devices() if devices is None else devices
    if not len(devices):
        raise UsageError(f"split_batch: devices is {devices!r}; accepted: one device or more, or None for all")
    for leaf in jax.tree.leaves(tree):
        shape = np.shape(leaf)
        if not 0 <= axis < len(shape) or shape[axis] % len(devices):
            raise UsageError(
                f"split_batch: an array of shape {shape} along axis {axis} over {len(devices)} devices; "
                "accepted: a batch that divides over the devices, or fewer devices"
            )
    mesh = Mesh(np.asarray(devices), (BATCH,))
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec(*[None] * axis, BATCH)))


# ---- the training loop's use of it -----------------------------------------------------------------------


def is_worth(params: PyTree, xs: Any) -> bool:
    """Whether to split the batch of an update: of one seed's parameters, and inputs (T, B, ...). Arguments give shapes.

    On two cores, 0.05 GFLOP (configs/digits_rows.py) took 1.1 to 1.6 times as long in two parts, and 0.9 GFLOP
    (configs/char_lm.py) 0.8 to 0.9 times."""
    time, batch = xs.shape[:2]
    return 6 * sum(leaf.size for leaf in jax.tree.leaves(params)) * time * batch >= WORTH


def training_mesh(seeds: int, batch: int, devices: Sequence[Any]) -> Mesh | None:
    """The devices of a training step, in a grid with the axes "seeds" and "batch". As many as divide the seeds, which
    have nothing to say to each other; of the rest, as many as divide the batch. None if that is one. A `batch` of 1
    stands for one that is not to be split."""
    rows = _largest_divisor(seeds, len(devices))
    columns = _largest_divisor(batch, len(devices) // rows)
    if rows * columns == 1:
        return None
    return Mesh(np.asarray(devices[: rows * columns]).reshape(rows, columns), (SEEDS, BATCH))


def _largest_divisor(number: int, limit: int) -> int:
    return next(d for d in range(min(number, limit), 0, -1) if number % d == 0)


def place(tree: PyTree, mesh: Mesh | None, *axes: str | None) -> PyTree:
    """Inside of `jit`: keep the arrays with their leading axes along these axes of the mesh, whole along the others.
    Under ``jax.vmap(..., spmd_axis_name=SEEDS)`` the seeds come before them."""
    return tree if mesh is None else lax.with_sharding_constraint(tree, NamedSharding(mesh, PartitionSpec(*axes)))


def shard(tree: PyTree, mesh: Mesh | None, *axes: str | None) -> PyTree:
    """Outside of `jit`: the arrays on the mesh, as `place` has them."""
    return tree if mesh is None else jax.device_put(tree, NamedSharding(mesh, PartitionSpec(*axes)))


def gathered(tree: PyTree, mesh: Mesh | None) -> PyTree:
    """The arrays whole on the first device of the mesh."""
    return tree if mesh is None else jax.device_put(tree, mesh.devices.flat[0])


def about(seeds: int, batch: int, mesh: Mesh | None, there: int) -> str:
    """How many of the devices a training step uses, in a line for people."""
    rows, columns = (1, 1) if mesh is None else mesh.devices.shape
    whole = f"{seeds} seed{'s' * (seeds > 1)} and a batch of {batch}"
    if rows * columns == 1:
        return f"1 of {there} devices: {whole} are too little work for more, or do not divide"
    parts = [f"{seeds} seeds in {rows} parts"] * (rows > 1) + [f"a batch of {batch} in {columns} parts"] * (columns > 1)
    return f"{rows * columns} of {there} devices: {', '.join(parts)}"


__all__ = [
    "BATCH",
    "SEEDS",
    "about",
    "gathered",
    "is_worth",
    "place",
    "shard",
    "split_batch",
    "training_mesh",
    "use_cpu_cores",
]
