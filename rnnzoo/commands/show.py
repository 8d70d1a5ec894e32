"""``rnnzoo show``: cells, pictures of structures and of trained networks."""

import argparse
from pathlib import Path
from typing import Any

from rnnzoo.analysis import matrices
from rnnzoo.analysis.matrices import check_output
from rnnzoo.analysis.run_picture import draw_run
from rnnzoo.analysis.step_diagram import page
from rnnzoo.commands.arguments import add_data_dir, listed, new_parser
from rnnzoo.commands.exits import warn
from rnnzoo.commands.options import override
from rnnzoo.spec import UsageError, find

USAGE = """usage: rnnzoo show cell NAME [--size 64] [--inputs 64] [the cell's fields]
       rnnzoo show structure NAME [--size 32] [--out FILE.png] [its fields]
       rnnzoo show structures [--size 16] [--out FILE.png]
       rnnzoo show run RUN_DIR [--out FILE.png]"""
EXAMPLES = """

The equations of a cell, its parameters and a diagram of its step; pictures of
one structured matrix, of all structures, or of a trained network's matrices.
rnnzoo show cell --help, and so for the others, shows their options.

examples:
  rnnzoo show cell LSTM
  rnnzoo show structure banded --bandwidth 2 --size 32 --out u.png
  rnnzoo show structures --out structures.svg
  rnnzoo show run runs/mine --out run.png"""


def main(args: list[str]) -> int:
    """Print what a cell is; draw a structure's matrix, all structures, or a trained network's matrices."""
    if args[:1] == ["cell"]:
        return show_cell(args[1:])
    if args[:1] == ["structures"]:
        return show_structures(args[1:])
    if args[:1] == ["run"]:
        return show_run(args[1:])
    if args[:1] == ["structure"]:
        return show_structure(args[1:])
    if args[:1] not in (["-h"], ["--help"]):
        raise UsageError(USAGE)
    print(USAGE + EXAMPLES)
    return 0


def show_cell(args: list[str]) -> int:
    """Print a cell's equations, paper, parameters, and a diagram of its step; its fields as options."""
    what = "What a cell is: equations, paper, parameters, a diagram of its step. Its fields are options, too."
    examples = ("rnnzoo show cell LSTM", "rnnzoo show cell gru --size 128 --structure banded")
    parser = new_parser("rnnzoo show cell", what, *examples, passes_help=True)
    parser.add_argument("name", metavar="NAME", nargs="?", help="such as LSTM; rnnzoo list cells shows all")
    parser.add_argument("--size", type=int, default=64, help="hidden units (64)")
    parser.add_argument("--inputs", type=int, default=64, help="input features (64)")
    known, rest = parser.parse_known_args(args)
    if known.name is None and known.help:
        parser.print_help()
        return 0
    if known.name is None:
        raise UsageError(USAGE)
    _check_size(known.size)
    if known.inputs < 1:
        raise UsageError(f"--inputs is {known.inputs}; accepted: 1 or more")
    cls: Any = find("cells", known.name)
    cell = override(
        cls(hidden_size=known.size),
        rest + ["--help"] * known.help,
        f"rnnzoo show cell {cls.__name__}",
        "What this cell is: --size H (64), --inputs I (64).\n\n" + listed(examples),
    )
    print(page(cell, known.inputs))
    return 0


def show_structure(args: list[str]) -> int:
    """Draw one structure, its fields as options."""
    what = "Draw a random matrix of a structure. Its fields are options as well: NAME --help shows them."
    parser = _drawing("structure", what, "banded --bandwidth 2 --out u.png", "banded --help", passes_help=True)
    parser.add_argument("name", metavar="NAME", nargs="?", help="such as banded; rnnzoo list structures shows all")
    known, rest = parser.parse_known_args(args)
    if known.name is None and known.help:
        parser.print_help()
        return 0
    if known.name is None:
        raise UsageError(USAGE)
    cls: Any = find("structures", known.name)
    structure = override(
        cls(),
        rest + ["--help"] * known.help,
        f"rnnzoo show structure {cls.__name__}",
        "Draw a random matrix of this structure: --size H (32), --seed N (0), --out FILE (NAME.png, .svg or .pdf).\n\n"
        + listed([f"rnnzoo show structure {cls.__name__} --size 64 --out u.svg"]),
    )
    out = known.out or Path(f"{cls.__name__}.png")
    _check_size(known.size)
    structure.check(known.size)
    matrices.check_output(out)
    matrices.draw_structure(structure, known.size, out, known.seed)
    print(f"wrote {out}")
    return 0


def show_structures(args: list[str]) -> int:
    """Draw all structures into one picture."""
    parser = _drawing("structures", "Draw all structures into one picture.", "--out structures.svg", size=16)
    known = parser.parse_args(args)
    out = known.out or Path("structures.png")
    _check_size(known.size)
    matrices.check_output(out)
    count = matrices.draw_structures(known.size, out, known.seed)
    print(f"wrote {out}: {count} structures")
    return 0


def show_run(args: list[str]) -> int:
    """Draw each U of a run's checkpoint, its eigenvalues and its singular values."""
    parser = new_parser(
        "rnnzoo show run",
        "Draw each recurrent matrix of a run, with its eigenvalues and singular values.",
        "rnnzoo show run runs/mine --out run.png",
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="a run folder")
    parser.add_argument("--out", type=Path, default=Path("run.png"), help="picture to write (run.png)")
    parser.add_argument("--seed", type=int, default=0, help="which of the run's seeds, from 0 (0)")
    parser.add_argument("--checkpoint", choices=("last", "best"), default="last", help="which one (last)")
    add_data_dir(parser)
    known = parser.parse_args(args)
    if known.seed < 0:
        raise UsageError(f"--seed is {known.seed}; accepted: 0 or more")
    check_output(known.out)
    drawn, there = draw_run(known.run_dir, known.out, warn, known.seed, known.checkpoint)
    print(f"wrote {known.out}: {drawn} of {there} recurrent matrices")
    return 0


def _drawing(
    name: str, what: str, *examples: str, passes_help: bool = False, size: int = 32
) -> argparse.ArgumentParser:
    """The options of pictures of structures."""
    prog = f"rnnzoo show {name}"
    parser = new_parser(prog, what, *(f"{prog} {example}" for example in examples), passes_help=passes_help)
    parser.add_argument("--size", type=int, default=size, help=f"hidden units ({size})")
    parser.add_argument("--seed", type=int, default=0, help="seed of the matrices (0)")
    parser.add_argument("--out", type=Path, help=f"picture to write ({'NAME' if passes_help else name}.png)")
    return parser


def _check_size(size: int) -> None:
    if size < 1:
        raise UsageError(f"--size is {size}; accepted: 1 or more")


__all__ = ["main"]
