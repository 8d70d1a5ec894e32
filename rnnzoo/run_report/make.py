"""A report from a run folder."""

import html
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo.analysis.comparison import Run, comparison_figure, read_run
from rnnzoo.analysis.run_picture import run_figure
from rnnzoo.disk import read_bytes, write_whole
from rnnzoo.drawing import inline, saved, without_heading
from rnnzoo.page.render import check_jinja, render
from rnnzoo.shown import in_short
from rnnzoo.spec import UsageError
from rnnzoo.spec_json import flattened, to_json
from rnnzoo.training.description import config_in_words, description, verdict
from rnnzoo.training.results import of_seeds, ranged
from rnnzoo.training.run_folder import RunFolder

NAME = "report.html"
GENERATOR = "rnnzoo report"
COMMANDS = """rnnzoo train {folder}/config.json --workdir runs/again
rnnzoo evaluate {folder}
rnnzoo verify {folder}"""


def check_page(path: Path) -> None:
    """Raise `UsageError` if no page can be written there: no folder, or a file that no report made."""
    if path.is_dir() or path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out is {str(path)!r}; accepted: a name that ends in .html")
    if not path.parent.is_dir():
        raise UsageError(
            f"--out is {str(path)!r}, but there is no folder {str(path.parent)!r}; accepted: one that exists"
        )
    if path.exists() and f'content="{GENERATOR}"'.encode() not in read_bytes(path):
        raise UsageError(f"{path} exists and was not made by this command; accepted: another --out")


def make_run_report(folder: Path, path: Path, command: str, warn: Callable[[str], object]) -> None:
    """Write the page of a run, which may be unfinished.

    Raises:
        UsageError: there is no such run, or the page cannot be written.
    """
    run = read_run(folder)
    check_jinja()
    check_page(path)
    begun = RunFolder(folder).begun() or {}
    task = run.config.task
    page = render(
        __package__ or "",
        "run.html",
        generator=GENERATOR,
        command=command,
        title=config_in_words(run.config),
        task=f"{in_short(task)}, {task.metric.replace('_', ' ')} ({task.better} is better)",
        verdict=_verdict(run),
        scores=_scores(run),
        curves=_curves(run),
        matrices=_matrices(folder, warn),
        trained=_trained(run, folder, warn),
        config=[(name, value) for name, value, _ in flattened(run.config)],
        json=to_json(run.config, indent=1),
        commands=COMMANDS.format(folder=shlex.quote(str(folder))),
        own=", ".join(begun.get("definitions", {})),
        environment=_environment(run, begun.get("environment", {})),
    )
    write_whole(path, page)


def _verdict(run: Run) -> str:
    if run.final:
        said = verdict(run.config.task, run.final)
        return said[0].upper() + said[1:] + "."
    return f"Not complete: step {run.steps}, {run.config.task.metric} {run.score}."


def _scores(run: Run) -> dict[str, Any]:
    """The table of scores, the headline first, with the baselines below it."""
    headline = run.config.task.metric
    seeds = f", median and range of {run.config.seeds} seeds" if run.config.seeds > 1 else ""
    if not run.final:
        judged = [line["validation"] for line in run.lines if "validation" in line][-1:]
        columns = {f"newest validation{seeds}": of_seeds(scores) for scores in judged}
    else:
        columns = {f"test, step {run.steps}{seeds}": run.final["metrics"]}
        if best := run.final["best"]:
            columns[f"test, best checkpoint, step {best['step']:,}"] = best["metrics"]
        columns["validation"] = run.final["validation"]
    names = sorted(dict.fromkeys(n for scores in columns.values() for n in scores), key=lambda n: n != headline)
    lines = [[name, *(ranged(scores[name]) for scores in columns.values())] for name in names]
    empty = ["-"] * (len(columns) - 1)
    lines += [[f"baseline {name}", f"{value:.4g}", *empty] for name, value in run.final.get("baseline", {}).items()]
    return {"header": ["score", *columns], "lines": [[line[0].replace("_", " "), *line[1:]] for line in lines]}


def _curves(run: Run) -> dict[str, str]:
    if not run.lines:
        return _missing("curves", "Curves", "Nothing has been logged yet.")
    figure = comparison_figure([run])
    loss = [float(np.median(line["loss"])) for line in run.lines]
    several = "Lines are medians over seeds, bands their range. " if run.config.seeds > 1 else ""
    caption = f"{several}Dotted: baselines on the test part, and the score from which on the task counts as solved."
    alt = f"The training loss goes from {loss[0]:.4g} to {loss[-1]:.4g} in {run.lines[-1]['step']:,} steps."
    return _drawn("curves", "Curves", caption, figure, alt)


def _matrices(folder: Path, warn: Callable[[str], object]) -> dict[str, str]:
    title = "Recurrent matrices"
    try:
        figure, drawn, there = run_figure(folder, warn)
    except UsageError as error:
        return _missing("matrices", title, f"Not drawn: {error}.")
    caption = (
        "U of the last checkpoint, its eigenvalues beside the unit circle, and its singular values. Blue: negative, "
        "orange: positive, blank: not connected; grey: before training. A large matrix with few diagonals is drawn by "
        f"these. Of the first seed; {drawn} of {there} matrices."
    )
    return _drawn("matrices", title, caption, figure, f"{drawn} recurrent matrices.")


def _missing(name: str, title: str, why: str) -> dict[str, str]:
    return {"name": name, "title": title, "svg": "", "missing": why}


def _drawn(name: str, title: str, caption: str, figure: Any, alt: str) -> dict[str, str]:
    without_heading(figure)
    svg = inline(saved(figure, "svg").decode("utf-8"), name, html.escape(title), html.escape(alt))
    return {"name": name, "title": title, "caption": caption, "svg": svg}


def _trained(run: Run, folder: Path, warn: Callable[[str], object]) -> list[tuple[str, str]]:
    """What was trained, in words; what needs the data only where they are there."""
    try:
        data = run.config.task.open()
        RunFolder(folder).check_data(run.config.task, data)
        return list(description(run.config, run.config.network(data), data, folder).items())
    except UsageError as error:
        warn(f"the report says less of the network: {error}")
        return [("task", in_short(run.config.task)), ("network", config_in_words(run.config)), ("data", str(error))]


def _environment(run: Run, begun: dict[str, str]) -> list[tuple[str, str]]:
    """Devices and versions at the end, and where the run began with others; the time."""
    ended = {**run.final.get("versions", {}), **({"device": run.final["device"]} if run.final else {})} or begun
    found = []
    for name, value in ended.items():
        before = begun.get(name, value)
        found.append((name, value if before == value else f"{value}; at first {before}"))
    seconds = run.lines[-1].get("seconds", 0.0) if run.lines else 0.0
    return [*found, ("training", f"{seconds:,.1f} s, without compilation and evaluation")]


__all__ = ["NAME", "check_page", "make_run_report"]
