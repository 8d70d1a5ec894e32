"""``python -m rnnzoo COMMAND``, also installed as ``rnnzoo``."""

import argparse
import sys
from pathlib import Path
from typing import Any

from rnnzoo import cli_models
from rnnzoo.cli import evaluate, guarded, override, train
from rnnzoo.devices import use_cpu_cores
from rnnzoo.registry import UsageError, find, nearest

USAGE = """usage: rnnzoo COMMAND [OPTIONS]     (rnnzoo COMMAND --help shows a command's options)

  train --config FILE          train the configuration of a file; the same as python train.py
  evaluate RUN_DIR             evaluate a run's checkpoint, e.g. --task.bits 32 for longer numbers
  list [KIND] [PATTERN]        tables of cells, structures, unrolls, tasks, e.g. list cells '*gru*'
  show structure NAME          draw a structured matrix, e.g. --bandwidth 2 --size 32 --out u.png
  show structures              draw all structures into one picture
  show run RUN_DIR             draw a run's recurrent matrices, their eigenvalues and singular values
  save RUN_DIR --out DIR       write a run's model as a folder to keep and to share
  sample RUN_DIR               write text from a character model, e.g. --prompt "The " --temperature 0.7
  export RUN_DIR --out DIR     write a run's model as --format stablehlo, onnx or numpy
  push DIR REPO                upload a model folder to the Hugging Face hub; pull REPO --out DIR downloads one
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
    """Draw a structure's matrix, all structures, or a trained network's matrices."""
    if args[:1] == ["structures"]:
        return show_structures(args[1:])
    if args[:1] == ["run"]:
        return show_run(args[1:])
    if args[:1] != ["structure"] or len(args) < 2 or args[1].startswith("-"):
        raise UsageError(
            "usage: rnnzoo show structure NAME [--size 32] [--out FILE.png] [the structure's fields]\n"
            "       rnnzoo show structures [--size 32] [--out FILE.png]\n"
            "       rnnzoo show run RUN_DIR [--out FILE.png]"
        )
    return show_structure(args[1:])


def show_structure(args: list[str]) -> int:
    """Draw one structure, its fields as options."""
    from rnnzoo import pictures

    cls: Any = find("structures", args[0])
    parser = _drawing("structure", Path(f"{cls.__name__}.png"), add_help=False)
    known, rest = parser.parse_known_args(args[1:])
    structure = override(
        cls(),
        rest,
        f"rnnzoo show structure {cls.__name__}",
        "Draw a random matrix of this structure: --size H (32), --seed N (0), --out FILE (NAME.png, .svg or .pdf).",
    )
    _check_size(known.size)
    structure.check(known.size)
    pictures.check_output(known.out)
    pictures.draw_structure(structure, known.size, known.out, known.seed)
    print(f"wrote {known.out}")
    return 0


def show_structures(args: list[str]) -> int:
    """Draw all structures into one picture."""
    from rnnzoo import pictures

    known = _drawing("structures", Path("structures.png")).parse_args(args)
    _check_size(known.size)
    pictures.check_output(known.out)
    count = pictures.draw_structures(known.size, known.out, known.seed)
    print(f"wrote {known.out}: {count} structures")
    return 0


def show_run(args: list[str]) -> int:
    """Draw each U of a run's checkpoint, its eigenvalues and its singular values."""
    from rnnzoo.pictures import check_output
    from rnnzoo.portrait import draw_run

    parser = argparse.ArgumentParser(prog="rnnzoo show run", allow_abbrev=False)
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path)
    parser.add_argument("--out", type=Path, default=Path("run.png"), help="picture to write (run.png)")
    parser.add_argument("--seed", type=int, default=0, help="which of the run's seeds, from 0 (0)")
    parser.add_argument("--checkpoint", choices=("last", "best"), default="last")
    known = parser.parse_args(args)
    if known.seed < 0:
        raise UsageError(f"--seed is {known.seed}; accepted: 0 or more")
    check_output(known.out)
    drawn, there = draw_run(
        known.run_dir, known.out, lambda text: print(f"warning: {text}", file=sys.stderr), known.seed, known.checkpoint
    )
    print(f"wrote {known.out}: {drawn} of {there} recurrent matrices")
    return 0


def _drawing(what: str, out: Path, add_help: bool = True) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"rnnzoo show {what}", add_help=add_help, allow_abbrev=False)
    parser.add_argument("--size", type=int, default=32, help="hidden units (32)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the matrices (0)")
    parser.add_argument("--out", type=Path, default=out, help=f"picture to write ({out})")
    return parser


def _check_size(size: int) -> None:
    if size < 1:
        raise UsageError(f"--size is {size}; accepted: 1 or more")


COMMANDS = {
    "train": lambda args: train(args, "rnnzoo train"),
    "evaluate": evaluate,
    "list": list_members,
    "show": show,
    "save": cli_models.save,
    "sample": cli_models.sample,
    "export": cli_models.export,
    "push": cli_models.push,
    "pull": cli_models.pull,
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
    use_cpu_cores()
    sys.exit(guarded(command)(sys.argv[1:]))


if __name__ == "__main__":
    main()
