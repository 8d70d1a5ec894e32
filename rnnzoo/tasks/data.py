"""The contract of data: what a task gives once it is opened, in memory or from an iterator on the host."""

import abc
import dataclasses
import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from rnnzoo.integers import check_integers
from rnnzoo.spec import UsageError
from rnnzoo.typing import Array, Int, Key, PyTree

Batch = dict[str, Any]
"""``x``: vectors (T, B, I) in floating point, or tokens (T, B) in int32; ``y``: targets, (T, B, ...) for a task
that is read at each step, (B, ...) for one read at the last. Optionally:

- ``lengths`` (B,) int32: how many steps of a sequence there are;
- ``mask`` (T, B) bool: True at the steps whose targets count, in losses and scores; the network reads all steps;
- ``weight`` (B,): how much each sequence counts in the loss, such as the weight of its class; scores know no weights;
- ``resets`` (T, B) bool, in a stream: True where another sequence begins.

A task may add entries of its own, which its losses and scores read."""

Part = Literal["train", "validation", "test"]
"""Networks are trained on "train" and compared on "validation", which also chooses the best checkpoint. "test" gives
the final score."""


class Data(abc.ABC):
    """The data of an opened task. A subclass is `InMemory` or `HostData`, which say where training batches come from.

    The sizes and `symbols` are attributes or properties. Reading them touches no file: `Task.open` has read it."""

    input_size: int
    """Features I of a vector input, or number of different tokens."""
    output_size: int
    """Number of outputs O."""
    symbols: str | None = None
    """The characters that tokens 0, 1, ... stand for, if tokens are characters; one more token stands for all others.
    Kept with every run and model, since the token numbers mean nothing without them."""

    @property
    @abc.abstractmethod
    def fingerprint(self) -> str:
        """A checksum by which a run recognizes its data. It changes whenever a training batch could."""

    @abc.abstractmethod
    def held_out(self, part: Part) -> Iterator[Batch]:
        """One pass over a fixed set of sequences, in batches of bounded size: the same at every call.

        Each batch is made when it is asked for. Batches of one shape are evaluated by one compiled program."""


class InMemory(Data):
    """Data that fit the device. Training batches are drawn inside the compiled training loop.

    An instance is a frozen dataclass that is hashed and compared without its `arrays`, so that it can be a static
    argument of `jax.jit`: two that are equal share compiled programs. `batch` and `segment` run under `jit`. They are
    pure functions of their arguments, and take arrays from `arrays`, never from `self`."""

    arrays: PyTree
    """All that `batch` and `segment` read, as a pytree; {} where everything is drawn."""

    @property
    def static(self) -> Self:
        """The same data without their arrays, to be passed to `jax.jit`, which keeps its static arguments alive."""
        return dataclasses.replace(self, arrays=None)  # pyright: ignore[reportArgumentType]

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.arrays)

    @abc.abstractmethod
    def batch(self, arrays: PyTree, key: Key, size: int) -> Batch:
        """A random training batch of `size` sequences."""

    def segment(self, arrays: PyTree, step: Int[Array, ""], size: int) -> Batch:
        """Batch number `step` of those that cut `size` long sequences into pieces. Each piece goes on where the one
        before it ended, except at ``resets``. Only for tasks with `streams`."""
        raise UsageError(f"{type(self).__name__} has no streams; accepted: a task with streams, or stream = False")


class Batches(Iterator[Batch]):
    """An iterator over training batches that can be stopped and resumed. It never ends.

    Batches hold numpy arrays, and all have the same shapes. The training loop takes one batch for each update, and
    writes `state()` into every checkpoint."""

    @abc.abstractmethod
    def state(self) -> Any:
        """Where the iterator is: a JSON value from which `restore` continues with the very next batch. Batches that
        were read ahead, and not yet returned, count as not read."""

    @abc.abstractmethod
    def restore(self, state: Any) -> None:
        """Go to the place that `state` described, in an iterator opened with the same size and seed."""


class HostData(Data):
    """Data that do not fit the device: an iterator on the host feeds one update after another."""

    @abc.abstractmethod
    def batches(self, size: int, seed: int) -> Batches:
        """Random training batches of `size` sequences, from the beginning. The order depends on the seed alone."""

    def segments(self, size: int) -> Batches:
        """The batches that cut `size` long sequences into pieces; see `InMemory.segment`."""
        raise UsageError(f"{type(self).__name__} has no streams; accepted: a task with streams, or stream = False")


def check_batch(batch: Batch, input_size: int, tokens: bool) -> None:
    """Raise `UsageError` for lengths outside 0 to T, and with `tokens` for an x that is not below `input_size`. Past
    a sequence's length it may hold any integers."""
    x, lengths, where = batch["x"], batch.get("lengths"), None
    if lengths is not None:
        check_integers("lengths of a batch", lengths, 0, x.shape[0])
        where = np.arange(x.shape[0])[:, None] < np.asarray(lengths)
    if tokens:
        check_integers("x of a batch", x, 0, input_size - 1, where)


# ---- labelled sequences in memory ------------------------------------------------------------------------

STEPS_PER_BATCH = 2**17  # T * B of one held-out batch: bounds the memory of an evaluation


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sequences(InMemory):
    """Labelled sequences as arrays, each part ``{"x": (N, T, ...), "y": ...}``, with ``lengths`` (N,) if they differ.

    y is (N, T, ...) for a task that is read at each step, (N, ...) for one read at the last. ``mask`` (N, T) and
    ``weight`` (N,) are as in `Batch`, and so are other entries (N, ...).

    A compiled training step takes batches of one shape: those of training have all T steps, however short the sequences
    are, or, with a `window`, as many steps as that. Held-out sequences of different lengths are evaluated whole, in
    batches of similar length, each cut at a power of two: about log2(T) shapes at most, instead of T steps for all."""

    input_size: int
    output_size: int
    read: Literal["each", "last"] = "each"
    arrays: dict[str, dict[str, Array]] = dataclasses.field(compare=False, repr=False)
    checksum: str = dataclasses.field(default="", compare=False, repr=False)
    """The fingerprint; "" for that of the arrays."""
    window: int = 0
    """Steps of a training batch: a random stretch of each longer sequence. 0 for the whole sequences. One that is read
    at the last step keeps its target, so that a window has to show it."""

    time_major: ClassVar = {"each": ("x", "y", "mask"), "last": ("x", "mask")}  # by `read`: what has an axis T

    def __post_init__(self) -> None:
        """Check what `batch` would clamp without a word; nothing where the arrays are left out or being traced."""
        for name, part in (self.arrays or {}).items():
            if np.issubdtype(part["x"].dtype, np.integer) and part["x"].ndim == 2:
                check_integers(f"x of the {name} part", part["x"], 0, self.input_size - 1, _counted(part))
            if "lengths" in part:
                check_integers(f"lengths of the {name} part", part["lengths"], 0, part["x"].shape[1])
            if "weight" in part and not isinstance(part["weight"], Tracer):
                weight = np.asarray(part["weight"])
                if not (np.isfinite(weight) & (weight >= 0)).all():
                    raise UsageError(
                        f"weight of the {name} part has {weight.min()}; accepted: finite numbers from 0 on"
                    )

    @property
    def fingerprint(self) -> str:
        return self.checksum or super().fingerprint

    def batch(self, arrays: PyTree, key: Key, size: int) -> Batch:
        train = arrays["train"]
        chosen = jax.random.randint(key, (size,), 0, len(train["x"]), "int32")
        batch = self._picked(train, chosen)
        return self._cut(batch, jax.random.fold_in(key, 1)) if 0 < self.window < train["x"].shape[1] else batch

    def _cut(self, batch: Batch, key: Key) -> Batch:
        """A random window of each sequence."""
        time, size = batch["x"].shape[:2]
        lengths = batch.get("lengths", jnp.full(size, time, jnp.int32))
        starts = jax.random.randint(key, (size,), 0, jnp.maximum(lengths - self.window, 0) + 1, jnp.int32)
        rows = starts + jnp.arange(self.window)[:, None]
        cut = {name: batch[name][rows, jnp.arange(size)] for name in self._timed(batch)}
        if "lengths" in batch:
            cut["lengths"] = jnp.minimum(lengths - starts, self.window)
        return batch | cut

    def held_out(self, part: Part) -> Iterator[Batch]:
        # On the host: each of the shapes would be some programs more on the device.
        arrays = {name: np.asarray(a) for name, a in self.arrays[part].items()}
        time = arrays["x"].shape[1]
        for steps, rows in _buckets(arrays["lengths"], time) if "lengths" in arrays else _whole(arrays):
            size = max(1, STEPS_PER_BATCH // steps)
            for some in np.array_split(rows, -(-len(rows) // size)):
                yield {name: jnp.asarray(a) for name, a in self._picked(arrays, some, steps).items()}

    def _picked(self, part: dict[str, Any], rows: Any, steps: int | None = None) -> Batch:
        """These sequences, the first `steps` of each (None: all)."""
        timed = self._timed(part)
        return {name: a[rows].swapaxes(0, 1)[:steps] if name in timed else a[rows] for name, a in part.items()}

    def _timed(self, part: dict[str, Any]) -> list[str]:
        """What has an axis of time."""
        return [name for name in self.time_major[self.read] if name in part]


def _whole(part: dict[str, Any]) -> Iterator[tuple[int, np.ndarray]]:
    """All T steps of all N sequences."""
    number, time = part["x"].shape[:2]
    yield time, np.arange(number)


def _buckets(lengths: np.ndarray, time: int) -> Iterator[tuple[int, np.ndarray]]:
    """Numbers of steps, powers of two below T, and T; each with the sequences (N,) that it holds and the one before
    does not."""
    powers = 2 ** np.ceil(np.log2(np.maximum(lengths, 1))).astype(np.int64)
    steps = np.minimum(powers, time)
    for number in np.unique(steps):
        yield int(number), np.flatnonzero(steps == number)


def _counted(part: dict[str, Any]) -> Any:
    """Which steps of sequences (N, T, ...) count; None for all."""
    if "lengths" not in part:
        return None
    x = part["x"]
    return np.arange(x.shape[1]) < np.asarray(part["lengths"])[:, None]


def fingerprint_of(arrays: PyTree) -> str:
    """SHA-256 of all arrays: values, shapes and dtypes."""
    digest = hashlib.sha256()
    for leaf in map(np.asarray, jax.tree.leaves(arrays)):
        digest.update(f"{leaf.shape} {leaf.dtype}".encode())
        digest.update(leaf.tobytes())
    return digest.hexdigest()


__all__ = ["Batch", "Batches", "Data", "HostData", "InMemory", "Part", "Sequences", "check_batch", "fingerprint_of"]
