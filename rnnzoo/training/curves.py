"""Learning curves as a picture."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rnnzoo.drawing import INK, MUTED, RULE, SERIES, heading, new_figure, plain_log, style
from rnnzoo.shown import in_short
from rnnzoo.training.config import Config
from rnnzoo.training.description import config_in_words
from rnnzoo.training.lengths import at_lengths
from rnnzoo.training.results import in_words
from rnnzoo.training.solved import best_baseline, is_solved

RATIO = 8  # between the largest and the smallest value, from which on an axis is logarithmic
GAP = 0.062  # of the height of a panel, between two labels at its right side


class Label(NamedTuple):
    """A text beside the right end of a panel, at the height of a value."""

    value: float
    text: str
    colour: str


def draw_curves(config: Config, records: list[dict[str, Any]], result: dict[str, Any], path: Path) -> None:
    """Write the picture of `curves_figure` to a file."""
    curves_figure(config, records, result).savefig(path, dpi=120)


def curves_figure(config: Config, records: list[dict[str, Any]], result: dict[str, Any]) -> Any:
    """The loss and the validation score over steps: the median of seeds as a line, their range as a band, baselines
    dotted, each labelled at its end.

    Args:
        config: the run's configuration.
        records: the lines of metrics.jsonl.
        result: the contents of final.json.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    with style():
        figure = new_figure(9.6, 4)
        left, right = figure.subplots(1, 2, sharex=True)
        draw_loss(left, config, records, SERIES[0])
        labels = draw_score(right, config, records, SERIES[0])
        scale(right, [*scores(config, records), *result["baseline"].values()], config)
        draw_goals(right, config, result["baseline"], labels)
        network = f"{config_in_words(config)}; {result['params']:,} parameters"
        heading(figure, network, f"{in_short(config.task)}: {_outcome(config, result)}")
    return figure


def scores(config: Config, records: list[dict[str, Any]]) -> list[float]:
    """All validation scores of all seeds."""
    return [value for r in records if "validation" in r for value in r["validation"][config.task.metric]]


def draw_loss(axes: Any, config: Config, records: list[dict[str, Any]], colour: str) -> None:
    """The training loss, in one panel."""
    losses = [r["loss"] for r in records]
    draw_line(axes, [r["step"] for r in records], losses, colour)
    unit = f" ({config.task.loss_unit})" if config.task.loss_unit else ""
    axes.set_title(f"training loss{unit}")
    finish(axes)
    flat = [v for values in losses for v in values]
    if flat and min(flat) > 0 and max(flat) > RATIO * min(flat):
        axes.set_yscale("log")
        plain_log(axes.yaxis)


def draw_score(
    axes: Any, config: Config, records: list[dict[str, Any]], colour: str, longer: bool = True
) -> list[Label]:
    """The validation score, and with `longer` that on longer sequences. Returns the labels of the lines' ends, if there
    are several."""
    task, judged = config.task, [r for r in records if "validation" in r]
    steps = [r["step"] for r in judged]
    axes.set_title(f"validation {task.metric.replace('_', ' ')} ({task.better} is better)")
    if not judged:
        return []
    own = [r["validation"][task.metric] for r in judged]
    labels = [Label(draw_line(axes, steps, own, colour), "training length", colour)]
    others = {times: key for times, key in at_lengths(config).items() if longer and times != 1}
    for (times, key), tint in zip(others.items(), SERIES[1:], strict=False):
        values = [r["validation"][key] for r in judged]
        labels.append(Label(draw_line(axes, steps, values, tint, band=False), f"{times} x as long", tint))
    finish(axes)
    return labels if others else []


def draw_line(
    axes: Any, steps: Sequence[int], values: Sequence[Sequence[float]], colour: str, band: bool = True
) -> float:
    """The median over seeds as a line, their range as a band. Returns the last median."""
    found = np.asarray(values, float)
    if len(steps) == 0:
        return float("nan")
    if band and found.shape[1] > 1:
        axes.fill_between(steps, found.min(1), found.max(1), color=colour, alpha=0.16, linewidth=0)
    middle = np.median(found, 1)
    axes.plot(steps, middle, color=colour, linewidth=1.8, marker="o" if len(steps) < 4 else None, markersize=4)
    return float(middle[-1])


def draw_goals(axes: Any, config: Config, baselines: dict[str, float], labels: Iterable[Label] = ()) -> None:
    """The threshold of a solved task and each baseline as dotted lines, named at the end where there is room beside the
    `labels`."""
    low, high = sorted(axes.get_ylim())
    found = [Label(value, name.replace("_", " "), MUTED) for name, value in baselines.items()]
    if config.task.solved_at is not None:
        found.insert(0, Label(config.task.solved_at, "solved", INK))
    found = [label for label in found if low <= label.value <= high]
    for label in found:
        axes.axhline(label.value, color=label.colour, linestyle=(0, (1, 2)), linewidth=1, zorder=0)
    label_ends(axes, [*labels, *found])


def label_ends(axes: Any, labels: Sequence[Label]) -> None:
    """Write texts at the right side of a panel, the first ones first: one that would cover another is left out."""
    to_axes = axes.transScale + axes.transLimits
    taken: list[float] = []
    for label in labels:
        height = float(to_axes.transform((0, label.value))[1])
        if not np.isfinite(height) or any(abs(height - other) < GAP for other in taken):
            continue
        taken.append(height)
        axes.text(1.015, height, label.text, transform=axes.transAxes, color=label.colour, fontsize=9, va="center")


def scale(axes: Any, values: Sequence[float], config: Config) -> None:
    """A logarithmic axis for a score of which 0 is the best and that covers a wide range; linear below the smallest
    value if some are 0."""
    known = np.asarray([v for v in values if np.isfinite(v)])
    if config.task.better == "higher" or not known.size or known.min() < 0:
        return
    positive = known[known > 0]
    if not positive.size or known.max() < RATIO * known.min() or known.max() < RATIO * positive.min():
        axes.set_ylim(bottom=max(0.0, axes.get_ylim()[0]))
        return
    if known.min() > 0:
        axes.set_yscale("log")
        plain_log(axes.yaxis)
        return
    smallest = 10.0 ** np.floor(np.log10(positive.min()))
    axes.set_yscale("symlog", linthresh=smallest, linscale=0.6)
    axes.set_ylim(0, 1.5 * known.max())
    powers = smallest * 10.0 ** np.arange(0, np.floor(np.log10(known.max() / smallest) + 1e-6) + 1)
    axes.set_yticks([0, *powers], ["0", *(f"{power:g}" for power in powers)])
    axes.minorticks_off()


def finish(axes: Any) -> None:
    """The axis of steps, from 0 to the last one, as 500, 2k, 10k; lines across at the heights of ticks."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlim(0, max(axes.dataLim.x1, 1))
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(_step))
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)


def _step(value: float, position: int | None) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _outcome(config: Config, result: dict[str, Any]) -> str:
    """The score on the test part, and whether the task is solved."""
    task, score = config.task, result["metrics"][config.task.metric]
    said = f"test {task.metric.replace('_', ' ')} {in_words(score)}"
    best = best_baseline(task, result["baseline"]).replace("_", " ")
    return f"{said}{_solved(config, score)}" + (f"; best baseline {best}" if best else "")


def _solved(config: Config, score: Any) -> str:
    task = config.task
    if task.solved_at is None:
        return ""
    values = score["per_seed"] if isinstance(score, dict) else [score]
    count = sum(bool(is_solved(task, value)) for value in values)
    if len(values) > 1:
        return f", solved by {count}"
    return ", solved" if count else ", not solved"


__all__ = [
    "Label", "curves_figure", "draw_curves", "draw_goals", "draw_loss", "draw_score", "scale", "scores",
]  # fmt: skip
