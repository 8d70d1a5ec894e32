"""A report from tables: figures, page, and the medians of all rows."""

import csv
import dataclasses
import html
import io
from pathlib import Path
from typing import Any

from rnnzoo.drawing import dark, inline, saved, style
from rnnzoo.page.render import check_jinja
from rnnzoo.study.report.answer import QUESTION, limits, plain_answer, read_text_file
from rnnzoo.study.report.compare import comparisons
from rnnzoo.study.report.figures import FIGURES, Drawn, Figure, hero
from rnnzoo.study.report.folder import PAGE, write_files
from rnnzoo.study.report.listing import compared_listing, listings, row_values
from rnnzoo.study.report.loading import load
from rnnzoo.study.report.page import page
from rnnzoo.study.report.predictions import Outcome, load_checks, outcomes, read_predictions
from rnnzoo.study.report.published import read_published
from rnnzoo.study.report.rows import Tables
from rnnzoo.study.report.words import paragraphs

NARROW = 5.5  # inches; a figure up to this width needs no scrolling on a telephone


@dataclasses.dataclass(frozen=True)
class Sources:
    """The files that a report is made of. Those of None are not there."""

    tables: list[Path]
    predictions: Path | None = None
    checks: Path | None = None
    text: Path | None = None
    published: Path | None = None


def make_report(sources: Sources, folder: Path, command: str) -> dict[str, int]:
    """Write a report; how many rows, figures and predictions it has.

    Raises:
        UsageError: a source is not what it should be, or the folder has files that no report made.
    """
    check_jinja()
    tables = load(sources.tables)
    found = _outcomes(sources, tables)
    drawn = {figure: drawn for figure in FIGURES if (drawn := _draw(figure, tables)) is not None}
    files: dict[str, str | bytes] = {"rows.csv": _csv([row_values(row) for row in tables])}
    pictures = {}
    for figure, one in drawn.items():
        pictures[figure.name] = _saved(one.figure, "svg").decode("utf-8")
        files[f"figures/{figure.name}.svg"] = pictures[figure.name]
        files[f"figures/{figure.name}.png"] = _saved(one.figure, "png")
        files[f"figures/{figure.name}.csv"] = _csv(one.data)
    files |= _hero(tables)
    files[PAGE] = page([*files, PAGE], found, **_parts(sources, tables, found, drawn, pictures), command=command)
    write_files(folder, files)
    return {"rows": len(tables), "figures": len(drawn), "predictions": len(found)}


def _outcomes(sources: Sources, tables: Tables) -> list[Outcome]:
    if sources.predictions is None:
        return []
    predictions = read_predictions(sources.predictions)
    if sources.checks is None:
        return [Outcome(p, "not decided", "no --checks was given") for p in predictions]
    checks, tables.concerns = load_checks(sources.checks)
    return outcomes(predictions, checks, tables, sources.checks)


def _parts(
    sources: Sources, tables: Tables, found: list[Outcome], drawn: dict[Figure, Drawn], pictures: dict[str, str]
) -> dict[str, Any]:
    """What the page is filled with."""
    compared = comparisons(tables)
    answer, limits_text = ([], []) if sources.text is None else read_text_file(sources.text)
    return {
        "question": QUESTION,
        "answer": answer or paragraphs(plain_answer(tables, compared, found)),
        "figures": [_part(figure, drawn.get(figure), pictures.get(figure.name), tables) for figure in FIGURES],
        "predictions_file": str(sources.predictions or ""),
        "published": [
            dataclasses.asdict(p) | {"beside": p.beside(tables)}
            for p in (read_published(sources.published) if sources.published else [])
        ],
        "published_file": str(sources.published or ""),
        "limits_text": limits_text,
        "limits": limits(tables, compared, found),
        "tables": [*([compared_listing(compared)] if compared else []), *_numbered(listings(tables))],
    }


def _numbered(tables: list[Any]) -> list[Any]:
    """Names that can stand in the page: a file's own may hold anything."""
    return [dataclasses.replace(table, name=str(i)) for i, table in enumerate(tables, 1)]


def _part(figure: Figure, drawn: Drawn | None, picture: str | None, tables: Tables) -> dict[str, Any]:
    """A figure as the page shows it, or as what it lacks."""
    part: dict[str, Any] = {
        "name": figure.name,
        "title": figure.title,
        "caption": figure.caption,
        "svg": "",
        "small": False,
    }
    files = [figure.study]
    if drawn is not None:
        title, alt = (html.escape(text) for text in (figure.title, drawn.alt))
        part |= {"svg": inline(picture or "", figure.name, title, alt), "small": drawn.figure.get_figwidth() <= NARROW}
        rows = [tables.rows[line["row"]] for line in drawn.data if line.get("row") in tables.rows]
        files = list(dict.fromkeys(f"configs/studies/{row.file.stem}.py" for row in rows)) or files
    return part | {"commands": [f"python -m rnnzoo study {file}" for file in files if file]}


def _draw(figure: Figure, tables: Tables) -> Drawn | None:
    with style():
        return figure.draw(tables)


def _hero(tables: Tables) -> dict[str, str]:
    """The picture for a README, on light and on dark pages. It is not part of the page."""
    with style():
        drawn = hero.draw(tables)
    if drawn is None:
        return {}
    picture = _saved(drawn.figure, "svg").decode("utf-8")
    return {
        "figures/hero.svg": picture,
        "figures/hero-dark.svg": dark(picture),
        "figures/hero.csv": _csv(drawn.data),
    }


def _saved(figure: Any, kind: str) -> bytes:
    """The figure as a file. Its layout is found once, for all files."""
    found = saved(figure, kind)
    figure.set_layout_engine("none")
    return found


def _csv(lines: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for line in lines for name in line))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in line.items()} for line in lines)
    return out.getvalue()


__all__ = ["Sources", "make_report"]
