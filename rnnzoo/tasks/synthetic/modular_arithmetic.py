"""Modular arithmetic without brackets, a regular language (Deletang et al. 2023). arXiv:2207.02098"""

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.tasks.synthetic.labelled_strings import LabelledStrings
from rnnzoo.tasks.synthetic.varied_lengths import before
from rnnzoo.typing import Array, Int, Key

MODULUS = 5
PLUS, MINUS, TIMES = range(MODULUS, MODULUS + 3)


@spec
class ModularArithmetic(LabelledStrings):
    """The value modulo 5 of digits 0 to 4 with +, - and * between them, all as likely; * binds closer.

    Symbols 0 to 4 are the digits, 5, 6, 7 are +, - and *. A string has an odd length: an even one that is drawn loses
    its last symbol. (The authors' alphabet has one more symbol, which no string has.) Chance 1/5."""

    symbols = MODULUS + 3
    output_size = MODULUS

    def admitted(self, lengths: Int[Array, " B"]) -> Int[Array, " B"]:
        return lengths - 1 + lengths % 2

    def strings(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> tuple[Array, Array]:
        key_digits, key_operators = jax.random.split(key)
        size, number = len(lengths), (longest - 1) // 2
        digits = jax.random.randint(key_digits, (number + 1, size), 0, MODULUS, jnp.int32)
        operators = jax.random.randint(key_operators, (number, size), PLUS, TIMES + 1, jnp.int32)
        symbols = jnp.zeros((longest, size), jnp.int32).at[::2].set(digits).at[1 : 2 * number : 2].set(operators)
        used = before(lengths, longest)[2::2]
        pairs = (jnp.where(used, operators, PLUS), jnp.where(used, digits[1:], 0))
        (total, term), _ = jax.lax.scan(_operation, (jnp.zeros(size, jnp.int32), digits[0]), pairs)
        return symbols, (total + term) % MODULUS


def _operation(carry: tuple[Array, Array], pair: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
    """Read one operator and the digit after it: the sum of the finished terms, and the term that grows."""
    (total, term), (operator, digit) = carry, pair
    grows = operator == TIMES
    total = jnp.where(grows, total, total + term) % MODULUS
    started = jnp.where(operator == MINUS, -digit, digit)
    return (total, jnp.where(grows, term * digit, started) % MODULUS), None
