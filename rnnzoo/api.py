"""Training and evaluation as calls: what the commands of the same names do, for scripts and notebooks."""

import contextlib
import datetime
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import jax

from rnnzoo.loggers.logs import Asked, Logs
from rnnzoo.result import Evaluation, Result, arrays_of, curves_of
from rnnzoo.spec import UsageError, brief
from rnnzoo.store.model_folder import Trained
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Part
from rnnzoo.training.config import Config
from rnnzoo.training.description import outcome
from rnnzoo.training.evaluation import judge_run
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress, Silent
from rnnzoo.training.record import Line
from rnnzoo.training.results import seeds_of
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.unrolls.base import Unroll


def train(
    config: Config,
    workdir: str | Path | None = None,
    progress: bool | Progress = True,
    callbacks: Sequence[Callable[[Line], object]] = (),
    log: Asked = (),
) -> Result:
    """Train a configuration in a run folder, and return what came out. The same folder again goes on where a run
    stopped, and returns the results of one that is complete.

    Args:
        config: what to train. ``rnnzoo.config.load_config(file)`` reads that of a file or a run.
        workdir: the run folder. None makes a new one, ``runs/<task>-<time>``.
        progress: whether to print the lines that the command prints. Without them, warnings come by `warnings.warn`.
        callbacks: called one after another with each line of the log, once it is in the run folder and a checkpoint
            that is due has been saved. A line is a dict: ``step``; ``loss`` and ``grad_norm``, means over the steps
            since the line before; ``steps_per_second``; ``seconds`` of training so far; after an evaluation
            ``validation``, and at the end ``scores`` of the test part, each name -> score. Losses, norms and scores are
            lists with an entry for each seed. It is a copy. When a callback raises, the run saves a checkpoint of that
            step and ends with that exception.
        log: where the lines go besides the folder, one or several: "csv", "tensorboard", "trackio", "wandb", or a
            member of `rnnzoo.loggers` with fields of its own. A run that goes on goes on in the same log; one that is
            complete is logged as a whole.

    Raises:
        UsageError (a ValueError): the configuration cannot be trained, the folder holds something else, or a logger's
            package is not installed.
        rnnzoo.training.job.Stopped: SIGINT (Ctrl-C) or SIGTERM came in the main thread, and the state has been saved.
        rnnzoo.training.job.Diverged: the loss or a gradient was not finite.
    """
    if not isinstance(config, Config):
        raise UsageError(
            f"train: config is {brief(config)}; accepted: a rnnzoo.config.Config, such as load_config(file) returns"
        )
    folder = new_folder(_in_snake_case(type(config.task).__name__)) if workdir is None else Path(workdir)
    shown = progress if isinstance(progress, Progress) else Progress(config) if progress else Silent(config)
    with contextlib.ExitStack() as stack:
        stack.callback(shown.close)
        logs = stack.enter_context(Logs(log, config, folder, shown.warn))
        job = Job(config, folder, shown, [lambda line: logs.follow(job.record.lines), *callbacks])
        final = job.run()
        logs.follow(job.record.lines)
        for text in (*outcome(config.task, final), *logs.where(), f"run folder: {folder}"):
            shown.line(text)
    per_seed = seeds_of(final["metrics"])
    networks = [
        Trained(
            job.model,
            jax.tree.map(lambda a, n=n: a[n], job.params),
            config,
            {name: values[n] for name, values in per_seed.items()},
            job.data.symbols,
        )
        for n in range(config.seeds)
    ]
    return Result(
        config=config,
        folder=folder,
        networks=tuple(networks),
        per_seed=arrays_of(per_seed),
        baselines=final["baseline"],
        curves=curves_of(job.record.lines),
        final=final,
    )


def evaluate(
    run: Result | str | Path,
    task: Task | None = None,
    *,
    unroll: Unroll | None = None,
    checkpoint: str = "last",
    part: Part = "test",
    warn: Callable[[str], object] = warnings.warn,
) -> Evaluation:
    """The scores of a run's checkpoint, on the run's own task or on a changed one, such as longer sequences.

    Args:
        run: what `train` returned, or a run folder.
        task: what to evaluate on, of the same kind (None: the run's own task).
        unroll: how the recurrences are computed (None: as in the run).
        checkpoint: the "last" or the "best".
        part: of the data: "train", "validation" or "test".
        warn: takes messages, say about a checkpoint that is damaged.

    Raises:
        UsageError (a ValueError): there is no such run or checkpoint, or its network cannot be judged on the task.
    """
    for name, value, accepted in (("checkpoint", checkpoint, ("last", "best")), ("part", part, get_args(Part))):
        if value not in accepted:
            raise UsageError(f"evaluate: {name} is {brief(value)}; accepted: {', '.join(map(repr, accepted))}")
    path = run.folder if isinstance(run, Result) else Path(run)
    own = RunFolder(path).config()
    config = replace(own, task=task or own.task, unroll=unroll or own.unroll)
    judged = judge_run(path, config, checkpoint, warn, part)
    return Evaluation(config.task, part, judged.step, arrays_of(judged.scores), judged.data)


def new_folder(name: str) -> Path:
    """A run folder that is not there yet: ``runs/<name>-<time>``."""
    first = Path("runs") / f"{name}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    path, number = first, 1
    while path.exists():
        path, number = first.with_name(f"{first.name}-{number + 1}"), number + 1
    return path


def _in_snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


__all__ = ["evaluate", "new_folder", "train"]
