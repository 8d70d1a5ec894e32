"""Several devices: the cores of a CPU as devices, and batches and seeds split over them.

A loop over time runs many small kernels, and XLA runs each of them on one thread of a CPU. Split the batch over one
device per core, and all cores work; the same split uses several GPUs or TPUs. In a training loop of your own this takes
two lines, one before JAX is first used and one for each batch::

    rnnzoo.use_cpu_cores()
    xs = rnnzoo.split_batch(xs)  # then as before: jax.jit(step)(params, xs)

Arrays stay global: the loss is that of the whole batch, and equals the loss on one device up to rounding.
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
WORTH = 2e8  # floating-point operations; splitting the batch of a smaller update costs more than it saves


def use_cpu_cores() -> None:
    """Make each core that this process may use a JAX device. Call it before JAX is first used.

    A number of CPU devices that you set yourself is kept, be it by ``JAX_NUM_CPU_DEVICES``, ``jax.config`` or the
    option ``--xla_force_host_platform_device_count`` of ``XLA_FLAGS``.

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
    """The arrays, split into equal parts along the batch axis, one part on each device; inside `jax.jit` or outside.

    JAX copies the other arguments of a jitted function, such as fresh parameters, to every device.

    Args:
        tree: arrays that have the batch axis, say inputs (T, B, I).
        axis: which axis is the batch: 1 for time-major arrays, 0 for lengths (B,).
        devices: the devices to use (None: all).

    Raises:
        UsageError: an array lacks that axis, the batch does not divide evenly, or there are no devices.
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


# ---- for the training loop -------------------------------------------------------------------------------


def is_worth(params: PyTree, xs: Any) -> bool:
    """Whether splitting the batch makes an update faster. Only the shapes are read: of one seed's parameters, and of
    inputs (T, B, ...).

    On two cores, two parts took 1.1 to 1.6 times as long as one at 0.05 GFLOP (configs/digits_rows.py), and 0.8 to 0.9
    times as long at 0.9 GFLOP (configs/char_lm.py)."""
    time, batch = xs.shape[:2]
    return 6 * sum(leaf.size for leaf in jax.tree.leaves(params)) * time * batch >= WORTH


def training_mesh(seeds: int, batch: int, devices: Sequence[Any]) -> Mesh | None:
    """The devices of a training step, in a grid with the axes "seeds" and "batch"; None for a single device.

    Seeds are split first, since they do not communicate, over as many devices as divide them. The batch is split over
    as many of the others as divide it. Pass a `batch` of 1 to leave it whole."""
    rows = _largest_divisor(seeds, len(devices))
    columns = _largest_divisor(batch, len(devices) // rows)
    if rows * columns == 1:
        return None
    return Mesh(np.asarray(devices[: rows * columns]).reshape(rows, columns), (SEEDS, BATCH))


def _largest_divisor(number: int, limit: int) -> int:
    return next(d for d in range(min(number, limit), 0, -1) if number % d == 0)


def place(tree: PyTree, mesh: Mesh | None, *axes: str | None) -> PyTree:
    """Inside `jit`: constrain the arrays to be split along these axes of the mesh, one for each leading axis, and
    whole along the others. Under ``jax.vmap(..., spmd_axis_name=SEEDS)``, an axis of seeds comes before them."""
    return tree if mesh is None else lax.with_sharding_constraint(tree, NamedSharding(mesh, PartitionSpec(*axes)))


def shard(tree: PyTree, mesh: Mesh | None, *axes: str | None) -> PyTree:
    """Outside `jit`: put the arrays on the mesh, split as `place` describes."""
    return tree if mesh is None else jax.device_put(tree, NamedSharding(mesh, PartitionSpec(*axes)))


def gathered(tree: PyTree, mesh: Mesh | None) -> PyTree:
    """The whole arrays, on the first device of the mesh."""
    return tree if mesh is None else jax.device_put(tree, mesh.devices.flat[0])


KINDS = {"cpu": "CPU core", "gpu": "GPU", "tpu": "TPU core"}


def describe_devices(seeds: int, batch: int, mesh: Mesh | None, devices: Sequence[Any]) -> str:
    """In words, how the work is split over the devices that there are; "" where that is nothing to know: one device, or
    cores of a CPU that the work is too small for."""
    platform = devices[0].platform
    kind = KINDS.get(platform, f"{platform} device")
    if mesh is None:
        if len(devices) == 1 or platform == "cpu":
            return ""
        return (
            f"1 of {len(devices)} {kind}s: a batch of {batch} is too small to split, or does not divide evenly; more "
            "seeds, or a larger batch, would use the others"
        )
    rows, columns = mesh.devices.shape
    parts = [f"{seeds} seeds in {rows} parts"] * (rows > 1) + [f"a batch of {batch} in {columns} parts"] * (columns > 1)
    return f"{rows * columns} of {len(devices)} {kind}s: {', '.join(parts)}"


__all__ = [
    "BATCH",
    "SEEDS",
    "describe_devices",
    "gathered",
    "is_worth",
    "place",
    "shard",
    "split_batch",
    "training_mesh",
    "use_cpu_cores",
]
