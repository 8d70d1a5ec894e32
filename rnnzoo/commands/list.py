"""``rnnzoo list``: tables of members."""

import json
from typing import Any

from rnnzoo.analysis import members
from rnnzoo.commands import configs, loggers, presets, runs
from rnnzoo.commands.arguments import new_parser
from rnnzoo.commands.tables import print_table
from rnnzoo.spec import UsageError, suggest
from rnnzoo.store import pretrained

OTHER = {  # kinds that are no members
    "configs": configs.rows, "loggers": loggers.rows, "presets": presets.rows, "pretrained": pretrained.rows,
    "runs": runs.rows,
}  # fmt: skip
KINDS = (*members.KINDS, *OTHER)
NUMBERS = ("state", "params", "in U", "added params", "nonzeros")  # columns that are aligned on the right


def main(args: list[str]) -> int:
    """Print tables of members."""
    parser = new_parser(
        "rnnzoo list",
        "Tables of members, with parameter counts.",
        "rnnzoo list cells '*gru*'",
        "rnnzoo list structures --size 128",
        "rnnzoo list configs",
        "rnnzoo list runs",
        "rnnzoo list cells --json",
        "rnnzoo list tasks --import my_task.py",
    )
    parser.add_argument("kind", nargs="?", help=f"one of {', '.join(KINDS)} (default: all)")
    parser.add_argument("pattern", nargs="?", default="*", help="names to list, with * and ?; case does not matter")
    parser.add_argument("--size", type=int, default=64, help="hidden units, and inputs, to count for (default 64)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown; without a kind, docs/members.md")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON; without a kind, all by kind")
    known = parser.parse_intermixed_args(args)
    if known.size < 1:
        raise UsageError(f"--size is {known.size}; accepted: 1 or more")
    if known.kind and known.kind not in KINDS:
        raise UsageError(f"no table of {known.kind!r}; {suggest(known.kind, KINDS)}")
    if known.markdown and known.json:
        raise UsageError("--markdown and --json are both given; accepted: one of them")
    if known.markdown and not known.kind:
        print(members.document(known.size))
        return 0
    kinds = (known.kind,) if known.kind else KINDS
    tables = {kind: _rows(kind, known.pattern, known.size) for kind in kinds}
    if known.kind and not tables[known.kind]:
        raise UsageError(f"no name in {known.kind} matches {known.pattern!r}")
    if known.json:
        found = {kind: [_for_programs(row) for row in table] for kind, table in tables.items()}
        print(json.dumps(found[known.kind] if known.kind else found, indent=1))
        return 0
    for kind, table in tables.items():
        if table and known.markdown:
            print(members.markdown(table), end="\n\n")
        elif table:
            _print(kind, table, known.size)
    return 0


def _rows(kind: str, pattern: str, size: int) -> list[dict[str, str]]:
    return OTHER[kind](pattern) if kind in OTHER else members.rows(kind, pattern, size)


def _for_programs(row: dict[str, str]) -> dict[str, Any]:
    """A row with numbers as numbers, and null for what a member does not have."""
    return {name.replace(" ", "_"): _value(name, text) for name, text in row.items()}


def _value(column: str, text: str) -> Any:
    if text == "-":
        return None
    if column == "score":
        return float(text)
    return int(text.replace(",", "")) if column in (*NUMBERS, "year", "step", "steps") else text


def _print(kind: str, table: list[dict[str, str]], size: int) -> None:
    """Print a table to the terminal."""
    counted = any(name in NUMBERS for name in table[0])
    counts = f"; counts for {size} hidden units and {size} inputs" if counted else ""
    print_table(table, f"{len(table)} {kind}{counts}", NUMBERS)


__all__ = ["main"]
