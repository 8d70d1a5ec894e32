"""Each structure beside the dense one of the same task, cell and budget: with its uncertainty, and in words."""

import dataclasses

import numpy as np

from rnnzoo.study.report.rows import Row, Tables
from rnnzoo.study.report.words import number
from rnnzoo.study.statistics import fisher, holm, interval, verdict

BASE = "dense"
MARGINS = {
    **dict.fromkeys(("accuracy", "recall", "wrong_sums", "wrong_sequences", "error"), 0.005),
    "bits_per_char": 0.02,
    "nats_per_frame": 0.05,
}
"""Metric -> the difference that is too small to matter."""
FACTORS = {"mse": 2.0, "nmse": 2.0}
"""Metric -> the ratio that is too small to matter. Compared by logarithms."""
INFORMATIVE = 0.8  # of the dense seeds have to be solved


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A row beside the dense one."""

    row: Row
    base: Row
    verdict: str
    """better, worse, no difference, undecided, or not compared."""
    words: str
    low: float = float("nan")  # of the interval: a difference, or a ratio where the metric is compared by ratios
    high: float = float("nan")
    p: float | None = None  # of Fisher's exact test of the counts of solved seeds, adjusted by Holm
    informative: bool = True  # whether the dense matrix is solved often enough to compare counts


def differs(row: Row, base: Row) -> tuple[str, float, float]:
    """The verdict on a row beside another, by the paired bootstrap over their common seeds, and the interval: of the
    difference of medians, or of their ratio for a metric of `FACTORS`."""
    common = sorted(set(row.seeds) & set(base.seeds))
    if len(common) < 2 or row.metric != base.metric:
        return "not compared", float("nan"), float("nan")
    a, b = (r.scores[[r.seeds.index(seed) for seed in common]] for r in (row, base))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return "not compared", float("nan"), float("nan")
    by_ratio = row.metric in FACTORS
    if by_ratio:
        a, b = (np.log(np.maximum(x, 1e-12)) for x in (a, b))
    margin = np.log(FACTORS[row.metric]) if by_ratio else MARGINS.get(row.metric, 0.0)
    low, high = interval(list(a), list(b))
    found = verdict(low, high, margin)
    if found in ("more", "less"):
        found = "better" if (found == "less") == row.lower_is_better else "worse"
    if by_ratio:
        low, high = float(np.exp(low)), float(np.exp(high))
    return found, low, high


def compare(row: Row, base: Row, p: float | None = None) -> Comparison:
    """A row beside another, in words."""
    found, low, high = differs(row, base)
    shown = f"[{number(low)}, {number(high)}]"
    what = "ratio" if row.metric in FACTORS else "difference"
    words = {
        "better": f"better than {base.place.structure}: {what} {shown}",
        "worse": f"worse than {base.place.structure}: {what} {shown}",
        "no difference": f"no difference within noise: {what} {shown}",
        "undecided": f"undecided: the interval {shown} is wider than the margin",
        "not compared": _why_not(row, base),
    }[found]
    return Comparison(row, base, found, words, low, high, p, informative(base))


def informative(base: Row) -> bool:
    """Whether the dense row is solved often enough for counts of solved seeds beside it to say anything."""
    solved = base.solved()
    return solved is not None and solved >= INFORMATIVE * base.n


def _why_not(row: Row, base: Row) -> str:
    for one in (row, base):
        if one.diverged:
            return f"not compared: {one.diverged} of {one.n} seeds of {one.place.structure} diverged"
    if row.metric != base.metric:
        return f"not compared: judged by {row.metric} and by {base.metric}"
    return f"not compared: {len(set(row.seeds) & set(base.seeds))} seeds in common"


def counts_differ(row: Row, base: Row) -> float | None:
    """The p value of Fisher's exact test of two counts of solved seeds; None if they have no threshold."""
    a, b = row.solved(), base.solved()
    return None if a is None or b is None else fisher(a, row.n, b, base.n)


def comparisons(tables: Tables) -> list[Comparison]:
    """Every structure beside the dense one; p values adjusted over the structures of a task and cell."""
    found = []
    for rows in tables.groups().values():
        base = next((row for row in rows if row.place.structure == BASE), None)
        if base is None and rows[0].place.budget:
            base = _dense_elsewhere(tables, rows[0])
        if base is None:
            continue
        others = [row for row in rows if row is not base]
        p_values = {row.name: p for row in others if (p := counts_differ(row, base)) is not None}
        adjusted = holm(p_values)
        found += [compare(row, base, adjusted.get(row.name)) for row in others]
    return found


def _dense_elsewhere(tables: Tables, row: Row) -> Row | None:
    """The dense row at equal H is that at equal parameters, too, since the others are fitted to it."""
    place = row.place
    found = tables.find(suite=place.suite, task=place.task, cell=place.cell, structure=BASE)
    return found[0] if found else None


__all__ = ["BASE", "Comparison", "compare", "comparisons", "counts_differ", "differs", "informative"]
