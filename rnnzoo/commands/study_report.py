"""``rnnzoo study report TABLE... --out DIR``: a page of the tables of studies."""

import shlex
from pathlib import Path

from rnnzoo.commands.arguments import new_parser
from rnnzoo.spec import UsageError

PREDICTIONS = Path("docs/study/predictions.md")
CHECKS = Path("docs/study/predictions.py")
PUBLISHED = Path("docs/study/published.csv")
TEXT = "answer.md"


def main(args: list[str], prog: str = "rnnzoo study report") -> int:
    """Make a page of tables."""
    parser = new_parser(
        prog,
        "Make a page of the tables that studies wrote: the answer, figures, what became of the predictions, published\n"
        "numbers beside ours, what cannot be said, and all rows. The page is one file and needs no network.\n\n"
        f"The answer is your text: DIR/{TEXT}, or --text. Paragraphs, **bold**, *italic*, `code` and links are\n"
        'understood; what stands below a heading "## What we cannot say" goes to that part of the page. Without a\n'
        "text, the page says what the tables hold and claims nothing.\n\n"
        "A line `- **P1a** text` of the predictions is judged by checks[\"P1a\"], a function of all rows that returns\n"
        "(verdict, words); the verdict is right, wrong, not decided or not run.",
        f"{prog} results/*.csv --out docs/answer",
        f"{prog} results/addition.csv --out /tmp/page --text answer.md",
        f"{prog} mine.csv --out page --predictions mine.md --checks mine.py",
    )  # fmt: skip
    parser.add_argument("tables", metavar="TABLE", nargs="*", type=Path, help="CSV files that studies wrote")
    parser.add_argument("--out", metavar="DIR", type=Path, help="the folder to write; an earlier report is replaced")
    parser.add_argument("--predictions", metavar="FILE", type=Path, help=f"predictions ({PREDICTIONS}, if it is there)")
    parser.add_argument("--checks", metavar="FILE", type=Path, help=f"what judges them ({CHECKS}, if it is there)")
    parser.add_argument("--text", metavar="FILE", type=Path, help=f"the answer (DIR/{TEXT}, if it is there)")
    parser.add_argument("--published", metavar="FILE", type=Path, help=f"others' numbers ({PUBLISHED}, if it is there)")
    known = parser.parse_args(args)
    if not known.tables:
        here = sorted(map(str, Path("results").glob("*.csv")))
        raise UsageError(f"TABLE is missing; tables: {', '.join(here) or 'none in results'}")
    if known.out is None:
        raise UsageError("--out is missing; accepted: a folder, such as --out docs/answer")
    from rnnzoo.study.report.make import Sources, make_report

    sources = Sources(
        tables=known.tables,
        predictions=_given(known.predictions, PREDICTIONS),
        checks=_given(known.checks, CHECKS),
        text=_given(known.text, known.out / TEXT),
        published=_given(known.published, PUBLISHED),
    )
    counts = make_report(sources, known.out, shlex.join(["python", "-m", *prog.split(), *args]))
    said = ", ".join(f"{number} {what}" for what, number in counts.items())
    print(f"wrote {known.out / 'index.html'}: {said}")
    return 0


def _given(path: Path | None, usual: Path) -> Path | None:
    """The file that was named, which has to exist, or the usual one if it does."""
    if path is not None and not path.is_file():
        raise UsageError(f"no file {str(path)!r}")
    return path or (usual if usual.is_file() else None)


__all__ = ["main"]
