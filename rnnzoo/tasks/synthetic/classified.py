"""What synthetic tasks share whose answers are classes."""

from typing import ClassVar, Literal

import numpy as np

from rnnzoo.spec import spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.synthetic.drawn import Synthetic
from rnnzoo.typing import Array, Float


@spec
class Classified(Synthetic):
    """y holds classes, (T, B) or (B,) int32. One logit for each; or a single one, > 0 for the second of two.

    The loss is the mean cross-entropy. The baseline always gives the most frequent class of the test set."""

    metric = "accuracy"
    better: ClassVar[Literal["lower", "higher"]] = "higher"
    loss_unit = "nats"
    solved_at = 0.99

    def loss(self, outputs: Float[Array, "... K"], batch: Batch) -> Array:
        return measures.loss(self._losses(outputs, batch), batch)

    def scores(self, outputs: Float[Array, "... K"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        hits, losses = self._hits(outputs, batch), self._losses(outputs, batch)
        if self.read == "last":
            return {"accuracy": measures.total(hits), "cross_entropy": measures.total(losses)}
        where = measures.counted(batch)
        return {
            "accuracy": measures.total(hits, where),
            "wrong_sequences": measures.sequence_errors(hits, where),
            "cross_entropy": measures.total(losses, where),
        }

    def baselines(self, data: Data) -> dict[str, float]:
        test = list(data.held_out("test"))
        y = np.concatenate([b["y"] for b in test], axis=-1)
        shown = [np.ones(b["y"].shape, bool) if self.read == "last" else measures.counted(b) for b in test]
        where = np.concatenate(shown, axis=-1)
        hits = y == np.bincount(y[where]).argmax()
        if self.metric == "wrong_sequences":
            return {"majority": float((~hits & where).any(0).mean())}
        return {"majority": float(hits[where].mean())}

    def _losses(self, outputs: Array, batch: Batch) -> Array:
        if self.output_size == 1:
            return measures.binary_cross_entropy(outputs[..., 0], batch["y"])
        return measures.cross_entropy(outputs, batch["y"])

    def _hits(self, outputs: Array, batch: Batch) -> Array:
        if self.output_size == 1:
            return measures.bit_hits(outputs[..., 0], batch["y"])
        return measures.class_hits(outputs, batch["y"])


__all__ = ["Classified"]
