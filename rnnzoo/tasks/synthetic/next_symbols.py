"""What synthetic tasks share that ask which symbols may come next."""

from typing import ClassVar, Literal

import jax
import numpy as np

from rnnzoo.spec import spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.synthetic.drawn import Synthetic
from rnnzoo.typing import Array, Float


@spec
class NextSymbols(Synthetic):
    """After each symbol of a string, the set of those that may follow: y (T, B, K) int32 in {0, 1}, K logits a step.

    A step is right if the whole set is (Gers & Schmidhuber 2001). The loss is the binary cross-entropy, a mean over
    symbols and steps. The baseline knows the current symbol alone: for each, it gives what the test set favours."""

    metric = "wrong_sequences"
    better: ClassVar[Literal["lower", "higher"]] = "lower"
    loss_unit = "nats"
    tokens = True
    solved_at = 0.05

    def loss(self, outputs: Float[Array, "T B K"], batch: Batch) -> Array:
        return measures.loss(measures.binary_cross_entropy(outputs, batch["y"]).mean(-1), batch)

    def scores(self, outputs: Float[Array, "T B K"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        hits, where = measures.bit_hits(outputs, batch["y"]).all(-1), measures.counted(batch)
        return {
            "wrong_sequences": measures.sequence_errors(hits, where),
            "step_error": measures.total(~hits, where),
        }

    def baselines(self, data: Data) -> dict[str, float]:
        test = [jax.tree.map(np.asarray, b | {"where": measures.counted(b)}) for b in data.held_out("test")]
        x, y, where = (np.concatenate([b[name] for b in test], axis=1) for name in ("x", "y", "where"))
        favoured = np.zeros((self.input_size, self.output_size), bool)
        for symbol in range(self.input_size):
            found = y[where & (x == symbol)]
            favoured[symbol] = found.mean(0) > 0.5 if len(found) else False
        hits = (favoured[x] == y).all(-1)
        return {"memoryless": float((~hits & where).any(0).mean())}


__all__ = ["NextSymbols"]
