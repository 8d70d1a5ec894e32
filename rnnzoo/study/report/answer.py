"""The words at the top of the page, and what the tables cannot say. Both hold nothing that the tables do not."""

import re
from collections import Counter
from pathlib import Path

from rnnzoo.disk import read_text
from rnnzoo.study.report.compare import Comparison
from rnnzoo.study.report.predictions import VERDICTS, Outcome
from rnnzoo.study.report.rows import Tables
from rnnzoo.study.report.words import count, listed, paragraphs

QUESTION = (
    "A recurrent network hears its own past through a matrix U. With H units, U has H x H numbers. Is the diagonal "
    "enough, or a band of three, and for which cells and tasks?"
)
CLAIM_SEEDS = 10  # fewer do not carry a claim in the text
LIMITS = "what we cannot say"


def read_text_file(path: Path) -> tuple[list[str], list[str]]:
    """The paragraphs of an answer, and those below a heading "What we cannot say", as safe HTML."""
    text = re.sub(r"\A\s*# .*\n", "", read_text(path))
    head, *rest = re.split(rf"(?im)^#+\s*{LIMITS}\s*$", text, maxsplit=1)
    return paragraphs(head), paragraphs(rest[0]) if rest else []


def plain_answer(tables: Tables, compared: list[Comparison], outcomes: list[Outcome]) -> str:
    """Three sentences from the tables: what was run, how structures compare, and what became of the predictions."""
    runs = sum(row.n for row in tables)
    sentences = [f"The tables hold {count(len(tables), 'row')} of {count(runs, 'trained network')}."]
    if compared:
        verdicts = Counter(c.verdict for c in compared)
        said = [f"{verdicts[name]} {words}" for name, words in SAID.items() if verdicts[name]]
        what = count(len(compared), "comparison")
        sentences.append(f"Of {what} of a structure with the dense matrix, {', '.join(said)}.")
    else:
        sentences.append("No row has a dense one to be compared with.")
    if outcomes:
        verdicts = Counter(o.verdict for o in outcomes)
        said = [f"{verdicts[name]} {name}" for name in VERDICTS if verdicts[name]]
        sentences.append(f"Of {count(len(outcomes), 'prediction')}: {', '.join(said)}.")
    else:
        sentences.append("No prediction was given.")
    return " ".join(sentences)


SAID = {
    "better": "say better",
    "worse": "say worse",
    "no difference": "say no difference within noise",
    "undecided": "decide nothing",
    "not compared": "could not be made",
}


def limits(tables: Tables, compared: list[Comparison], outcomes: list[Outcome]) -> list[str]:
    """What the tables do not decide, as sentences."""
    said = [_few_seeds(tables), _not_informative(compared), _undecided(compared), _diverged(tables)]
    if open_ := [o.prediction.name for o in outcomes if o.verdict in ("not run", "not decided")]:
        said.append(f"{count(len(open_), 'prediction')} not run or not decided: {listed(open_, 40)}.")
    devices = sorted({row.device for row in tables})
    said.append(f"All of it ran on: {listed(devices)}. Times on other machines are not known.")
    said.append(
        "Intervals are over seeds: over first weights and the order of batches. The test part is the same for all, so "
        "that its own size is a further uncertainty, which no interval here contains."
    )
    return [text for text in said if text]


def _few_seeds(tables: Tables) -> str:
    few = [row for row in tables if row.n < CLAIM_SEEDS]
    if not few:
        return ""
    least = min(row.n for row in few)
    return (
        f"{count(len(few), 'row has', 'rows have')} fewer than {CLAIM_SEEDS} seeds (the fewest: {least}); "
        "by themselves they carry no claim."
    )


def _not_informative(compared: list[Comparison]) -> str:
    names = dict.fromkeys(
        f"{c.base.place.task} ({c.base.place.cell})"
        for c in compared
        if not c.informative and c.base.threshold is not None
    )
    if not names:
        return ""
    named = listed(list(names), 20)
    return f"Counts of solved seeds are not informative where the dense matrix solves fewer than 8 of 10: {named}."


def _undecided(compared: list[Comparison]) -> str:
    names = [c.row.name for c in compared if c.verdict == "undecided"]
    return f"More seeds would be needed to tell from dense: {listed(names, 12)}." if names else ""


def _diverged(tables: Tables) -> str:
    names = [f"{row.name} ({row.diverged} of {row.n})" for row in tables if row.diverged]
    return f"Some seeds diverged and count as the worst of their row: {listed(names, 12)}." if names else ""


__all__ = ["QUESTION", "limits", "plain_answer", "read_text_file"]
