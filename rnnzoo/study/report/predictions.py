"""Predictions that were written down before the runs, and what became of them."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from rnnzoo.disk import read_text
from rnnzoo.fields import brief
from rnnzoo.spec import UsageError
from rnnzoo.study.report.rows import NotRunError, Tables
from rnnzoo.training.sources import errors_in_one_line, load_file

Verdict = Literal["right", "wrong", "not decided", "not run"]
VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "not decided", "not run")
Check = Callable[[Tables], tuple[Verdict, str]]
LINE = re.compile(r"- \*\*(\w+)\*\*\s+(.+)")


@dataclasses.dataclass(frozen=True)
class Prediction:
    """One line of the file: its name, such as P1a, its text, and the heading that it stands under."""

    name: str
    text: str
    heading: str


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A prediction beside what was measured."""

    prediction: Prediction
    verdict: Verdict
    words: str


@dataclasses.dataclass(frozen=True)
class Part:
    """One of several claims that a prediction makes. `holds` is None if it is not decided."""

    holds: bool | None
    words: str
    run: bool = True


def part(claim: Callable[[], tuple[bool | None, str]]) -> Part:
    """Whether a claim holds, with numbers; or which row it needs that no table has."""
    try:
        return Part(*claim())
    except NotRunError as missing:
        return Part(None, f"no row {missing}", run=False)


def judge(parts: Iterable[Part]) -> tuple[Verdict, str]:
    """All parts together: wrong if one of them is, right if all are."""
    parts = list(parts)
    ran = [p for p in parts if p.run]
    missing = [p.words for p in parts if not p.run]
    said = "; ".join(p.words for p in ran)
    if missing:
        said = "; ".join(filter(None, [said, missing[0] + (f" and {len(missing) - 1} more" if missing[1:] else "")]))
    if any(p.holds is False for p in ran):
        return "wrong", said
    if not ran:
        return "not run", said
    return ("right" if all(p.holds for p in parts) else "not decided"), said


def read_predictions(path: Path) -> list[Prediction]:
    """The lines ``- **P1a** text`` of a Markdown file, each with the lines that go on with it.

    Raises:
        UsageError: there are none, or two have the same name.
    """
    found: list[Prediction] = []
    heading, is_open = "", False
    for line in read_text(path).splitlines():
        if line.startswith("#"):
            heading, is_open = line.lstrip("# "), False
        elif match := LINE.match(line):
            found.append(Prediction(match[1], match[2].strip(), heading))
            is_open = True
        elif is_open and line.startswith("  ") and line.strip():
            found[-1] = dataclasses.replace(found[-1], text=f"{found[-1].text} {line.strip()}")
        else:
            is_open = False
    names = [p.name for p in found]
    if not found or len(set(names)) < len(names):
        twice = next((n for n in names if names.count(n) > 1), None)
        raise UsageError(
            f"{path} has {f'{twice} twice' if twice else 'no line'}; accepted: lines such as - **P1a** text"
        )
    return found


def load_checks(path: Path) -> tuple[Mapping[str, Check], Mapping[str, str]]:
    """`checks` and `concerns` of a Python file: the name of a prediction -> the function that judges it, and -> a
    regular expression of the rows that it is about.

    Raises:
        UsageError: the file cannot be run, or defines no `checks`.
    """
    if not path.is_file():
        raise UsageError(f"no file {str(path)!r}; accepted: a Python file that defines checks = {{name: function}}")
    module = vars(load_file(path))
    checks, concerns = module.get("checks"), module.get("concerns", {})
    if not isinstance(checks, Mapping) or not all(map(callable, checks.values())):
        raise UsageError(
            f"{path} defines checks = {brief(checks)}; accepted: a dictionary of name -> function of tables"
        )
    return checks, concerns


def outcomes(predictions: list[Prediction], checks: Mapping[str, Check], tables: Tables, path: Path) -> list[Outcome]:
    """What became of each prediction.

    Raises:
        UsageError: a check raises, or returns no verdict.
    """
    return [Outcome(p, *_outcome(p.name, checks.get(p.name), tables, path)) for p in predictions]


def _outcome(name: str, check: Check | None, tables: Tables, path: Path) -> tuple[Verdict, str]:
    if check is None:
        return "not decided", f"{path} has no check of {name}"
    with errors_in_one_line(path.resolve()):
        try:
            found: Any = check(tables)
        except NotRunError as missing:
            return "not run", f"no row {missing}"
    if not (isinstance(found, tuple) and len(found) == 2 and found[0] in VERDICTS):
        raise UsageError(f"{path}: the check of {name} gives {brief(found)}; accepted: ({', '.join(VERDICTS)}; words)")
    return found


__all__ = [
    "Check",
    "Outcome",
    "Part",
    "Prediction",
    "Verdict",
    "judge",
    "load_checks",
    "outcomes",
    "part",
    "read_predictions",
]
