"""``rnnzoo list``: tables of members."""

from rnnzoo.analysis import members
from rnnzoo.commands.arguments import new_parser
from rnnzoo.spec import UsageError, suggest


def main(args: list[str]) -> int:
    """Print tables of members."""
    parser = new_parser(
        "rnnzoo list",
        "Tables of members, with parameter counts.",
        "rnnzoo list cells '*gru*'",
        "rnnzoo list structures --size 128",
        "rnnzoo list tasks --import my_task.py",
    )
    parser.add_argument("kind", nargs="?", help=f"one of {', '.join(members.KINDS)} (default: all)")
    parser.add_argument("pattern", nargs="?", default="*", help="names to list, with * and ?; case does not matter")
    parser.add_argument("--size", type=int, default=64, help="hidden units, and inputs, to count for (default 64)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown; of all kinds, as in the README")
    known = parser.parse_intermixed_args(args)
    if known.kind is not None and known.kind not in members.KINDS:
        raise UsageError(f"no table of {known.kind!r}; {suggest(known.kind, members.KINDS)}")
    if known.size < 1:
        raise UsageError(f"--size is {known.size}; accepted: 1 or more")
    if known.markdown and not known.kind:
        print(members.document())
        return 0
    for kind in (known.kind,) if known.kind else members.KINDS:
        table = members.rows(kind, known.pattern, known.size)
        if not table and known.kind:
            raise UsageError(f"no name in {kind} matches {known.pattern!r}")
        if table and known.markdown:
            print(members.markdown(table), end="\n\n")
        elif table:
            members.show(kind, table, known.size)
    return 0


__all__ = ["main"]
