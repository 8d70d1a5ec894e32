"""``python -m rnnzoo COMMAND``, also installed as ``rnnzoo``."""

import argparse
import sys
from pathlib import Path
from typing import Any

from rnnzoo.cli import evaluate, guarded, override, train
from rnnzoo.registry import UsageError, find, nearest

USAGE = """usage: rnnzoo COMMAND [OPTIONS]     (rnnzoo COMMAND --help shows a command's options)

  train --config FILE          train the configuration of a file; the same as python train.py
  evaluate RUN_DIR             evaluate a run's checkpoint, e.g. --task.bits 32 for longer numbers
  list [KIND] [PATTERN]        tables of cells, structures, unrolls, tasks, e.g. list cells '*gru*'
  show structure NAME          draw a structured matrix, e.g. --bandwidth 2 --size 32 --out u.png
"""


def list_members(args: list[str]) -> int:
    """Print tables of members."""
    from rnnzoo import catalogue

    parser = argparse.ArgumentParser(prog="rnnzoo list", description="Tables of members, with parameter counts.")
    parser.add_argument("kind", nargs="?", help=f"one of {', '.join(catalogue.KINDS)} (default: all)")
    parser.add_argument("pattern", nargs="?", default="*", help="names to list, with * and ?; case does not matter")
    parser.add_argument("--size", type=int, default=64, help="hidden units, and inputs, to count for (default 64)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown; of all kinds, as in the README")
    known = parser.parse_args(args)
    if known.kind is not None and known.kind not in catalogue.KINDS:
        raise UsageError(f"no table of {known.kind!r}; {nearest(known.kind, catalogue.KINDS)}")
    if known.size < 1:
        raise UsageError(f"--size is {known.size}; accepted: 1 or more")
    if known.markdown and not known.kind:
        print(catalogue.document())
        return 0
    for kind in (known.kind,) if known.kind else catalogue.KINDS:
        table = catalogue.rows(kind, known.pattern, known.size)
        if not table and known.kind:
            raise UsageError(f"no name in {kind} matches {known.pattern!r}")
        if table and known.markdown:
            print(catalogue.markdown(table), end="\n\n")
        elif table:
            catalogue.show(kind, table, known.size)
    return 0


def show(args: list[str]) -> int:
    """Draw a structure's matrix."""
    from rnnzoo import pictures

    if args[:1] != ["structure"] or len(args) < 2 or args[1].startswith("-"):
        raise UsageError("usage: rnnzoo show structure NAME [--size 32] [--out FILE.png] [the structure's fields]")
    cls: Any = find("structures", args[1])
    parser = argparse.ArgumentParser(prog="rnnzoo show structure", add_help=False, allow_abbrev=False)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(f"{cls.__name__}.png"))
    known, rest = parser.parse_known_args(args[2:])
    structure = override(
        cls(),
        rest,
        f"rnnzoo show structure {cls.__name__}",
        "Draw a random matrix of this structure: --size H (32), --seed N (0), --out FILE (NAME.png, .svg or .pdf).",
    )
    if known.size < 1:
        raise UsageError(f"--size is {known.size}; accepted: 1 or more")
    structure.check(known.size)
    pictures.check_output(known.out)
    pictures.draw_structure(structure, known.size, known.out, known.seed)
    print(f"wrote {known.out}")
    return 0


COMMANDS = {
    "train": lambda args: train(args, "rnnzoo train"),
    "evaluate": evaluate,
    "list": list_members,
    "show": show,
}


def command(args: list[str]) -> int:
    """Dispatch to a command."""
    if not args or args[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0
    if args[0] == "--version":
        from rnnzoo import __version__

        print(f"rnnzoo {__version__}")
        return 0
    if args[0] not in COMMANDS:
        raise UsageError(f"no command {args[0]!r}; {nearest(args[0], COMMANDS)}")
    return COMMANDS[args[0]](args[1:])


def main() -> None:
    """Entry point of the console script."""
    sys.exit(guarded(command)(sys.argv[1:]))


if __name__ == "__main__":
    main()
