"""What counting n-grams achieves on a text, in bits per character (Witten & Bell 1991, interpolated)."""

import numpy as np


def ngram_bits(train: np.ndarray, test: np.ndarray, symbols: int, order: int) -> list[float]:
    """Bits per character of the n-grams of order 1..order, counted in `train`, on test[1:]; test[0] is context.

        P(s | context) = (c(context s) + kinds(context) P(s | shorter context)) / (c(context) + kinds(context))

    with kinds(context) the number of different symbols seen after it, and 1 / symbols below order 1. A context
    that was never seen, or that begins before the text, leaves the shorter one's probability.
    """
    p = np.full(len(test), 1 / symbols)
    bits = []
    for n in range(1, order + 1):
        grams, gram_counts = np.unique(_codes(train, n, symbols), return_counts=True)
        contexts, first, kinds = np.unique(grams // symbols, return_index=True, return_counts=True)
        context_counts = np.add.reduceat(gram_counts, first)
        seen = _codes(test, n, symbols)
        c_gram = _look_up(grams, gram_counts, seen)
        c_context, k = (_look_up(contexts, of, seen // symbols) for of in (context_counts, kinds))
        shorter = p[n - 1 :]
        p[n - 1 :] = np.where(c_context > 0, (c_gram + k * shorter) / np.maximum(c_context + k, 1), shorter)
        bits.append(float(-np.log2(p[1:]).mean()))
    return bits


def _codes(tokens: np.ndarray, n: int, symbols: int) -> np.ndarray:
    """The n-gram that ends at each token from the n-th on, as one number in base `symbols`."""
    size = max(0, len(tokens) - n + 1)
    code = np.zeros(size, np.int64)
    for offset in range(n):
        code = code * symbols + tokens[offset : offset + size]
    return code


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The value of each wanted key, 0 where there is none; `keys` are in order."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0)
