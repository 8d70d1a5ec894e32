"""Runs side by side: what came out, what differs in their configurations, and their curves in one picture."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rnnzoo.disk import read_json
from rnnzoo.drawing import SERIES, heading, new_figure, style
from rnnzoo.shown import in_short
from rnnzoo.spec import UsageError
from rnnzoo.spec_json import flattened
from rnnzoo.training.config import Config
from rnnzoo.training.curves import curves_figure, draw_goals, draw_loss, draw_score, scale, scores
from rnnzoo.training.record import Line
from rnnzoo.training.results import median_and_range, ranged
from rnnzoo.training.run_folder import RunFolder

MOST = len(SERIES)  # runs in a picture


@dataclasses.dataclass(frozen=True)
class Run:
    """A run folder as it is now."""

    name: str
    config: Config
    lines: list[Line]
    final: dict[str, Any]
    """The contents of final.json; {} while the run is not complete."""

    @property
    def score(self) -> str:
        """The median of seeds with their range: of the test part at the end, before it the newest validation score."""
        metric = self.config.task.metric
        if self.final:
            return ranged(self.final["metrics"][metric])
        judged = [line for line in self.lines if "validation" in line]
        return f"{ranged(median_and_range(judged[-1]['validation'][metric]))} (validation)" if judged else "-"

    @property
    def steps(self) -> str:
        """How far it is."""
        now = self.lines[-1]["step"] if self.lines else 0
        return f"{now:,}" if self.final else f"{now:,} of {self.config.steps:,}"


def read_run(path: Path, name: str = "") -> Run:
    """The run in a folder.

    Raises:
        UsageError: there is none.
    """
    folder = RunFolder(path)
    config, file = folder.config(), path / "final.json"
    return Run(name or str(path), config, list(folder.records()), read_json(file) if file.is_file() else {})


def read_runs(paths: Sequence[Path], warn: Callable[[str], object]) -> list[Run]:
    """The runs in folders, with a warning where their scores are not to be compared."""
    if doubled := [str(path) for n, path in enumerate(paths) if path in paths[:n]]:
        raise UsageError(f"{doubled[0]} is given twice; accepted: each run once")
    runs = [read_run(path) for path in paths]
    tasks = dict.fromkeys(in_short(run.config.task) for run in runs)
    if len({type(run.config.task) for run in runs}) > 1:
        warn(f"the runs are of different tasks, and a score of one says nothing about another: {', '.join(tasks)}")
    elif len(tasks) > 1:
        warn(f"the tasks differ in their fields, and scores with them: {', '.join(tasks)}")
    if unfinished := [run.name for run in runs if not run.final]:
        warn(f"not complete, and judged by validation scores: {', '.join(unfinished)}")
    return runs


def subject(runs: Sequence[Run]) -> str:
    """What the runs are, in words; their task and its score if they have one."""
    many = f"{len(runs)} run{'s' * (len(runs) > 1)}"
    first = runs[0].config.task
    if any(run.config.task != first for run in runs):
        return many
    return f"{many} of {in_short(first)}, by {first.metric} ({first.better} is better)"


def table(runs: Sequence[Run]) -> list[dict[str, str]]:
    """A row for each run."""
    several = any(run.config.task != runs[0].config.task for run in runs)
    return [
        {
            "run": run.name,
            **({"task": in_short(run.config.task), "metric": run.config.task.metric} if several else {}),
            "cell": in_short(_without_structure(run.config)),
            "structure": ", ".join(dict.fromkeys(in_short(s) for s in run.config.cell.structures.values())) or "-",
            "params": f"{run.final['params']:,}" if run.final else "-",
            "score": run.score,
            "steps": run.steps,
            "seconds": f"{run.lines[-1].get('seconds', 0.0):,.1f}" if run.lines else "-",
        }
        for run in runs
    ]


def _without_structure(config: Config) -> Any:
    """The cell, with the default in place of its structure, which has a column."""
    fields = {f.name: f.default for f in dataclasses.fields(config.cell)}
    if "structure" not in fields:
        return config.cell
    return dataclasses.replace(config.cell, structure=fields["structure"])  # pyright: ignore[reportCallIssue]


def differences(runs: Sequence[Run]) -> list[dict[str, str]]:
    """A row for each field of the configurations in which they are not all the same. What only some have, such as the
    fields of another cell, is there where it is not at its default."""
    flat = [{name: (str(value), is_default) for name, value, is_default in flattened(r.config)} for r in runs]
    found = []
    for name in dict.fromkeys(name for one in flat for name in one):
        values = [one.get(name) for one in flat]
        present = [value for value in values if value is not None]
        told = len({value for value, _ in present}) > 1
        if len(present) < len(values):
            told = any(not is_default for _, is_default in present)
        if told:
            said = ("-" if value is None else value[0] for value in values)
            found.append({"field": name, **dict(zip((r.name for r in runs), said, strict=True))})
    return found


def comparison_figure(runs: Sequence[Run]) -> Any:
    """Of a complete run alone its curves. Of several the loss in one panel, and a panel for each score that they are
    judged by: medians of seeds as lines, ranges as bands, baselines and thresholds where all have one task.

    Raises:
        UsageError: there are more runs than colours.
    """
    if len(runs) > MOST:
        raise UsageError(f"{len(runs)} runs are too many for a picture; accepted: up to {MOST}")
    if len(runs) == 1 and runs[0].final:
        return curves_figure(runs[0].config, runs[0].lines, runs[0].final)
    metrics = list(dict.fromkeys((type(run.config.task), run.config.task.metric) for run in runs))
    with style():
        figure = new_figure(4.8 * (1 + len(metrics)), 4)
        first, *others = figure.subplots(1, 1 + len(metrics))
        for run, colour in zip(runs, SERIES, strict=False):
            draw_loss(first, run.config, run.lines, colour)
        if len(metrics) > 1:  # whose losses may have different units
            first.set_title("training loss")
        for axes, metric in zip(others, metrics, strict=True):
            _draw_scores(axes, runs, metric)
        tasks = dict.fromkeys(in_short(run.config.task) for run in runs)
        heading(figure, f"{len(runs)} runs compared" if len(runs) > 1 else runs[0].name, ", ".join(tasks))
        _legend(figure, [run.name for run in runs])
    return figure


def _draw_scores(axes: Any, runs: Sequence[Run], metric: tuple[type, str]) -> None:
    own = [
        (run, colour)
        for run, colour in zip(runs, SERIES, strict=False)
        if (type(run.config.task), run.config.task.metric) == metric
    ]
    for run, colour in own:
        draw_score(axes, run.config, run.lines, colour, longer=False)
    first = own[0][0]
    same = all(run.config.task == first.config.task for run, _ in own)
    baselines = first.final.get("baseline", {}) if same else {}
    scale(axes, [*(v for run, _ in own for v in scores(run.config, run.lines)), *baselines.values()], first.config)
    draw_goals(axes, first.config, baselines)


def _legend(figure: Any, names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, linewidth=2.5, label=n) for n, colour in zip(names, SERIES, strict=False)]
    figure.legend(handles=handles, loc="outside lower left", ncols=4, fontsize=9.5)


__all__ = ["Run", "comparison_figure", "differences", "read_run", "read_runs", "subject", "table"]
