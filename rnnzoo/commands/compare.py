"""``rnnzoo compare RUN_DIR...``: runs side by side."""

from pathlib import Path

from rnnzoo.analysis.comparison import comparison_figure, differences, read_runs, subject, table
from rnnzoo.analysis.matrices import check_output, save
from rnnzoo.commands.arguments import new_parser
from rnnzoo.commands.exits import warn
from rnnzoo.commands.tables import print_table

RIGHT = ("params", "score", "steps", "seconds")  # columns that are aligned on the right


def main(args: list[str], prog: str = "rnnzoo compare") -> int:
    """Print a table of runs and what differs in their configurations; draw their curves into one picture."""
    parser = new_parser(
        prog,
        "Runs side by side: scores on the test part as the median of seeds with their range, parameters, steps and\n"
        "seconds of training; then the fields in which their configurations differ. --out draws all curves.",
        f"{prog} runs/dense runs/banded",
        f"{prog} runs/parity-* --out curves.svg",
        f"{prog} runs/mine --out mine.svg   # one run alone",
    )
    parser.add_argument("runs", metavar="RUN_DIR", nargs="+", type=Path, help="run folders, of any age")
    parser.add_argument("--out", metavar="FILE", type=Path, help="picture to write (.svg, .png or .pdf)")
    known = parser.parse_args(args)
    if known.out is not None:
        check_output(known.out)
    runs = read_runs(known.runs, warn)
    if known.out is not None:
        save(comparison_figure(runs), known.out)
    print_table(table(runs), subject(runs), RIGHT)
    if found := differences(runs):
        print_table(found, "differences of configuration")
    elif len(runs) > 1:
        print("no difference of configuration")
    if known.out is not None:
        print(f"wrote {known.out}")
    return 0


__all__ = ["main"]
