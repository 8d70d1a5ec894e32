"""``rnnzoo report RUN_DIR``: a run as one HTML file."""

import shlex
from pathlib import Path

from rnnzoo.commands.arguments import add_data_dir, new_parser
from rnnzoo.commands.exits import warn
from rnnzoo.run_report import NAME, make_run_report


def main(args: list[str], prog: str = "rnnzoo report") -> int:
    """Make the page of a run."""
    parser = new_parser(
        prog,
        "A run as one HTML file, which needs no network: what was trained, scores beside baselines, curves, recurrent\n"
        "matrices, the configuration and how to run it again, versions and devices. A run may be unfinished.",
        f"{prog} runs/mine",
        f"{prog} runs/mine --out mine.html",
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="a run folder")
    parser.add_argument("--out", metavar="FILE", type=Path, help=f"page to write (RUN_DIR/{NAME})")
    add_data_dir(parser)
    known = parser.parse_args(args)
    out = known.out or known.run_dir / NAME
    make_run_report(known.run_dir, out, shlex.join([*prog.split(), *args]), warn)
    print(f"wrote {out}")
    return 0


__all__ = ["main"]
