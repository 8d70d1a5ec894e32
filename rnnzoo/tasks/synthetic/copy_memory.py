"""Copy memory: hold a string of symbols over a delay (Hochreiter & Schmidhuber 1997; Arjovsky, arXiv:1511.06464)."""

import dataclasses

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.synthetic.drawn import Synthetic
from rnnzoo.typing import Array, Float, Key


@spec
class CopyMemory(Synthetic):
    """S random symbols, `delay` - 1 blanks, one "go", S blanks; answer blanks, then the S symbols in order.

    x (T, B) tokens: 0 blank, 1..K symbols, K + 1 "go"; y (T, B) in 0..K; T = delay + 2 S. The loss is the
    cross-entropy over all T steps; a predictor without memory gets S ln(K) / T, which the score `cross_entropy`
    (nats per step) can be held against. `recall` is the accuracy over the last S steps alone; its baseline
    guesses the symbol.
    """

    delay: Size = 30
    """Steps from the last symbol to the "go", which counts as one of them."""
    symbols: Size = 10
    """Symbols to remember, S."""
    alphabet: Size = 8
    """Different symbols, K."""

    metric = "recall"
    better = "higher"
    loss_unit = "nats"
    tokens = True

    @property
    def input_size(self) -> int:
        return self.alphabet + 2

    @property
    def output_size(self) -> int:
        return self.alphabet + 1

    held_out_sequences = 2**10
    solved_at = 0.99

    def longer(self, times: int) -> "CopyMemory":
        """The same string, over a longer delay."""
        return dataclasses.replace(self, delay=times * (self.delay + 2 * self.symbols) - 2 * self.symbols)

    def draw(self, key: Key, size: int) -> Batch:
        string = jax.random.randint(key, (self.symbols, size), 1, self.alphabet + 1, jnp.int32)
        blanks = jnp.zeros((self.delay + self.symbols, size), jnp.int32)
        x = jnp.concatenate([string, blanks]).at[self.symbols + self.delay - 1].set(self.alphabet + 1)
        return {"x": x, "y": jnp.concatenate([blanks, string])}

    def loss(self, outputs: Float[Array, "T B K"], batch: Batch) -> Array:
        return measures.loss(measures.cross_entropy(outputs, batch["y"]), batch)

    def scores(self, outputs: Float[Array, "T B K"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        hits = measures.class_hits(outputs, batch["y"])
        return {
            "recall": measures.total(hits[-self.symbols :]),
            "cross_entropy": measures.total(measures.cross_entropy(outputs, batch["y"])),
        }

    def baselines(self, data: Data) -> dict[str, float]:
        return {"chance": 1 / self.alphabet}
