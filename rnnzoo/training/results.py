"""The results of a run, for people and programs: final.json."""

import importlib.metadata
import json
import os
import platform
from typing import Any

import jax
import numpy as np

from rnnzoo.counts import nonzeros_u, num_params
from rnnzoo.disk import read_json
from rnnzoo.models import Model
from rnnzoo.tasks.data import Data
from rnnzoo.training.config import Config
from rnnzoo.training.record import Record, Scores, finite
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.solved import first_solved, is_solved
from rnnzoo.version import __version__


def median_and_range(values: list[float]) -> float | dict[str, Any]:
    """The value of one seed; of several, median, range, and each."""
    if len(values) == 1:
        return values[0]
    return {"median": float(np.median(values)), "min": min(values), "max": max(values), "per_seed": values}


def of_seeds(scores: Scores) -> dict[str, Any]:
    """Each score as `median_and_range`."""
    return {name: median_and_range(values) for name, values in scores.items()}


def seeds_of(metrics: dict[str, Any]) -> Scores:
    """The inverse of `of_seeds`."""
    return {name: value["per_seed"] if isinstance(value, dict) else [value] for name, value in metrics.items()}


def in_words(value: Any) -> str:
    """A score, or its median and range over seeds."""
    if isinstance(value, dict):
        return "median {median:.4f} [{min:.4f}, {max:.4f}] of ".format(**value) + f"{len(value['per_seed'])} seeds"
    return f"{value:.4f}"


def ranged(value: Any) -> str:
    """The same without a word, for tables: ``0.12 [0.1, 0.2]``."""
    if isinstance(value, dict):
        return f"{value['median']:.4g} [{value['min']:.4g}, {value['max']:.4g}]"
    return f"{value:.4g}"


def final_results(
    config: Config,
    model: Model,
    data: Data,
    *,
    scores: Scores,
    validation: Scores,
    best: dict[str, Any] | None,
    record: Record,
) -> dict[str, Any]:
    """The contents of final.json. `scores` (on the test set) and `validation` are those of the last step, and `best`
    has step, scores and validation scores of the best checkpoint. Times are without evaluation."""
    solved = [is_solved(config.task, s) for s in scores[config.task.metric]]
    count = None if None in solved else sum(map(bool, solved))
    return {
        "metrics": of_seeds(scores),
        "validation": of_seeds(validation),
        "best": best and {"step": best["step"], **{name: of_seeds(best[name]) for name in ("metrics", "validation")}},
        "baseline": config.task.baselines(data),
        "solved": count if count is None or config.seeds > 1 else bool(count),
        "solved_at": config.task.solved_at,
        **first_solved(config.task, record.lines, config.seeds),
        "seeds": config.seeds,
        "seconds": round(record.seconds, 3),
        "steps": record.step,
        "params": num_params(model),
        "nonzeros_u": nonzeros_u(model),
        "device": device(),
        "versions": versions(),
    }


def known_scores(folder: RunFolder, step: int) -> Scores:
    """The test scores of the last or the best checkpoint of a run, {} while the run is not complete."""
    logged = [r["scores"] for r in folder.records() if r["step"] == step and "scores" in r]
    if logged:
        return logged[-1]
    path = folder.path / "final.json"
    best = read_json(path).get("best") if path.exists() else None
    found = best["metrics"] if best and best["step"] == step else {}
    return seeds_of(found)


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
    return {"python": platform.python_version(), "rnnzoo": __version__, **found}


def environment() -> dict[str, str]:
    """What results depend on besides the configuration: versions, and the devices."""
    return {**versions(), "device": device(), "number of devices": str(jax.local_device_count())}


def to_text(value: Any) -> str:
    """Indented JSON."""
    return json.dumps(finite(value), indent=1, allow_nan=False) + "\n"


__all__ = [
    "device",
    "environment",
    "final_results",
    "in_words",
    "known_scores",
    "median_and_range",
    "of_seeds",
    "ranged",
    "seeds_of",
    "to_text",
    "versions",
]
