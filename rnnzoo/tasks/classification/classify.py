"""Classification of sequences: the task, how sequences are split, and how they become arrays."""

import abc
import dataclasses
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Count, Fraction, Seed, UsageError, spec
from rnnzoo.tasks.classes import Classification
from rnnzoo.tasks.data import Data, Part, Sequences, fingerprint_of
from rnnzoo.tasks.scale import Scale
from rnnzoo.typing import Array, Float, Int

PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True, eq=False)
class Labelled:
    """Sequences with their classes."""

    name: str
    x: Float[np.ndarray, "N T I"]
    """Past a sequence's length, anything."""
    y: Int[np.ndarray, " N"]
    """The place of each class among the names."""
    lengths: Int[np.ndarray, " N"]
    classes: tuple[str, ...]
    """The names, in the order of the outputs."""
    parts: dict[Part, Int[np.ndarray, " n"]] | None = None
    """The sequences of each part, if they come split."""


@spec
class Classify(Classification):
    """The class of a sequence, read at its last step: x (T, B, I), y (B,).

    Features are standardized by the mean and the standard deviation of the training part. Sequences that come without a
    split are shuffled with a fixed seed and split class by class, so that each part has all classes in proportion; a
    class of one sequence is for training, one of two for training and testing. The baselines are the most frequent
    class of the training part, and linear least squares on a sequence's means and standard deviations over time."""

    class_weights: Literal["none", "balanced"] = "none"
    """How much sequences count in the loss: all the same, or in inverse proportion to the frequency of their class."""
    window: Count = 0
    """Train on random windows of so many steps of longer sequences; 0 for whole ones."""
    train: Fraction = 0.7
    """Part of each class for training, where the data come without a split."""
    validation: Fraction = 0.15
    """Part of each class for validation; the others are for testing."""
    split_seed: Seed = 0
    """Seed of the split."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.train + self.validation >= 1 or not self.train:
            raise UsageError(
                f"{type(self).__name__}.train is {self.train} and validation {self.validation}; accepted: train above "
                "0, and together less than 1"
            )

    @abc.abstractmethod
    def labelled(self) -> Labelled:
        """All sequences."""

    def open(self) -> Sequences:
        found = self.labelled()
        if len(found.classes) < 2:
            raise UsageError(
                f"{type(self).__name__}: {found.name} has one class only, {found.classes}; accepted: two or more"
            )
        parts = found.parts or stratified(found.y, self.train, self.validation, self.split_seed)
        for part in PARTS:
            if not len(parts[part]):
                raise UsageError(
                    f"{type(self).__name__}: the {len(found.y)} sequences of {found.name} leave none for the {part} "
                    "part; accepted: three or more of some class"
                )
        there = np.arange(found.x.shape[1]) < found.lengths[:, None]
        scale = Scale.of(found.x[parts["train"]][there[parts["train"]]])
        x = np.where(there[..., None], scale(found.x), 0)
        arrays = {part: self._part(x, found, rows, bool(there.all())) for part, rows in parts.items()}
        if self.class_weights == "balanced":
            arrays["train"]["weight"] = jnp.asarray(balanced(found.y[parts["train"]]), jnp.result_type(float))
        names = np.frombuffer("\0".join(found.classes).encode(), np.uint8)
        return Sequences(
            input_size=x.shape[2],
            output_size=len(found.classes),
            read="last",
            window=self.window,
            arrays=arrays,
            checksum=fingerprint_of((arrays, names)),
        )

    def _part(self, x: np.ndarray, found: Labelled, rows: np.ndarray, full: bool) -> dict[str, Array]:
        part = {"x": jnp.asarray(x[rows], jnp.result_type(float)), "y": jnp.asarray(found.y[rows], jnp.int32)}
        return part if full else part | {"lengths": jnp.asarray(found.lengths[rows], jnp.int32)}

    def baselines(self, data: Data) -> dict[str, float]:
        assert isinstance(data, Sequences)
        (x, y), (x_test, y_test) = (_summaries(data.arrays[part]) for part in ("train", "test"))
        one_hot = np.eye(data.output_size)[y]
        linear = np.linalg.lstsq(x, one_hot, rcond=None)[0]
        guesses = {"majority": one_hot.sum(0).argmax(), "least_squares": (x_test @ linear).argmax(1)}
        return {name: float((guess == y_test).mean()) for name, guess in guesses.items()}


def stratified(y: Int[np.ndarray, " N"], train: float, validation: float, seed: int) -> dict[Part, np.ndarray]:
    """The sequences of each part, in order. RandomState: its sequence is frozen by numpy's policy."""
    random = np.random.RandomState(seed)
    parts: dict[Part, list[np.ndarray]] = {part: [] for part in PARTS}
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        rows, number = rows[random.permutation(len(rows))], len(rows)
        test = min(max(1, round(number * (1 - train - validation))), number - 1)
        held = min(max(1, round(number * validation)), number - 1 - test) if validation else 0
        ends = (0, test, test + held, number)
        for part, begin, end in zip(reversed(PARTS), ends[:-1], ends[1:], strict=True):
            parts[part].append(rows[begin:end])
    return {part: np.sort(np.concatenate(rows)) for part, rows in parts.items()}


def balanced(y: Int[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """A weight for each sequence, in inverse proportion to how many have its class; 1 on average."""
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    return (len(y) / (len(counts) * counts))[inverse]


def _summaries(part: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation over time of each feature, and 1: (N, 2 I + 1); and the classes (N,)."""
    x, y = np.asarray(part["x"], np.float64), np.asarray(part["y"])
    lengths = np.asarray(part.get("lengths", np.full(len(x), x.shape[1])))
    there = (np.arange(x.shape[1]) < lengths[:, None])[..., None]
    number = np.maximum(lengths, 1)[:, None]
    mean = (x * there).sum(1) / number
    std = np.sqrt((((x - mean[:, None]) * there) ** 2).sum(1) / number)
    return np.concatenate([mean, std, np.ones((len(x), 1))], axis=1), y


def classes_of(labels: np.ndarray | list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the classes and the place (N,) of each label among them: in the order of numbers if they all are
    numbers, else in that of code points."""
    texts = [str(label) for label in labels]
    names = sorted(set(texts))
    try:
        names.sort(key=float)
    except ValueError:
        names.sort()
    places = {name: place for place, name in enumerate(names)}
    return tuple(names), np.array([places[text] for text in texts], np.int64)


__all__ = ["Classify", "Labelled", "balanced", "classes_of", "stratified"]
