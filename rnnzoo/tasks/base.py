"""The contract of a task: what is to be learned, and how predictions are judged."""

import abc
from typing import ClassVar, Literal

from rnnzoo.spec import Spec, spec
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.typing import Array


@spec
class Task(Spec, abc.ABC, kind="tasks"):
    """Labelled sequences, with a loss and scores. The sequences come from the `Data` that `open` returns.

    A task itself touches no file: its attributes and properties depend on its fields alone."""

    metric: ClassVar[str]  # the headline: a key of `scores`, or of `derived`
    better: ClassVar[Literal["lower", "higher"]]
    tokens: ClassVar[bool] = False  # whether x holds token numbers rather than vectors
    read: ClassVar[Literal["each", "last"]] = "each"  # whether a prediction is made at each step or at the last
    streams: ClassVar[bool] = False  # whether there are sequences to read piece by piece, with `segment`
    loss_unit: ClassVar[str] = ""
    """The unit of `loss`, such as "nats" for a cross-entropy; "" for none."""
    solved_at: ClassVar[float | None] = None
    """The value of `metric` at which the task counts as solved, if it has one."""
    needs_files: ClassVar[bool] = False
    """Whether `open` needs files that come with no package; see `rnnzoo.tasks.files`."""

    @abc.abstractmethod
    def open(self) -> Data:
        """Read and check the data, once; raises `UsageError` naming file and place."""

    def differs(self, other: "Task") -> str | None:
        """Why a network trained on this task cannot be judged on `other`; None if it can.

        Different sizes and characters are found by comparing the data."""
        if type(other) is type(self):
            return None
        return f"it was trained on {type(self).__name__}, not on {type(other).__name__}"

    def longer(self, times: int) -> "Task | None":
        """This task with held-out sequences `times` as long as the longest that it trains on (1 included), to judge the
        same network on; None for a task whose sequences have the length they have."""
        return None

    @abc.abstractmethod
    def loss(self, outputs: Array, batch: Batch) -> Array:
        """The mean loss of a batch, a scalar, from outputs (T, B, O), or (B, O) when read at the last step."""

    @abc.abstractmethod
    def scores(self, outputs: Array, batch: Batch) -> dict[str, tuple[Array, Array]]:
        """Name -> (sum, count) of a batch; sums and counts add up over batches, and sum / count is the score.
        Holds `metric`, unless `derived` does. Runs under `jit`."""

    def derived(self, scores: dict[str, float]) -> dict[str, float]:
        """Name -> score, of those that are no means but follow from means over all batches, which `scores` has: a root
        of a mean square, a perplexity."""
        return {}

    @abc.abstractmethod
    def baselines(self, data: Data) -> dict[str, float]:
        """What predictors without memory or training reach in `metric` on the test part, computed rather than
        quoted. `data` is what `open` has returned."""


__all__ = ["Batch", "Data", "Task"]
