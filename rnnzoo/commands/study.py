"""``rnnzoo study FILE``: train all rows of a study, and ``rnnzoo study report``: make its page."""

import re
import shlex
import sys
from pathlib import Path
from typing import Any

from rnnzoo.commands.arguments import add_data_dir, new_parser
from rnnzoo.spec import UsageError
from rnnzoo.study.plan import Study, load_study
from rnnzoo.study.runner import Runner, Work
from rnnzoo.study.summary import summary
from rnnzoo.study.table import Table, columns
from rnnzoo.training.named import named_files
from rnnzoo.training.progress import duration


def main(args: list[str], prog: str = "rnnzoo study") -> int:
    """Train the rows of a study."""
    if args[:1] == ["report"]:
        from rnnzoo.commands.study_report import main as report

        return report(args[1:], f"{prog} report")
    parser = new_parser(
        prog,
        "Train all configurations of a study, several seeds of each, and write one table of results. Configurations\n"
        "that differ in numbers, seeds and the zeros of U alone share one compiled program.\n"
        f"{prog} report TABLE... --out DIR makes a page of tables that are there.",
        f"{prog} addition",
        f"{prog} my_study.py",
        f"{prog} configs/studies/addition.py --resume",
        f"{prog} configs/studies/addition.py --only 'band' --out results/bands.csv",
        f"{prog} configs/studies/addition.py --commands > jobs.txt",
        f"{prog} report results/*.csv --out docs/answer",
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="a Python file that defines `study`, or the name of a study"
    )
    parser.add_argument("--out", metavar="FILE.csv", type=Path, help="the table (results/<name of the study>.csv)")
    parser.add_argument("--resume", action="store_true", help="go on with a table that is there")
    parser.add_argument("--only", metavar="REGEX", help="only the rows whose name has a match")
    parser.add_argument("--commands", action="store_true", help="print a command for each row, and run nothing")
    add_data_dir(parser)
    known = parser.parse_args(args)
    if known.file is None:
        raise UsageError(f"FILE is missing; accepted: a Python file, or a name, of {', '.join(named_files('studies'))}")
    study = load_study(known.file)
    if known.only is not None:
        study = study.only(known.only)
    if known.commands:
        print("\n".join(_commands(study, known.file)))
        return 0
    out = known.out or Path("results") / f"{Path(known.file).stem}.csv"
    return run(study, out, known.resume)


def run(study: Study, out: Path, resume: bool) -> int:
    """Run what the table lacks, and print the table in short."""
    table = Table(out, columns(study.rows))
    progress = Lines(out)
    runner = Runner(study, table, progress)
    runner.check()
    table.open(resume)
    try:
        runner.run()
    finally:
        progress.close()
    print(summary(table.lines))
    print(f"{len(table.lines)} lines in {out}")
    return 0


def _commands(study: Study, file: str) -> list[str]:
    """One command a row, each with a table of its own."""
    folder = Path("results") / Path(file).stem
    return [
        f"python -m rnnzoo study {shlex.quote(file)} --only {shlex.quote('^' + re.escape(name) + '$')} "
        f"--out {shlex.quote(str(folder / (_plain(name) + '.csv')))} --resume"
        for name in study.rows
    ]


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name)


class Lines:
    """What a study prints while it runs: a line for each pack; on a terminal also a bar with the time left."""

    def __init__(self, out: Path):
        self.out = out
        self.bar: Any = None
        if sys.stdout.isatty():
            from rich.progress import BarColumn, Progress, TextColumn

            self.bar = Progress(
                BarColumn(), TextColumn("{task.percentage:.0f} %  {task.fields[left]} left"), transient=True
            )
            self.task = self.bar.add_task("", total=1.0, left="-:--")
            self.bar.start()

    def __call__(self, text: str, work: Work) -> None:
        left = duration(work.seconds_left) if work.done else "-:--"
        if text:
            self._line(f"{100 * work.done / max(work.total, 1):3.0f} %  {left:>6} left  {_short(text)}")
        if self.bar is not None:
            self.bar.update(self.task, completed=work.done / max(work.total, 1), left=left)

    def _line(self, text: str) -> None:
        if self.bar is not None:
            self.bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, flush=True)

    def close(self) -> None:
        """End the bar."""
        if self.bar is not None:
            self.bar.stop()


def _short(text: str, width: int = 90) -> str:
    names, _, rest = text.rpartition(": ")
    return f"{names if len(names) <= width else names[: width - 4] + ' ...'}: {rest}"


__all__ = ["Lines", "main", "run"]
