"""What a run has found, for people and programs: final.json."""

import importlib.metadata
import json
import os
import platform
from typing import Any

import jax
import numpy as np

from rnnzoo.counts import nonzeros_u, num_params
from rnnzoo.models import Model
from rnnzoo.training.config import Config
from rnnzoo.typing import PyTree
from rnnzoo.version import __version__


def median_and_range(values: list[float]) -> float | dict[str, Any]:
    """The value of one seed; of several, median, range, and each."""
    if len(values) == 1:
        return values[0]
    return {"median": float(np.median(values)), "min": min(values), "max": max(values), "per_seed": values}


def in_words(value: Any) -> str:
    """A score, or its median and range over seeds."""
    if isinstance(value, dict):
        return "median {median:.4f} [{min:.4f}, {max:.4f}] of ".format(**value) + f"{len(value['per_seed'])} seeds"
    return f"{value:.4f}"


def final_results(
    config: Config, model: Model, scores: dict[str, list[float]], data: PyTree, seconds: float
) -> dict[str, Any]:
    """The contents of final.json. `scores` are those of the last step; times are without evaluation."""
    solved = [is_solved(config, s) for s in scores[config.task.metric]]
    count = None if None in solved else sum(map(bool, solved))
    return {
        "metrics": {name: median_and_range(values) for name, values in scores.items()},
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


def to_text(value: Any) -> str:
    """Indented JSON."""
    return json.dumps(value, indent=1) + "\n"


__all__ = ["device", "final_results", "in_words", "is_solved", "median_and_range", "to_text", "versions"]
