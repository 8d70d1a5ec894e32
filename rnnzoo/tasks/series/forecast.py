"""Forecasting of a series: the task, and its data in memory."""

import abc
import dataclasses
import itertools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Count, Fraction, Size, UsageError, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import STEPS_PER_BATCH, Batch, Data, InMemory, Part
from rnnzoo.tasks.scale import Scale
from rnnzoo.typing import Array, Bool, Float, Int, Key, PyTree

PARTS: tuple[Part, ...] = ("train", "validation", "test")
LAGS = 20  # of the autoregression that is a baseline, at most


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """A series: N rows in the order of time."""

    name: str
    x: Float[np.ndarray, "N I"]
    """What is read."""
    y: Float[np.ndarray, "N K"]
    """What is to be predicted."""
    counts: Bool[np.ndarray, " N"]
    """Whether a row's y is known, so that a prediction of it counts."""


@spec
class Forecast(Task):
    """Predict the targets `horizon` rows later, at each step: x (T, B, I), y (T, B, K).

    The rows are split in the order of time. x and y are standardized by the mean and the standard deviation of the
    training part. Training batches are random windows of `window` rows. A held-out part is read in windows too, each
    from a fresh state; every target in it is predicted exactly once. Of each window, the first `warmup` steps only give
    the network something to remember: their predictions do not count. For that, the first held-out windows begin in the
    part before.

    mse and mae are in units of the training part's standard deviation, and nrmse, the root of nmse, in units of the
    standard deviation of the part that is judged. The baselines are persistence, the value of now, and a linear
    autoregression on the last 20 values of all targets, fitted by least squares; in nrmse."""

    horizon: Size = 1
    """How many rows ahead."""
    window: Size = 64
    """Rows in a window."""
    warmup: Count = 0
    """Steps at the beginning of each window whose predictions do not count."""
    train: Fraction = 0.7
    """Part of the rows for training, the first ones."""
    validation: Fraction = 0.15
    """Part of the rows for validation, the next ones; the others are for testing."""

    metric = "nrmse"
    better = "lower"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup >= self.window:
            raise UsageError(
                f"{type(self).__name__}.warmup is {self.warmup}; accepted: less than the window of {self.window} rows"
            )

    @abc.abstractmethod
    def table(self, rows: float) -> Table:
        """The whole series. What is filled in may be computed from the first `rows` (a part of all) alone."""

    def open(self) -> "Series":
        table = self.table(self.train)
        number = len(table.x)
        cuts = (0, int(number * self.train), int(number * (self.train + self.validation) + 1e-9), number)
        self._check(table, cuts)
        x, y = (Scale.of(values[: cuts[1]])(values) for values in (table.x, table.y))
        variance = np.stack([_variance(y[a:b], table.counts[a:b]) for a, b in itertools.pairwise(cuts)])
        if not (variance > 0).all():
            part, column = np.argwhere(variance <= 0)[0]
            raise UsageError(
                f"{type(self).__name__}: {table.name} has a target (number {column + 1}) that does not change in the "
                f"{PARTS[part]} part, rows {cuts[part] + 1} to {cuts[part + 1]}; accepted: other parts, or a "
                "target that changes"
            )
        dtype = jnp.result_type(float)
        return Series(
            input_size=x.shape[1],
            output_size=y.shape[1],
            window=self.window,
            warmup=self.warmup,
            horizon=self.horizon,
            cuts=cuts,
            arrays={
                "x": jnp.asarray(x, dtype),
                "y": jnp.asarray(y, dtype),
                "counts": jnp.asarray(table.counts),
                "variance": jnp.asarray(variance, dtype),
            },
        )

    def _check(self, table: Table, cuts: tuple[int, ...]) -> None:
        sizes = [b - a for a, b in itertools.pairwise(cuts)]
        for part, size, needed in zip(PARTS, sizes, (self.window + self.horizon, 2, 2), strict=True):
            if size < needed:
                raise UsageError(
                    f"{type(self).__name__}: {table.name} has {cuts[-1]} rows, of which the {part} part gets {size}; "
                    f"accepted: at least {needed} (window={self.window} and horizon={self.horizon})"
                )

    def loss(self, outputs: Float[Array, "T B K"], batch: Batch) -> Array:
        return measures.loss(((measures.wide(outputs) - batch["y"]) ** 2).mean(-1), batch)

    def scores(self, outputs: Float[Array, "T B K"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        error, where = measures.wide(outputs) - batch["y"], measures.counted(batch)
        return {
            "mse": measures.total((error**2).mean(-1), where),
            "mae": measures.total(abs(error).mean(-1), where),
            "nmse": measures.total((error**2 / batch["variance"]).mean(-1), where),
        }

    def derived(self, scores: dict[str, float]) -> dict[str, float]:
        return {"nrmse": float(np.sqrt(scores["nmse"]))}

    def baselines(self, data: Data) -> dict[str, float]:
        assert isinstance(data, Series)
        y, counts = (np.asarray(data.arrays[name]) for name in ("y", "counts"))
        y, targets = y.astype(np.float64), np.arange(data.cuts[2], data.cuts[3])
        right, counts = y[targets], counts[targets]
        guesses = {"persistence": y[targets - data.horizon], "autoregression": _autoregression(y, data, targets)}
        variance = np.asarray(data.arrays["variance"], np.float64)[2]
        errors = {name: ((guess - right) ** 2 / variance).mean(-1)[counts] for name, guess in guesses.items()}
        return {name: float(np.sqrt(error.mean())) for name, error in errors.items()}


def _variance(y: Float[np.ndarray, "N K"], counts: Bool[np.ndarray, " N"]) -> Float[np.ndarray, " K"]:
    return y[counts].var(0) if counts.any() else np.zeros(y.shape[1])


def _autoregression(y: np.ndarray, data: "Series", targets: np.ndarray) -> np.ndarray:
    """What a linear map of the last values, fitted to the training part, predicts of these rows."""
    lags = max(1, min(LAGS, (data.cuts[1] - data.horizon) // 2))
    back = data.horizon + np.arange(lags)

    def features(rows: np.ndarray) -> np.ndarray:
        return np.concatenate([y[rows[:, None] - back].reshape(len(rows), -1), np.ones((len(rows), 1))], axis=1)

    fitted = np.arange(back[-1], data.cuts[1])
    return features(targets) @ np.linalg.lstsq(features(fitted), y[fitted], rcond=None)[0]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Series(InMemory):
    """A standardized series, cut into windows. ``arrays``: x (N, I), y (N, K) of the same row, counts (N,), and the
    variance (3, K) of y in each part."""

    input_size: int
    output_size: int
    window: int
    warmup: int
    horizon: int
    cuts: tuple[int, ...]
    """The rows at which the parts begin, and the number of rows."""
    arrays: dict[str, Array] = dataclasses.field(compare=False, repr=False)

    def batch(self, arrays: PyTree, key: Key, size: int) -> Batch:
        starts = jax.random.randint(key, (size,), 0, self.cuts[1] - self.window - self.horizon + 1, jnp.int32)
        return self._windows(arrays, starts, 0, self.cuts[1])

    def held_out(self, part: Part) -> Iterator[Batch]:
        number = PARTS.index(part)
        begin, end = self.cuts[number], self.cuts[number + 1]
        first = max(0, begin - self.horizon - self.warmup)  # where the first window starts
        scored = self.window - self.warmup
        starts = np.arange(first, end - self.horizon - self.warmup, scored)
        for some in np.array_split(starts, -(-len(starts) // max(1, STEPS_PER_BATCH // self.window))):
            yield self._windows(self.arrays, jnp.asarray(some, jnp.int32), number, end)

    def _windows(self, arrays: PyTree, starts: Int[Array, " B"], part: int, end: int) -> Batch:
        """Windows of rows from `starts` on. Targets from `end` on do not count."""
        steps = jnp.arange(self.window)[:, None]
        rows = starts + steps
        targets = rows + self.horizon
        mask = (steps >= self.warmup) & (targets < end)
        rows, targets = (jnp.minimum(r, self.cuts[-1] - 1) for r in (rows, targets))
        variance = jnp.broadcast_to(arrays["variance"][part], (len(starts), self.output_size))
        mask &= arrays["counts"][targets]
        return {"x": arrays["x"][rows], "y": arrays["y"][targets], "mask": mask, "variance": variance}


__all__ = ["Forecast", "Series", "Table"]
