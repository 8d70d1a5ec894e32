"""What a run tells people and programs: progress lines, final.json, learning curves."""

import importlib.metadata
import json
import math
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

import rnnzoo
from rnnzoo.base import Affine, Cell, Recurrent
from rnnzoo.config import Config
from rnnzoo.facts import structure_of
from rnnzoo.models import Model
from rnnzoo.typing import Key, Params, PyTree
from rnnzoo.wrappers.base import Wrapper


class Progress:
    """One line per log step; on a terminal also a live bar."""

    def __init__(self, config: Config):
        self.config = config
        self._bar: Any = None
        if sys.stdout.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

            self._bar = Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), transient=True)
            self._task = self._bar.add_task("training", total=config.steps)
            self._bar.start()

    def line(self, text: str) -> None:
        """Print a line of text."""
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, flush=True)

    def warn(self, text: str) -> None:
        """Print a warning, to standard error."""
        print(f"warning: {text}", file=sys.stderr, flush=True)

    def step(self, record: dict[str, Any], scores: dict[str, list[float]]) -> None:
        """Report one line of metrics.jsonl and the newest scores."""
        metric, steps = self.config.task.metric, self.config.steps
        left = (steps - record["step"]) / record["steps_per_second"]
        score = f"{metric} {np.median(scores[metric]):.4f}" if scores else f"{metric} -"
        self.line(
            f"step {record['step']:>{len(str(steps))}}/{steps}  loss {np.median(record['loss']):.4f}  {score}  "
            f"{record['steps_per_second']:.0f} steps/s  {duration(left)} left"
        )
        if self._bar is not None:
            self._bar.update(self._task, completed=record["step"])

    def close(self) -> None:
        """End the live bar."""
        if self._bar is not None:
            self._bar.stop()


def duration(seconds: float) -> str:
    """A time in minutes and seconds, such as 3:07."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def spread(values: list[float]) -> float | dict[str, Any]:
    """The value of one seed; of several, median, range, and each."""
    if len(values) == 1:
        return values[0]
    return {"median": float(np.median(values)), "min": min(values), "max": max(values), "per_seed": values}


def final(config: Config, model: Model, scores: dict[str, list[float]], data: PyTree, seconds: float) -> dict[str, Any]:
    """The contents of final.json. `scores` are those of the last step; times are without evaluation."""
    solved = [is_solved(config, s) for s in scores[config.task.metric]]
    count = None if None in solved else sum(map(bool, solved))
    return {
        "metrics": {name: spread(values) for name, values in scores.items()},
        "baseline": config.task.baselines(data),
        "solved": count if count is None or config.seeds > 1 else bool(count),
        "solved_at": config.task.solved_at,
        "seeds": config.seeds,
        "seconds": round(seconds, 3),
        "steps": config.steps,
        "params": num_params(model),
        "nonzeros_u": nonzeros_u(model),
        "device": device(),
        "versions": versions(),
    }


def is_solved(config: Config, score: float) -> bool | None:
    """Whether a score reaches the task's threshold; None if the task has none."""
    threshold = config.task.solved_at
    if threshold is None:
        return None
    return score < threshold if config.task.better == "lower" else score > threshold


def num_params(model: Model) -> int:
    """How many numbers of a network are free."""
    unused = sum(_unused(model.cell, model.layer_input_size(i)) for i in range(model.stack.layers))
    return _stored(model.init) - len(model.directions) * unused


def num_cell_params(cell: Cell, input_size: int) -> int:
    """How many numbers of a cell are free."""
    return _stored(lambda key: cell.init(key, input_size)) - _unused(cell, input_size)


def _stored(init: Callable[[Key], Params]) -> int:
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(jax.eval_shape(lambda: init(jax.random.key(0)))))


def _unused(cell: Cell, input_size: int) -> int:
    """Numbers that are stored but have no effect: the corners of a band."""
    structure = structure_of(cell)
    if structure is None:
        return 0
    gates = jax.eval_shape(lambda: cell.init(jax.random.key(0), input_size))["u"].values()
    stored = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(list(gates)))
    return stored - len(gates) * structure.num_params(cell.hidden_size)


def nonzeros_of(cell: Cell) -> int:
    """Entries of a cell's recurrent or transition matrices that may differ from 0, over all gates."""
    if isinstance(cell, Wrapper):
        return nonzeros_of(cell.cell)
    if isinstance(cell, Recurrent):
        gates = cell.gates if cell.recurrent_gates is None else cell.recurrent_gates
        return len(gates) * cell.structure.nonzeros(cell.hidden_size)
    return cell.transition.nonzeros(cell.hidden_size) if isinstance(cell, Affine) else 0


def nonzeros_u(model: Model) -> int:
    """The same for all layers and directions of a network."""
    return model.stack.layers * len(model.directions) * nonzeros_of(model.cell)


def device() -> str:
    """The device that ran it, in words."""
    first = jax.devices()[0]
    if first.platform == "cpu":
        return f"cpu ({platform.machine()}, {os.cpu_count()} cores)"
    return f"{first.platform} ({first.device_kind})"


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide the result."""
    names = ("jax", "jaxlib", "optax", "numpy")
    found = {name: importlib.metadata.version(name) for name in names}
    return {"python": platform.python_version(), "rnnzoo": rnnzoo.__version__, **found}


def to_text(value: Any) -> str:
    """Indented JSON."""
    return json.dumps(value, indent=1) + "\n"


def curves(config: Config, records: list[dict[str, Any]], result: dict[str, Any], path: Path) -> None:
    """Draw loss and score over steps: each seed faint, the median bold, the baselines dotted."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(left, [r["step"] for r in records], [r["loss"] for r in records], "training loss")
    task, scored = config.task, [r for r in records if "scores" in r]
    _draw(right, [r["step"] for r in scored], [r["scores"][task.metric] for r in scored], task.metric.replace("_", " "))
    for i, (name, value) in enumerate(result["baseline"].items()):
        right.axhline(value, color=f"C{i + 1}", linestyle=":", label=name.replace("_", " "))
    if result["baseline"]:
        right.legend(frameon=False, fontsize="small")
    if min((min(r["loss"]) for r in records), default=0) > 0:
        left.set_yscale("log")
    figure.suptitle(f"{type(task).__name__}, {type(config.cell).__name__}", fontsize="medium")
    figure.savefig(path, dpi=120)


def _draw(axes: Any, steps: list[int], values: list[list[float]], label: str) -> None:
    for seed in range(len(values[0]) if len(values) and len(values[0]) > 1 else 0):
        axes.plot(steps, [v[seed] for v in values], color="C0", alpha=0.25, linewidth=0.8)
    axes.plot(steps, [np.median(v) for v in values], color="C0", linewidth=1.8, marker="." if len(steps) < 3 else None)
    axes.set_xlabel("step")
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)


__all__ = [
    "Progress",
    "curves",
    "device",
    "final",
    "nonzeros_of",
    "num_cell_params",
    "num_params",
    "spread",
    "versions",
]
