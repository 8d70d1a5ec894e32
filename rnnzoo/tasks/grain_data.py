"""Training batches from a pipeline of grain (`pip install grain`), for data that do not fit the device."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from rnnzoo.spec import UsageError
from rnnzoo.tasks.data import Batch, Batches, HostData, Part


class GrainData(HostData):
    """Data read by pipelines of grain: a `grain.IterDataset` or a `grain.DataLoader` whose elements are batches.

    Args:
        input_size: features of a vector input, or number of tokens.
        output_size: number of outputs.
        train: (size, seed) -> the pipeline of training batches of `size` sequences, which depends on nothing else and
            does not end: ``.shuffle(seed).repeat()`` before ``.batch(size)``.
        held_out: part -> the batches of one pass over it, in the same order each time; a pipeline or any iterable.
        fingerprint: changes whenever a training batch could: a checksum of the files, or their version.
        segments: size -> the pipeline that cuts `size` long sequences into pieces, for a task with streams.
        symbols: the characters that tokens stand for, if they are characters.
        workers: processes that read ahead of training; 0 for none. Pipelines of `DataLoader` have workers of their own.

    Elements have the shapes of a `Batch`, with time first; grain stacks sequences along the first axis, so that a last
    ``.map`` swaps axes. Where a run stops, the state of grain's iterator goes into its checkpoint, and the run goes on
    with the very next batch: batches that workers have read ahead count as not read."""

    def __init__(
        self,
        *,
        input_size: int,
        output_size: int,
        train: Callable[[int, int], Any],
        held_out: Callable[[Part], Iterable[Batch]],
        fingerprint: str,
        segments: Callable[[int], Any] | None = None,
        symbols: str | None = None,
        workers: int = 0,
    ):
        self.input_size, self.output_size, self.symbols = input_size, output_size, symbols
        self._train, self._held_out, self._segments = train, held_out, segments
        self._fingerprint, self._workers = fingerprint, workers

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def held_out(self, part: Part) -> Iterator[Batch]:
        for batch in self._held_out(part):
            yield _arrays(batch)

    def batches(self, size: int, seed: int) -> "GrainBatches":
        return GrainBatches(self._reading(self._train(size, seed)))

    def segments(self, size: int) -> Batches:
        return super().segments(size) if self._segments is None else GrainBatches(self._reading(self._segments(size)))

    def _reading(self, pipeline: Any) -> Any:
        """The pipeline, with its workers."""
        if not self._workers:
            return pipeline
        try:
            import grain
            from absl import flags
        except ImportError as error:
            raise UsageError(f"GrainData.workers needs grain ({error}); install it with: pip install grain") from None
        if not isinstance(pipeline, grain.IterDataset):
            raise UsageError(
                f"GrainData.workers is {self._workers}, and the pipeline is a {type(pipeline).__name__}; accepted: a "
                "grain.IterDataset, or workers = 0"
            )
        if not flags.FLAGS.is_parsed():  # grain's workers ask for flags that only programs on absl parse
            flags.FLAGS.mark_as_parsed()
        return pipeline.mp_prefetch(grain.MultiprocessingOptions(num_workers=self._workers))


class GrainBatches(Batches):
    """One iterator over a pipeline of grain.

    Raises:
        UsageError: the pipeline cannot be stopped and resumed.
    """

    def __init__(self, pipeline: Any):
        self.iterator = iter(pipeline)
        if not (hasattr(self.iterator, "get_state") and hasattr(self.iterator, "set_state")):
            raise UsageError(
                f"the training batches come from a {type(pipeline).__name__}; accepted: a grain.IterDataset (of a "
                "MapDataset, .to_iter_dataset()) or a grain.DataLoader"
            )

    def __next__(self) -> Batch:
        return _arrays(next(self.iterator))

    def state(self) -> Any:
        """Of an `IterDataset`, its state; of a `DataLoader`, which has JSON in bytes, the text of it."""
        found = self.iterator.get_state()
        return found.decode() if isinstance(found, bytes) else json.loads(json.dumps(found))

    def restore(self, state: Any) -> None:
        self.iterator.set_state(state.encode() if isinstance(state, str) else state)


def _arrays(batch: Batch) -> Batch:
    return jax.tree.map(np.asarray, batch)


__all__ = ["GrainBatches", "GrainData"]
