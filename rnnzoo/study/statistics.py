"""Differences between rows with their uncertainty: paired bootstrap over seeds, Fisher's exact test, Holm's correction.

The same seed means the same batches in the same order for every structure, so differences are paired by seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

RESAMPLES = 10_000
Verdict = Literal["more", "less", "no difference", "undecided"]


def interval(a: Sequence[float], b: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of median(a) - median(b), from resampled pairs (percentile bootstrap, Efron 1979).

    Args:
        a: scores (N,), one for each seed.
        b: scores (N,) of the same seeds, in the same order.
        seed: selects the resamples.
    """
    first, second = np.asarray(a, float), np.asarray(b, float)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"interval: {first.shape} and {second.shape} scores; accepted: as many, of the same seeds")
    rows = np.random.default_rng(seed).integers(0, len(first), (RESAMPLES, len(first)))
    differences = np.median(first[rows], 1) - np.median(second[rows], 1)
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


def verdict(low: float, high: float, margin: float) -> Verdict:
    """What an interval of a difference says: that it is not 0; that it is smaller than the margin; or neither."""
    if low > 0 or high < 0:
        return "more" if low > 0 else "less"
    return "no difference" if -margin <= low and high <= margin else "undecided"


def fisher(solved_a: int, of_a: int, solved_b: int, of_b: int) -> float:
    """The two-sided p value of Fisher's exact test (1922) for two counts of solved runs."""
    from scipy.stats import fisher_exact

    found: Any = fisher_exact([[solved_a, of_a - solved_a], [solved_b, of_b - solved_b]])
    return float(found.pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p values of several comparisons, adjusted by Holm's step-down procedure (1979)."""
    adjusted, largest = {}, 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


__all__ = ["Verdict", "fisher", "holm", "interval", "verdict"]
