"""Choose an unroll by the device, the sizes and what the cell allows."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Affine, Cell
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.spec import UsageError, accepts, describe, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.typing import Array, Control, Params, PyTree, State
from rnnzoo.unrolls.associative import Associative
from rnnzoo.unrolls.base import Ran, Unroll
from rnnzoo.unrolls.chunked_memory import ChunkedMemory
from rnnzoo.unrolls.cudnn import CuDNN
from rnnzoo.unrolls.scan import Scan

Device = Literal["cpu", "gpu", "tpu"]
# On an H100, an associative scan of 32 steps takes about a tenth of a loop's time; fewer steps were not measured.
PARALLEL_STEPS = 32
# Up to 256 units, cuDNN's gradients took 0.7 to 0.93 of a loop's time there, its outputs alone 1.05 to 1.9.
CUDNN_UNITS = 256
CHEAP = 4  # numbers per unit in A_t up to which a product of two costs about as much as a step


@dataclasses.dataclass(frozen=True)
class Question:
    """What there is to run."""

    cell: Cell
    time: Any  # an integer, or a symbol in jax.export
    batch: Any  # the same, or None: one sequence by itself, of an unknown number
    device: str


@dataclasses.dataclass(frozen=True)
class Rule:
    """An unroll, when to take it, and why."""

    unroll: Unroll
    applies: Callable[[Question], bool]
    reason: str


def _is_cheap_affine(asked: Question) -> bool:
    cell = asked.cell.recurrence
    return isinstance(cell, Affine) and _numbers(cell.transition, cell.state_size) <= CHEAP * cell.state_size


@functools.lru_cache(maxsize=256)
def _numbers(algebra: Algebra, size: int) -> int:
    """How many numbers make up a matrix where products are taken."""
    bare = jax.eval_shape(lambda u: algebra.bare(algebra.materialize(u)), algebra.shapes(size))
    return sum(leaf.size for leaf in jax.tree.leaves(bare))


# The first rule that applies, and whose unroll does not refuse the cell. The rule for CPUs is measured by
# benchmarks/auto.py, those for GPUs are from docs/measured/h100.csv; no TPU was available. `Fused` has no rule: it is
# the fastest in docs/measured/h200.csv, but its numbers have not been compared on a device (benchmarks/gpu.py does).
RULES = (
    Rule(Scan(), lambda q: not isinstance(q.time, int), "T is a symbol of jax.export, which only a loop takes"),
    Rule(Scan(), lambda q: q.time < 2, "one step needs no parallel method"),
    Rule(
        ChunkedMemory(),
        lambda q: isinstance(q.cell.recurrence, MatrixMemory),
        "matrix products over chunks take a fraction of a loop's time and memory",
    ),
    Rule(Scan(), lambda q: q.device == "cpu", "on a CPU one step after the other does the least work"),
    Rule(
        CuDNN(),
        lambda q: q.device == "gpu" and q.batch is not None and q.cell.hidden_size <= CUDNN_UNITS,
        f"cuDNN has this cell as one kernel, whose gradients are faster than a loop's up to {CUDNN_UNITS} units",
    ),
    Rule(
        Associative(),
        lambda q: q.time >= PARALLEL_STEPS and _is_cheap_affine(q),
        f"the cell is affine in its state with a cheap transition, over {PARALLEL_STEPS} steps or more",
    ),
    Rule(Scan(), lambda q: True, "no parallel method is known to win for this cell and so many steps"),
)


def _default_device() -> Device:
    platform = jax.default_backend()
    return platform if platform in ("cpu", "tpu") else "gpu"


@spec
class Auto(Unroll):
    """The unroll that `choose` names for what there is to run; ask it for the reason.

    On a GPU that may be `CuDNN`, with its limits: no forward mode and no `jax.vmap` over seeds."""

    keeps_states = False  # of a matrix memory

    def choose(self, cell: Cell, time: Any, batch: Any = None, device: str | None = None) -> tuple[Unroll, str]:
        """The unroll for `cell` over so many steps, and why.

        Args:
            cell: what to run.
            time: number of steps T, or a symbol of `jax.export`.
            batch: number of sequences B (None: not known, as inside of `jax.vmap`; this excludes whole-batch kernels).
            device: where: "cpu", "gpu" or "tpu" (None: JAX's default device).

        Raises:
            UsageError (a ValueError): another device.
        """
        if device is not None and not accepts(Device, device):
            raise UsageError(f"device is {device!r}; accepted: {describe(Device)}, or None")
        asked = Question(cell, time, batch, device or _default_device())
        refused = []
        for rule in RULES:
            if rule.applies(asked):
                if (said := rule.unroll.refuses(cell)) is None:
                    return rule.unroll, "; ".join([rule.reason, *refused])
                refused.append(f"not {type(rule.unroll).__name__}: {said}")
        raise AssertionError("the last rule always applies")

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Array, controls: Control, *, states: bool = False
    ) -> Ran:
        # What a whole-batch kernel takes.
        is_plain = controls.reset is None and controls.noise is None and xs.dtype == jnp.float32 and not states
        unroll, _ = self.choose(cell, xs.shape[0], xs.shape[1] if is_plain else None)
        return unroll.apply(cell, params, state, xs, controls, states=states)

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        unroll, _ = self.choose(cell, jax.tree.leaves(zs)[0].shape[0])
        return unroll(cell, params, state, zs, controls)
