"""What judges docs/study/predictions.md: for each prediction a function of all rows, which gives verdict and words.

    python -m rnnzoo study report results/*.csv --out docs/answer --checks docs/study/predictions.py

A function that asks for a row that no table has says so by itself. Rows are named as in the other files of this folder.
"""

import itertools
import statistics
from pathlib import Path

from rnnzoo.study.report import NotRunError, Part, Row, Tables, judge, part
from rnnzoo.study.report.compare import compare, counts_differ, informative
from rnnzoo.study.report.figures.matrix import structure_of
from rnnzoo.study.report.figures.memory import at_equal_seconds, lines_of, longest
from rnnzoo.study.report.words import number

GATED = ("gru", "lstm")
LANGUAGES = {"even pairs": 0.5, "parity": 0.5, "cycle navigation": 0.2, "modular arithmetic": 0.2}  # and their chance
READ = ("digits rows", "spoken digits")
TIMES = Path(__file__).parents[2] / "docs/measured/structures.csv"


# ---- parts of predictions ----


def solves(
    t: Tables, name: str, least: int = 0, most: int | None = None, times: int | None = None, of: int | None = None
) -> Part:
    """Whether the seeds that solve a row number at least `least` and at most `most`; `of` is the number of seeds that
    the prediction speaks of."""

    def claim() -> tuple[bool | None, str]:
        row = t[name]
        many = row.solved(times)
        if many is None:
            raise NotRunError(f"{name} at {times} times the length")
        said = f"{name} {many} of {row.n}" + (f" at {times}x" if times else "")
        if of is not None and row.n != of:
            return None, f"{said}, where the prediction has {of} seeds"
        return many >= least and (most is None or many <= most), said

    return part(claim)


def ordered(t: Tables, names: list[str], slack: float = 0.0) -> Part:
    """Whether the medians of rows do not get worse from the first name to the last."""

    def claim() -> tuple[bool, str]:
        medians = [t[name].median for name in names]
        sign = -1 if t[names[0]].lower_is_better else 1
        holds = all(sign * b >= sign * a - slack for a, b in itertools.pairwise(medians))
        said = ", ".join(f"{t[name].place.structure} {number(m)}" for name, m in zip(names, medians, strict=True))
        return holds, f"{t[names[0]].place.task}, {t[names[0]].place.cell}: {said}"

    return part(claim)


def found(t: Tables, what: str, **place: str) -> list[Row]:
    """The rows of a place, which there must be."""
    if not (rows := t.find(**place)):
        raise NotRunError(what)
    return rows


def on_language(t: Tables, language: str, cell: str, structure: str) -> Row:
    """The row of a network on a regular language: of those that were trained for longer, once the dense one is there.
    Rows of the two lengths are not mixed."""
    longer = t.find(suite="languages long", task=language, cell=cell, structure="dense")
    return t[f"{'languages long' if longer else 'languages'}/{language}/{cell}/{structure}"]


def tells(t: Tables, language: str, cell: str) -> bool:
    """Whether the dense matrix solves a language in this cell: else its rows say nothing about structures."""
    return informative(on_language(t, language, cell, "dense"))


def uninformative(t: Tables, cells: tuple[str, ...]) -> str:
    """The languages and cells that say nothing, in words; "" if there are none."""
    return ", ".join(f"{n} ({c})" for c in cells for n in LANGUAGES if not tells(t, n, c))


def mean_over_languages(t: Tables, cell: str, structure: str) -> float:
    return statistics.fmean(on_language(t, language, cell, structure).median for language in LANGUAGES)


# ---- P1: addition ----


def p1a(t: Tables):
    return judge(solves(t, f"adam/{c}/band 3", 18, of=20) for c in ("sigmoid", "tanh", *GATED))


def p1b(t: Tables):
    def claim(cell: str):
        row, dense = t[f"adam/{cell}/band 3"], t[f"adam/{cell}/dense"]
        p = counts_differ(row, dense)
        return None if p is None else p > 0.05, f"{cell}: {row.solved()} and {dense.solved()}, p = {number(p or 0)}"

    return judge(part(lambda cell=cell: claim(cell)) for cell in ("sigmoid", "tanh", *GATED))


def p1c(t: Tables):
    def claim(cell: str):
        band, dense = (t[f"adam/{cell}/{s}"].solved(4) for s in ("band 3", "dense"))
        if band is None or dense is None:
            raise NotRunError(f"adam/{cell} at 4 times the length")
        return band >= dense, f"{cell}: band 3 {band}, dense {dense}"

    return judge(part(lambda cell=cell: claim(cell)) for cell in GATED)


def p1d(t: Tables):
    name = "question/10k/"
    least = solves(t, f"{name}dense", 18, of=20)
    return judge([least, *(solves(t, name + s, most=0, of=20) for s in ("diagonal", "band 3"))])


def p1e(t: Tables):
    elman = ("adam/sigmoid", "adam/tanh", "question/10k", "question with biases/10k")
    parts = [solves(t, f"{name}/diagonal", most=2, of=20) for name in elman]
    return judge([*parts, solves(t, "adam/lstm/diagonal", 15, of=20)])


# ---- P2: parity and regular languages ----


def p2a(t: Tables):
    name = "separate/parity/elman/"
    none = [solves(t, name + s, most=0, times=4) for s in ("diagonal", "bidiagonal", "triangular")]
    return judge(
        [*none, *(solves(t, name + s, 1, times=4) for s in ("band 3", "ring 3", "block 4", "rank 1", "dense"))]
    )


def p2b(t: Tables):
    rows = [r for c in GATED for r in found(t, f"separate/parity/{c}", suite="separate", task="parity", cell=c)]
    return judge(solves(t, row.name, 1, times=4) for row in rows)


def p2c(t: Tables):
    def claim(language: str, cell: str):
        median = on_language(t, language, cell, "dense").median
        return median >= 0.95, f"{language}, {cell} {number(median)}"

    return judge(part(lambda at=(language, c): claim(*at)) for c in GATED for language in LANGUAGES)


def p2d(t: Tables):
    def claim(language: str, cell: str):
        dense, diagonal = (on_language(t, language, cell, s).median for s in ("dense", "diagonal"))
        lost = dense - diagonal
        if not tells(t, language, cell):
            return None, f"{language}, {cell}: not informative"
        small = lost <= 0.05
        return small if language != "modular arithmetic" else not small, f"{language}, {cell}: loses {number(lost)}"

    tasks = [(language, c) for language in ("even pairs", "parity", "modular arithmetic") for c in GATED]
    return judge(part(lambda at=at: claim(*at)) for at in tasks)


def p2e(t: Tables):
    def claim(structure: str):
        low, value, high = (mean_over_languages(t, "gru", s) for s in ("diagonal", structure, "dense"))
        if unknown := uninformative(t, ("gru",)):
            return None, f"{structure} {number(value)}; not informative: {unknown}"
        return low <= value <= high, f"diagonal {number(low)}, {structure} {number(value)}, dense {number(high)}"

    return judge(part(lambda s=s: claim(s)) for s in ("band 3", "ring 3"))


def p2f(t: Tables):
    def claim(language: str):
        value = on_language(t, language, "elman", "diagonal").median
        if not tells(t, language, "elman"):
            return None, f"{language} {number(value)}: not informative"
        return abs(value - LANGUAGES[language]) <= 0.1, f"{language} {number(value)}"

    return judge(part(lambda n=n: claim(n)) for n in ("cycle navigation", "modular arithmetic", "parity"))


def p2g(t: Tables):
    def claim():
        rows = found(t, "languages/...", suite="languages")
        kinds = {row.place.structure: structure_of(row.structure) for row in rows}
        cyclic = [name for name, kind in kinds.items() if kind is not None and kind.connectivity == "cyclic"]
        means = {s: statistics.fmean(mean_over_languages(t, c, s) for c in ("elman", *GATED)) for s in cyclic}
        worst = sorted(means, key=lambda s: means[s])[:3]
        if unknown := uninformative(t, ("elman", *GATED)):
            return None, f"worst: {', '.join(worst)}; not informative: {unknown}"
        return set(worst[:2]) == {"permutation", "rank 1"}, "worst: " + ", ".join(
            f"{s} {number(means[s])}" for s in worst
        )

    return judge([part(claim)])


# ---- P3 to P5: groups, star-free tasks, size of the state ----


def p3a(t: Tables):
    none = [solves(t, f"separate/{group}/gru/diagonal", most=0) for group in ("S3", "A4", "A5")]
    return judge([solves(t, "separate/mod 3/gru/diagonal", 1), *none])


def p3b(t: Tables):
    def claim():
        smallest = []
        for group in ("Z2", "Z3", "S3", "A4", "A5"):
            rows = found(t, f"separate/{group}/gru/block ...", suite="separate", task=group, cell="gru")
            blocks = [_block(row.place.structure) for row in rows if row.solved()]
            smallest.append(min(filter(None, blocks), default=float("inf")))
        said = "smallest blocks with a solver: " + ", ".join("none" if b == float("inf") else str(b) for b in smallest)
        return smallest == sorted(smallest), said

    return judge([part(claim)])


def _block(structure: str) -> int | None:
    """The size of the blocks of a structure; None for others."""
    if structure == "diagonal":
        return 1
    kind, _, size = structure.partition(" ")
    return int(size) if kind == "block" and size.isdigit() else None


def p4a(t: Tables):
    def claim(row: Row, dense: Row):
        p = counts_differ(row, dense)
        if not informative(dense) or p is None:
            return None, f"{dense.name} is not informative"
        return p > 0.05, f"{row.name}: {row.solved()} of {row.n}, p = {number(p)}"

    parts = []
    for task in ("flip flop", "dyck", "even pairs"):
        rows = t.find(suite="separate", task=task)
        if not rows:
            parts.append(Part(None, f"no row separate/{task}/...", run=False))
        for row in rows:
            if row.place.structure not in ("none", "dense"):
                dense = f"separate/{row.place.task}/{row.place.cell}/dense"
                parts.append(part(lambda row=row, dense=dense: claim(row, t[dense])))
    return judge(parts)


def p5a(t: Tables):
    def same(row: Row):
        said = compare(row, t["separate/mqar/gru/dense/equal H"])
        holds = {"no difference": True, "better": False, "worse": False}.get(said.verdict)
        return holds, f"{row.place.structure}: {said.words}"

    rows = t.find(suite="separate", task="mqar", cell="gru", budget="equal H")
    full = [row for row in rows if row.place.structure not in ("dense", "shift") and "rank" not in row.place.structure]
    parts = [part(lambda row=row: same(row)) for row in full]
    names = ["separate/mqar/gru/dense/equal H", "separate/mqar/gru/diagonal/equal params"]
    return judge([*parts, ordered(t, names)])


# ---- P6: real data ----


def p6a(t: Tables):
    order = ("diagonal", "band 3", "dense")
    return judge(ordered(t, [f"real/{task}/{c}/{s}/equal H" for s in order]) for task in READ for c in GATED)


def p6b(t: Tables):
    def claim(cell: str, structure: str):
        base = f"real/vowels/{cell}/"
        said = compare(t[f"{base}{structure}/equal H"], t[f"{base}dense/equal H"])
        holds = None if said.verdict == "not compared" else said.verdict in ("no difference", "undecided")
        return holds, f"{cell}, {structure}: {said.words}"

    return judge(part(lambda c=c, s=s: claim(c, s)) for c in GATED for s in ("diagonal", "band 3"))


def p6c(t: Tables):
    def claim():
        diagonal, dense = (t[f"real/jsb/gru/{s}/equal H"].median for s in ("diagonal", "dense"))
        return diagonal < dense, f"diagonal {number(diagonal)}, dense {number(dense)} nats a frame"

    return judge([part(claim)])


def p6d(t: Tables):
    def claim(task: str, cell: str, structure: str):
        name = f"real/{task}/{cell}"
        dense = t[f"{name}/dense/equal H"].median
        wide, narrow = (dense - t[f"{name}/{structure}/{b}"].median for b in ("equal params", "equal H"))
        said = f"{task}, {cell}, {structure}: {number(narrow)} at equal H, {number(wide)} at equal parameters"
        return (wide <= narrow / 2, said) if narrow > 0 else (None, f"{said}, so no gap to close")

    at = [(task, c, s) for task in READ for c in GATED for s in ("diagonal", "band 3")]
    return judge(part(lambda one=one: claim(*one)) for one in at)


def p6e(t: Tables):
    def claim(task: str, threshold: float):
        rows = found(t, f"real/{task}/...", suite="real", task=task)
        lower = rows[0].lower_is_better
        best = (min if lower else max)(rows, key=lambda row: row.median)
        reached = best.median <= threshold if lower else best.median >= threshold
        return reached, f"{task} {number(best.median)} ({best.place.cell} {best.place.structure})"

    wanted = {"vowels": 0.95, "digits rows": 0.96, "spoken digits": 0.95, "jsb": 8.7, "nottingham": 3.6}
    return judge(part(lambda one=one: claim(*one)) for one in wanted.items())


# ---- P7 and P8: looking back, and time ----


def longest_solved(t: Tables, name: str) -> int:
    cell, structure = name.split("/")
    rows = lines_of(t).get(("adding", cell, structure, ""))
    if not rows:
        raise NotRunError(f"memory/adding T=.../{name}")
    return longest(rows)[0]


def p7a(t: Tables):
    def at_least(names: tuple[str, ...], others: tuple[str, ...]):
        one, other = (max(longest_solved(t, n) for n in names), max(longest_solved(t, n) for n in others))
        return one >= other, f"{' or '.join(names)} {one}, {' or '.join(others)} {other}"

    def last():
        elman = longest_solved(t, "elman/dense")
        others = {n: longest_solved(t, n) for n in ("indrnn/diagonal", "gru/diagonal", "gru/dense", "lstm/dense")}
        return all(elman <= value for value in others.values()), f"elman/dense {elman}"

    return judge([
        part(lambda: at_least(("indrnn/diagonal", "gru/diagonal"), ("gru/dense",))),
        part(lambda: at_least(("gru/dense",), ("lstm/dense",))),
        part(last),
    ])  # fmt: skip


def p7b(t: Tables):
    def claim(cell: str):
        thin, dense = (longest_solved(t, f"{cell}/{s}") for s in ("diagonal", "dense"))
        within = at_equal_seconds(lines_of(t)["adding", cell, "diagonal", ""])
        if within is None:
            return None, f"{cell}: no times, or the diagonal is faster and was not trained for as many seconds"
        said = f"{cell}: diagonal {within[0]} at equal seconds, {thin} at equal parameters, dense {dense}"
        return (within[0] < 2 * thin, said) if thin else (None, said)

    return judge(part(lambda cell=cell: claim(cell)) for cell in ("elman", *GATED))


def _time(structure: str, size: int) -> float:
    """A layer's time over that of the dense one, from the measured table."""
    import csv

    with open(TIMES, encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if line["candidate"] == structure and line["size"] == str(size):
                return float(line["ratio"])
    raise NotRunError(f"{structure} of {size} units in {TIMES.name}")


def faster(size: int, band: tuple[float, float], diagonal: tuple[float, float]):
    """Whether the two times lie between these, as shares of the dense layer's."""

    def claim(structure: str, low: float, high: float):
        ratio = _time(structure, size)
        return low < ratio < high, f"{structure} {number(ratio)} of dense at H = {size}"

    limits = {"Banded(bandwidth=1)": band, "Diagonal()": diagonal}
    return judge(part(lambda s=s, at=at: claim(s, *at)) for s, at in limits.items())


def p8a(t: Tables):
    return faster(64, (0.9, float("inf")), (0, 0.8))


def p8b(t: Tables):
    return faster(1024, (0, 0.3), (0, 0.15))


checks = {
    "P1a": p1a, "P1b": p1b, "P1c": p1c, "P1d": p1d, "P1e": p1e,
    "P2a": p2a, "P2b": p2b, "P2c": p2c, "P2d": p2d, "P2e": p2e, "P2f": p2f, "P2g": p2g,
    "P3a": p3a, "P3b": p3b, "P4a": p4a, "P5a": p5a,
    "P6a": p6a, "P6b": p6b, "P6c": p6c, "P6d": p6d, "P6e": p6e,
    "P7a": p7a, "P7b": p7b, "P8a": p8a, "P8b": p8b,
}  # fmt: skip
concerns = {
    "P1a": r"adam/[^/]+/band 3",
    "P1e": r"adam/(sigmoid|tanh|lstm)/diagonal",
    "P2a": r"separate/parity/elman/(diagonal|bidiagonal|triangular|band 3|ring 3|block 4|rank 1|dense)",
    "P2b": r"separate/parity/(gru|lstm)/.+",
    "P2c": r"languages( long)?/[^/]+/(gru|lstm)/dense",
    "P2d": r"languages( long)?/(even pairs|parity|modular arithmetic)/(gru|lstm)/diagonal",
    "P2e": r"languages( long)?/[^/]+/gru/(band 3|ring 3)",
    "P2f": r"languages( long)?/(cycle navigation|modular arithmetic|parity)/elman/diagonal",
    "P2g": r"languages( long)?/[^/]+/[^/]+/(permutation|rank 1)",
    "P3a": r"separate/(mod 3|S3|A4|A5)/gru/diagonal",
    "P4a": r"separate/(flip.flop|dyck|even pairs)/[^/]+/(?!dense|none).+",
}
