"""ListOps, nested lists of operators and digits that are to be evaluated (Nangia & Bowman 2018). arXiv:1804.06028"""

from typing import Annotated, Any

import jax
import jax.numpy as jnp

from rnnzoo.spec import Range, spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic.classified import Classified
from rnnzoo.typing import Array, Key

DIGITS = 10
MIN, MAX, MED, SUM = range(DIGITS, DIGITS + 4)
CLOSE = DIGITS + 4
NESTED = 0.25  # probability that an argument is a list


@spec
class ListOps(Classified):
    """The value, 0 to 9, of a list: an operator and 2 or more arguments, each a digit or another list.

    x (T, B) tokens: 0..9 digits; 10..13 "[MIN", "[MAX", "[MED" (the median, rounded down) and "[SM" (the sum modulo
    10); 14 "]". y (B,) is read at the last "]", where `lengths` ends. As the authors draw lists (2 to 5 arguments, all
    numbers as likely, a list with probability 1/4), but small: no deeper than `depth`, and in `length` steps. A list
    that would not fit is closed early. Half of all lists have 11 steps or less. Chance is 0.11, the share of the most
    frequent value.
    """

    length: Annotated[int, Range(low=4)] = 64
    """The most steps that a list has, T."""
    depth: Annotated[int, Range(low=1)] = 6
    """The most lists within each other."""
    arguments: Annotated[int, Range(low=2)] = 5
    """The most arguments of an operator."""

    tokens = True
    read = "last"
    input_size = DIGITS + 5
    output_size = DIGITS
    held_out_sequences = 2**11
    scaled = ("length",)

    def draw(self, key: Key, size: int) -> Batch:
        chances = jax.random.uniform(key, (size, self.length, 3), jnp.float32)
        x, y, lengths = jax.vmap(self._list, out_axes=(1, 0, 0))(chances)
        return {"x": x, "y": y, "lengths": lengths}

    def _list(self, chances: Array) -> tuple[Array, Array, Array]:
        """One list from random numbers (T, 3), its value, and its length."""
        first = {
            "level": jnp.int32(0),  # open lists
            "operators": jnp.zeros(self.depth, jnp.int32),
            "counts": jnp.zeros(self.depth, jnp.int32),
            "values": jnp.zeros((self.depth, self.arguments), jnp.int32),
            "needed": jnp.int32(4),  # tokens without which it cannot end
            "value": jnp.int32(0),
        }
        left = jnp.arange(self.length, 0, -1, dtype=jnp.int32)
        last, tokens = jax.lax.scan(self._token, first, (chances, left))
        written = tokens >= 0
        return jnp.where(written, tokens, 0), last["value"], written.sum(dtype=jnp.int32)

    def _token(self, state: dict[str, Array], given: tuple[Array, Array]) -> tuple[dict[str, Array], Array]:
        """One more token, with `left` steps for it and all that follow; -1 after the end."""
        chances, left = given
        level, needed = state["level"], state["needed"]
        top = jnp.maximum(level - 1, 0)
        count = state["counts"][top]
        required = (count < 2).astype(jnp.int32)  # whether the list cannot end without this argument
        starts, ended = level == 0, needed == 0
        full = count == self.arguments
        ends = (count >= 2) & (chances[0] * (self.arguments - count + 1) < 1)  # so that all numbers are as likely
        closes = ~starts & (full | ends | (needed - required + 1 > left))
        fits = needed - required + 4 <= left
        opens = starts | (~closes & (level < self.depth) & fits & (chances[1] < NESTED))
        operator = MIN + jnp.minimum(chances[2] * 4, 3).astype(jnp.int32)
        digit = jnp.minimum(chances[2] * DIGITS, DIGITS - 1).astype(jnp.int32)
        token = jnp.where(closes, CLOSE, jnp.where(opens, operator, digit))
        found = jax.tree.map(
            lambda a, b, c: jnp.where(closes, a, jnp.where(opens, b, c)),
            self._closed(state), self._opened(state, operator), self._with(state, level, digit),
        )  # fmt: skip
        spent = jnp.where(closes, -1, jnp.where(opens, jnp.where(starts, -1, 3 - required), -required))
        found["needed"] = needed + spent
        return jax.tree.map(lambda new, old: jnp.where(ended, old, new), found, state), jnp.where(ended, -1, token)

    def _opened(self, state: dict[str, Array], operator: Array) -> dict[str, Array]:
        level = state["level"]
        return state | {
            "level": level + 1,
            "operators": state["operators"].at[level].set(operator),
            "counts": state["counts"].at[level].set(0),
        }

    def _with(self, state: dict[str, Array], level: Array, value: Array) -> dict[str, Array]:
        """One more argument of the innermost of `level` open lists."""
        top = jnp.maximum(level - 1, 0)
        count = state["counts"][top]
        return state | {
            "counts": state["counts"].at[top].set(count + 1),
            "values": state["values"].at[top, count].set(value),
        }

    def _closed(self, state: dict[str, Array]) -> dict[str, Array]:
        top = jnp.maximum(state["level"] - 1, 0)
        value = _value(state["operators"][top], state["values"][top], state["counts"][top])
        above = jax.tree.map(
            lambda outer, whole: jnp.where(top > 0, outer, whole), self._with(state, top, value), state
        )
        return above | {"level": top, "value": value}


def _value(operator: Array, values: Array, count: Array) -> Array:
    """The value of a list of `count` digits."""
    there = jnp.arange(len(values)) < count
    ordered = jnp.sort(jnp.where(there, values, DIGITS))
    median = (ordered[(count - 1) // 2] + ordered[count // 2]) // 2
    total = jnp.where(there, values, 0).sum() % DIGITS
    largest: Any = ordered[jnp.maximum(count - 1, 0)]
    return jnp.stack([ordered[0], largest, median, total])[jnp.clip(operator - MIN, 0, 3)].astype(jnp.int32)
