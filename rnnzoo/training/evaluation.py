"""A run's checkpoint on its own task or on another one that its network can read and answer."""

from pathlib import Path
from typing import Any, NamedTuple

from rnnzoo.spec import UsageError
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Data, Part
from rnnzoo.training.config import Config
from rnnzoo.training.record import Scores
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import evaluate
from rnnzoo.training.warm_start import stored_state


class Judged(NamedTuple):
    """Scores, the checkpoint that they are of, and the data that they were measured on."""

    scores: Scores
    step: int
    data: Data


def evaluate_run(path: Path, config: Config, which: str, warn: Any, part: Part = "test") -> Scores:
    """The scores that `judge_run` finds."""
    return judge_run(path, config, which, warn, part).scores


def judge_run(path: Path, config: Config, which: str, warn: Any, part: Part = "test") -> Judged:
    """Name -> score of each seed, of a run's checkpoint, the "last" or the "best", on a part of the data of
    `config.task`, which is the run's own task or a changed one."""
    folder = RunFolder(path)
    own = folder.config()
    own_data = own.task.open()
    folder.check_data(own.task, own_data)  # even for another task: they say what the network's inputs mean
    data = own_data if config.task == own.task else config.task.open()
    if reason := own.task.differs(config.task) or _difference(own.task, own_data, config.task, data):
        raise UsageError(f"the run in {path} cannot be evaluated on this task: {reason}")
    step, state = stored_state(folder, own, own.network(own_data), which, warn)
    return Judged(evaluate(config, config.network(data), state["params"], data.held_out(part)), step, data)


def _difference(own: Task, own_data: Data, other: Task, data: Data) -> str | None:
    """Why a network for one task's data cannot read or answer the other's; None if it can."""
    if own_data.symbols != data.symbols:
        return f"its tokens are the characters of {own}, not of {other}"
    sizes, others = ((d.input_size, d.output_size) for d in (own_data, data))
    if sizes == others:
        return None
    return f"it has {sizes[0]} inputs and {sizes[1]} outputs; this task has {others[0]} and {others[1]}"


__all__ = ["Judged", "evaluate_run", "judge_run"]
