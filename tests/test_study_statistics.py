"""The statistics of studies against brute force and by hand."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from rnnzoo.study.statistics import fisher, holm, interval, verdict


def by_hand(a, of_a, b, of_b):
    """The sum of the probabilities of all tables of these margins that are no more likely than this one."""
    solved, total = a + b, math.comb(of_a + of_b, a + b)
    ways = [
        math.comb(of_a, k) * math.comb(of_b, solved - k) for k in range(max(0, solved - of_b), min(of_a, solved) + 1)
    ]
    own = math.comb(of_a, a) * math.comb(of_b, b)
    return sum(w for w in ways if w <= own) / total


@pytest.mark.parametrize("counts", [(20, 20, 20, 20), (0, 20, 19, 20), (12, 20, 17, 20), (3, 5, 1, 10), (0, 5, 0, 5)])
def test_fisher_sums_the_tables_that_are_no_more_likely(counts):
    assert fisher(*counts) == pytest.approx(by_hand(*counts), rel=1e-9)


def test_holm_steps_down():
    assert holm({}) == {}
    assert holm({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})
    assert holm({"a": 0.9, "b": 0.6}) == {"a": 1.0, "b": 1.0}


def test_the_interval_of_a_shift_is_that_shift():
    b = np.random.default_rng(0).normal(size=7)
    assert interval(list(b + 2), list(b)) == pytest.approx((2, 2))
    assert interval([1.0], [0.25]) == (0.75, 0.75)


def test_the_interval_is_that_of_all_resamples_of_pairs():
    a, b = np.array([0.1, 0.9, 0.4, 0.3]), np.array([0.2, 0.5, 0.1, 0.6])
    rows = np.array(list(itertools.product(range(4), repeat=4)))
    every = np.median(a[rows], 1) - np.median(b[rows], 1)
    assert interval(list(a), list(b)) == pytest.approx(tuple(np.quantile(every, [0.025, 0.975])), abs=0.051)


def test_the_interval_agrees_with_scipy():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=12), rng.normal(size=12) + 0.5
    found = stats.bootstrap(
        (a, b), lambda x, y, axis=-1: np.median(x, axis) - np.median(y, axis), paired=True, method="percentile",
        n_resamples=4000, rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    assert interval(list(a), list(b)) == pytest.approx((found.low, found.high), abs=0.15)


def test_interval_refuses_what_is_not_paired():
    for a, b in [([1.0], [1.0, 2.0]), ([], [])]:
        with pytest.raises(ValueError, match="of the same seeds"):
            interval(a, b)


def test_verdicts():
    assert [verdict(low, high, 0.1) for low, high in [(0.01, 9), (-9, -0.01), (-0.1, 0.1), (-0.2, 0.1), (0, 0.05)]] == [
        "more", "less", "no difference", "undecided", "no difference",
    ]  # fmt: skip
