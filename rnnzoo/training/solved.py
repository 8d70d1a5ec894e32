"""When a run has solved its task: which scores reach the threshold, and at which evaluation they first did."""

from typing import Any

from rnnzoo.tasks.base import Task
from rnnzoo.training.record import Line, Scores


def is_solved(task: Task, score: float) -> bool | None:
    """Whether a score reaches the task's threshold; None if the task has none."""
    if task.solved_at is None:
        return None
    return score < task.solved_at if task.better == "lower" else score > task.solved_at


def all_solved(task: Task, scores: Scores) -> bool:
    """Whether every seed's score reaches the threshold; False for scores of nothing."""
    return task.metric in scores and all(is_solved(task, score) for score in scores[task.metric])


def first_solved(task: Task, lines: list[Line], seeds: int) -> dict[str, list[Any]]:
    """``solved_step`` and ``solved_seconds`` of each seed: those of the first line whose validation score reaches the
    threshold; None for a seed that has no such line."""
    found = [_first(task, lines, seed) for seed in range(seeds)]
    return {f"solved_{name}": [line.get(name) for line in found] for name in ("step", "seconds")}


def _first(task: Task, lines: list[Line], seed: int) -> Line:
    scores = ((line, line["validation"][task.metric][seed]) for line in lines if "validation" in line)
    return next((line for line, score in scores if is_solved(task, score)), {})


def best_baseline(task: Task, baselines: dict[str, float]) -> str:
    """The name and the score of the best of the task's baselines; "" without any."""
    if not baselines:
        return ""
    name = (min if task.better == "lower" else max)(baselines, key=lambda name: baselines[name])
    return f"{name} {baselines[name]:.4g}"


__all__ = ["all_solved", "best_baseline", "first_solved", "is_solved"]
