"""``rnnzoo show``: pictures of structures and of trained networks."""

import argparse
import sys
from pathlib import Path
from typing import Any

from rnnzoo.analysis import matrices
from rnnzoo.analysis.matrices import check_output
from rnnzoo.analysis.run_picture import draw_run
from rnnzoo.commands.options import override
from rnnzoo.spec import UsageError, find


def main(args: list[str]) -> int:
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
    matrices.check_output(known.out)
    matrices.draw_structure(structure, known.size, known.out, known.seed)
    print(f"wrote {known.out}")
    return 0


def show_structures(args: list[str]) -> int:
    """Draw all structures into one picture."""
    known = _drawing("structures", Path("structures.png")).parse_args(args)
    _check_size(known.size)
    matrices.check_output(known.out)
    count = matrices.draw_structures(known.size, known.out, known.seed)
    print(f"wrote {known.out}: {count} structures")
    return 0


def show_run(args: list[str]) -> int:
    """Draw each U of a run's checkpoint, its eigenvalues and its singular values."""
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


__all__ = ["main"]
