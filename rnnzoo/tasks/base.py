"""The contract of a task: where sequences come from, and how predictions are judged."""

import abc
from typing import Any, ClassVar, Literal

from rnnzoo.spec import Spec, UsageError, required, spec
from rnnzoo.typing import Array, Int, Key, PyTree

Batch = dict[str, Any]
"""``x``: vectors (T, B, I) in floating point, or tokens (T, B) in int32; ``y``: targets, (T, B, ...) for a task
that is read at each step, (B, ...) for one read at the last; optionally ``lengths`` (B,) int32, and in a stream
``resets`` (T, B) bool, True where another sequence begins."""


@spec
class Task(Spec, abc.ABC, kind="tasks"):
    """Labelled sequences. Synthetic tasks draw them inside the jitted step; data sets are loaded once."""

    metric: ClassVar[str]  # the headline: a key of `scores`
    better: ClassVar[Literal["lower", "higher"]]
    tokens: ClassVar[bool] = False  # whether x holds token numbers rather than vectors
    read: ClassVar[Literal["each", "last"]] = "each"  # whether a prediction is made at each step or at the last
    streams: ClassVar[bool] = False  # whether there are sequences to read piece by piece, with `segment`

    input_size: ClassVar[int] = required()
    """Features I of a vector input, or number of symbols. A task that learns it from a file loads the file."""
    output_size: ClassVar[int] = required()
    """Number of outputs O."""
    solved_at: ClassVar[float | None] = None
    """The value of `metric` at which the task counts as solved, if it has one."""
    symbols: ClassVar[str | None] = None
    """The characters that tokens 0, 1, ... stand for, of a task whose tokens are characters; the token after them
    stands for all others. Kept with every run and model, since without them the numbers mean nothing."""

    def load(self) -> PyTree:
        """The data as arrays, read and checked; raises `UsageError` naming file and place. {} for synthetic ones."""
        return {}

    def differs(self, other: "Task") -> str | None:
        """Why a network trained on this task cannot be judged on `other`; None if it can."""
        if type(other) is type(self):
            return None
        return f"it was trained on {type(self).__name__}, not on {type(other).__name__}"

    @abc.abstractmethod
    def batch(self, data: PyTree, key: Key, size: int) -> Batch:
        """A random training batch of `size` sequences. Pure, and runs under `jit`."""

    def segment(self, data: PyTree, step: Int[Array, ""], size: int) -> Batch:
        """Number `step` of the batches that cut `size` long sequences into pieces: each goes on where the one before
        ended, except at ``resets``. Pure, and runs under `jit`. Only for tasks with `streams`."""
        raise UsageError(f"{type(self).__name__} has no streams; accepted: a task with streams, or stream = False")

    @abc.abstractmethod
    def held_out(self, data: PyTree) -> list[Batch]:
        """The fixed set to evaluate on, in batches of bounded size. The same at every call."""

    @abc.abstractmethod
    def loss(self, outputs: Array, batch: Batch) -> Array:
        """The mean loss of a batch, a scalar, from outputs (T, B, O), or (B, O) when read at the last step."""

    @abc.abstractmethod
    def scores(self, outputs: Array, batch: Batch) -> dict[str, tuple[Array, Array]]:
        """Name -> (sum, count) of a batch; sums and counts add up over batches, and sum / count is the score.
        Holds `metric`. Runs under `jit`."""

    @abc.abstractmethod
    def baselines(self, data: PyTree) -> dict[str, float]:
        """What `metric` is for predictors without memory or training, computed rather than quoted."""


__all__ = ["Batch", "Task"]
