"""Tables read into rows. What is no table of a study is refused by its name and line."""

import csv
from pathlib import Path

from rnnzoo.spec import UsageError
from rnnzoo.study.report.rows import Row, Tables
from rnnzoo.study.summary import by_row
from rnnzoo.study.table import Line, read_table


def load(paths: list[Path]) -> Tables:
    """The rows of tables.

    Raises:
        UsageError: a file is no table of a study, a line has a value of the wrong kind, or two tables have the same
            seed of a row or two configurations of one name.
    """
    rows: dict[str, Row] = {}
    for path in paths:
        try:
            lines = read_table(path)
        except csv.Error as error:
            raise UsageError(f"{path} is not the table of a study: {error}") from None
        for number, line in enumerate(lines, 2):
            _check(path, number, line)
        for name, own in by_row(lines).items():
            rows[name] = _joined(rows.get(name), Row(name, path, own))
    if not rows:
        raise UsageError(
            f"no results in {', '.join(map(str, paths)) or 'no table'}; accepted: tables with rows that ended"
        )
    return Tables(rows, paths)


def _joined(one: Row | None, other: Row) -> Row:
    """A row of two tables, with the seeds of both."""
    seeds = [] if one is None else one.seeds
    for seed in other.seeds:
        if seed in seeds:
            where = f"{other.file} and {one.file}" if one else str(other.file)
            raise UsageError(f"{where}: the row {other.name!r} has seed {seed} twice; accepted: each seed once")
        seeds = [*seeds, seed]
    if len({line["config"] for line in [*(one.lines if one else []), *other.lines]}) > 1:
        where = f"{other.file} and {one.file}" if one else str(other.file)
        raise UsageError(f"{where}: the row {other.name!r} has two configurations; accepted: one")
    return other if one is None else Row(one.name, one.file, [*one.lines, *other.lines])


def _check(path: Path, number: int, line: Line) -> None:
    """Raise `UsageError` with the line's number if a value is not of its column's kind."""
    accepted = {
        **dict.fromkeys(("seed", "hidden_size", "params", "params_u", "nonzeros_u", "steps"), (int, "an integer")),
        **dict.fromkeys(("test", "best_test", "seconds"), (float, "a number")),
    }
    if line["solved_at"]:
        accepted["solved_at"] = (float, "a number, or nothing")
    accepted |= {name: (float, "a number") for name in line if name.startswith("test@") and line[name]}
    for name, (kind, said) in accepted.items():
        try:
            kind(line[name])
        except ValueError:
            raise UsageError(f"{path}, line {number}: {name} is {line[name]!r}; accepted: {said}") from None
    if line["better"] not in ("lower", "higher"):
        raise UsageError(f"{path}, line {number}: better is {line['better']!r}; accepted: lower, higher")


__all__ = ["load"]
