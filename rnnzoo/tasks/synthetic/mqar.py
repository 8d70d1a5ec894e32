"""Multi-query associative recall, MQAR: keys and values, then keys alone (Arora et al. 2023). arXiv:2312.04927"""

from typing import Annotated

import jax
import jax.numpy as jnp

from rnnzoo.spec import Positive, Range, Size, UsageError, spec
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.synthetic.classified import Classified
from rnnzoo.typing import Key


@spec
class MQAR(Classified):
    """Pairs of a key and a value; later every key once more, at which its value is to be told.

    x (T, B) tokens of V: 0 a blank, the first half of the alphabet keys, the second half values, both without
    repetition. After the pairs there are (T - 2 pairs) / 2 places for a question, two steps apart; a key comes at the
    g-th of them with a weight of g^(power - 1). y (T, B) counts at the questions. The score is their accuracy, chance
    2/V, and 1/pairs for a network that knows which values there were. The authors' generator, with blanks between
    (its ``random_non_queries=False``); they have T 64 to 512, 4 to 64 pairs, and V = 8192. What is needed is size of
    the state rather than a pattern of U.
    """

    pairs: Size = 4
    """Keys, and values."""
    length: Annotated[int, Range(low=4)] = 24
    """Steps T, an even number, at least four for each pair."""
    alphabet: Annotated[int, Range(low=4)] = 32
    """Tokens V, with more than 2 (pairs + 1) of them."""
    power: Positive = 0.01
    """1: every place is as likely; nearer to 0: more of them are close to the pairs."""

    tokens = True
    held_out_sequences = 2**11
    scaled = ("length",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length % 2 or self.length < 4 * self.pairs:
            accepted = f"an even number, at least 4 pairs = {4 * self.pairs}"
            raise UsageError(f"MQAR.length is {self.length}; accepted: {accepted}")
        if self.alphabet // 2 - 1 < self.pairs:
            raise UsageError(f"MQAR.alphabet is {self.alphabet}; accepted: {2 * self.pairs + 2} or more")

    @property
    def input_size(self) -> int:
        return self.alphabet

    @property
    def output_size(self) -> int:
        return self.alphabet

    def draw(self, key: Key, size: int) -> Batch:
        key_keys, key_values, key_gaps = jax.random.split(key, 3)
        half, shown = self.alphabet // 2, 2 * self.pairs

        def chosen(key: Key, log_weights: jax.Array) -> jax.Array:
            """`pairs` numbers of those that have weights, drawn in turn without repetition: (pairs, B)."""
            drawn = log_weights + jax.random.gumbel(key, (size, len(log_weights)), jnp.float32)
            return jax.lax.top_k(drawn, self.pairs)[1].T.astype(jnp.int32)

        keys = 1 + chosen(key_keys, jnp.zeros(half - 1))
        values = half + chosen(key_values, jnp.zeros(self.alphabet - half))
        places = jnp.arange(1, (self.length - shown) // 2 + 1, dtype=jnp.float32)
        asked = shown + 2 * chosen(key_gaps, (self.power - 1) * jnp.log(places))
        blank, columns = jnp.zeros((self.length, size), jnp.int32), jnp.arange(size)
        x = blank.at[:shown:2].set(keys).at[1:shown:2].set(values)
        return {
            "x": x.at[asked, columns].set(keys),
            "y": blank.at[asked, columns].set(values),
            "mask": blank.astype(bool).at[asked, columns].set(True),
        }

    def baselines(self, data: Data) -> dict[str, float]:
        return super().baselines(data) | {"any_of_the_values": 1 / self.pairs}
