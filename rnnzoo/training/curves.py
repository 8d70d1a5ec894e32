"""Learning curves as a picture."""

from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo.training.config import Config
from rnnzoo.training.lengths import at_lengths


def draw_curves(config: Config, records: list[dict[str, Any]], result: dict[str, Any], path: Path) -> None:
    """Write the picture of `curves_figure` to a file."""
    curves_figure(config, records, result).savefig(path, dpi=120)


def curves_figure(config: Config, records: list[dict[str, Any]], result: dict[str, Any]) -> Any:
    """The loss and the validation score over steps: each seed faint, the median bold, the baselines dotted.

    Args:
        config: the run's configuration.
        records: the lines of metrics.jsonl.
        result: the contents of final.json.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    task, validated = config.task, [r for r in records if "validation" in r]
    label = f"training loss ({task.loss_unit})" if task.loss_unit else "training loss"
    _draw(left, [r["step"] for r in records], [r["loss"] for r in records], label)
    steps, label = [r["step"] for r in validated], task.metric.replace("_", " ")
    _draw(right, steps, [r["validation"][task.metric] for r in validated], f"validation {label}")
    baselines, longer = result["baseline"], at_lengths(config)
    for i, (name, value) in enumerate(baselines.items()):
        right.axhline(value, color=f"C{i + 1}", linestyle=":", label=name.replace("_", " "))
    for i, (times, name) in enumerate(longer.items(), 1 + len(baselines)):
        medians = [np.median(r["validation"][name]) for r in validated]
        right.plot(steps, medians, color=f"C{i}", linewidth=1.2, label=f"{times} x the training length")
    if baselines or longer:
        right.legend(frameon=False, fontsize="small")
    if min((min(r["loss"]) for r in records), default=0) > 0:
        left.set_yscale("log")
    figure.suptitle(f"{type(task).__name__}, {type(config.cell).__name__}", fontsize="medium")
    return figure


def _draw(axes: Any, steps: list[int], values: list[list[float]], label: str) -> None:
    for seed in range(len(values[0]) if len(values) and len(values[0]) > 1 else 0):
        axes.plot(steps, [v[seed] for v in values], color="C0", alpha=0.25, linewidth=0.8)
    axes.plot(steps, [np.median(v) for v in values], color="C0", linewidth=1.8, marker="." if len(steps) < 3 else None)
    axes.set_xlabel("step")
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)


__all__ = ["curves_figure", "draw_curves"]
