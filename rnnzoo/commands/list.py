"""``rnnzoo list``: tables of members."""

from rnnzoo.analysis import members
from rnnzoo.commands import configs, presets
from rnnzoo.commands.arguments import new_parser
from rnnzoo.commands.tables import print_table
from rnnzoo.spec import UsageError, suggest
from rnnzoo.store import pretrained

OTHER = {"configs": configs.rows, "presets": presets.rows, "pretrained": pretrained.rows}  # kinds that are no members
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
        "rnnzoo list tasks --import my_task.py",
    )
    parser.add_argument("kind", nargs="?", help=f"one of {', '.join(KINDS)} (default: all)")
    parser.add_argument("pattern", nargs="?", default="*", help="names to list, with * and ?; case does not matter")
    parser.add_argument("--size", type=int, default=64, help="hidden units, and inputs, to count for (default 64)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown; without a kind, docs/members.md")
    known = parser.parse_intermixed_args(args)
    if known.size < 1:
        raise UsageError(f"--size is {known.size}; accepted: 1 or more")
    if known.kind and known.kind not in KINDS:
        raise UsageError(f"no table of {known.kind!r}; {suggest(known.kind, KINDS)}")
    if known.markdown and not known.kind:
        print(members.document(known.size))
        return 0
    for kind in (known.kind,) if known.kind else KINDS:
        table = OTHER[kind](known.pattern) if kind in OTHER else members.rows(kind, known.pattern, known.size)
        if not table and known.kind:
            raise UsageError(f"no name in {kind} matches {known.pattern!r}")
        if table and known.markdown:
            print(members.markdown(table), end="\n\n")
        elif table:
            _print(kind, table, known.size)
    return 0


def _print(kind: str, table: list[dict[str, str]], size: int) -> None:
    """Print a table to the terminal."""
    counted = any(name in NUMBERS for name in table[0])
    counts = f"; counts for {size} hidden units and {size} inputs" if counted else ""
    print_table(table, f"{len(table)} {kind}{counts}", NUMBERS)


__all__ = ["main"]
