"""The configuration of a training run: a specification like any other, kept in the run folder as config.json."""

import contextlib
import difflib
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from rnnzoo.cells.base import Cell
from rnnzoo.disk import read_text
from rnnzoo.fields import LARGEST_SEED
from rnnzoo.models import Model, Stack
from rnnzoo.spec import Count, Fraction, NonNegative, Positive, Seed, Size, Spec, UsageError, brief, spec, suggest
from rnnzoo.spec_json import from_dict, to_dict
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Data
from rnnzoo.training.definitions import check_definitions, read_specification
from rnnzoo.training.named import file_of, named_files
from rnnzoo.training.sources import errors_in_one_line, load_file
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.scan import Scan


@spec
class Config(Spec, kind="configs"):
    """One training run: a task, a network, an optimizer, a schedule of work."""

    task: Task
    """What to learn."""
    cell: Cell
    """The recurrent cell of every layer."""
    model: Stack = Stack()
    """How layers are stacked."""
    unroll: Unroll = Scan()
    """How the recurrences are computed."""

    optimizer: Literal["sgd", "adam", "adamw", "rmsprop"] = "adam"
    """The optimizer, from optax."""
    lr: Positive = 1e-3
    """Peak learning rate."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate goes on after the warm-up; linear and cosine reach 0 at the last step."""
    warmup: Count = 0
    """Steps over which the learning rate rises from 0."""
    momentum: Fraction = 0.0
    """Momentum (sgd and rmsprop only)."""
    weight_decay: NonNegative = 0.0
    """Decoupled weight decay of input, embedding and output weights, not of recurrent weights, biases and norms."""
    clip: NonNegative = 1.0
    """Largest global norm of the gradient; 0 does not clip."""
    clip_recurrent: NonNegative = 0.0
    """Largest absolute value of a recurrent weight after a step; 0 does not clip. IndRNN uses 2^(1/T) for T steps."""

    batch_size: Size = 32
    """Sequences in a training step."""
    stream: bool = False
    """Train on long sequences in pieces: each step starts from the state of the one before, without its gradient."""
    steps: Size = 1000
    """Training steps (updates)."""
    log_every: Size = 100
    """Steps between two log lines."""
    eval_every: Size = 500
    """Steps between evaluations on the validation set, each with a checkpoint. The last step always has one."""
    eval_lengths: tuple[Size, ...] = ()
    """Multiples, such as (1, 2, 4), of the longest training sequence: how many times as long the sequences are that
    the network is also evaluated on, by the task's headline score."""
    stop_when_solved: bool = False
    """End the run at the first evaluation at which the validation score of every seed reaches the task's threshold."""
    seed: Seed = 0
    """Seed of parameters, batches and dropout."""
    seeds: Size = 1
    """Number of seeds (seed, seed + 1, ...) to train at once."""
    devices: Literal["all", "one"] = "all"
    """Devices to train on, with each CPU core as a device. "all" splits the seeds, and the batch where that is faster,
    over as many as divide them evenly."""
    init_from: str = ""
    """Run folder to take the first parameters from, of its last checkpoint; cell.structure may be wider than there."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup >= self.steps:
            raise UsageError(f"Config.warmup is {self.warmup}; accepted: less than the {self.steps} steps")
        if self.seed + self.seeds > LARGEST_SEED + 1:
            raise UsageError(
                f"Config.seed is {self.seed} and seeds is {self.seeds}; accepted: a last seed, seed + seeds - 1, of up "
                f"to {LARGEST_SEED}"
            )
        for cell in (self.cell, *(block.cell for block in self.model.pattern)):
            if isinstance(cell, Cell) and (reason := self.unroll.refuses(cell)):
                raise UsageError(reason)
        if self.stream and not self.task.streams:
            raise UsageError(f"{type(self.task).__name__} has no streams; accepted: Config.stream = False")
        if self.stop_when_solved and self.task.solved_at is None:
            raise UsageError(
                f"{type(self.task).__name__} has no score at which it is solved; accepted: Config.stop_when_solved = "
                "False"
            )
        self._check_lengths()

    def _check_lengths(self) -> None:
        if len(set(self.eval_lengths)) < len(self.eval_lengths):
            raise UsageError(f"Config.eval_lengths is {brief(self.eval_lengths)}; accepted: each number once")
        if any(self.task.longer(times) is None for times in self.eval_lengths):
            raise UsageError(
                f"{type(self.task).__name__} has no longer sequences, and Config.eval_lengths is "
                f"{brief(self.eval_lengths)}; accepted: ()"
            )

    def network(self, data: Data) -> Model:
        """The network that fits the data, which are those of the task: ``config.task.open()``."""
        return Model(
            cell=self.cell,
            input_size=data.input_size,
            output_size=data.output_size,
            tokens=self.task.tokens,
            read=self.task.read,
            stack=self.model,
        )


def defines(path: Path, name: str) -> bool:
    """Whether a Python file looks as if it defined `name`. It is not run."""
    with contextlib.suppress(UsageError):
        return re.search(rf"^{name}\b", read_text(path), re.MULTILINE) is not None
    return False


def load_config(path: str, warn: Callable[[str], None] = warnings.warn) -> Config:
    """The `config` of a Python file, of a run folder's config.json, or of a name such as "binary_addition", of those
    that ``rnnzoo list configs`` shows.

    A Python file is code, and runs. JSON runs nothing: members of your own in it must have been defined before.

    Args:
        path: the file, or the name.
        warn: takes a message for each member whose definition has changed since the JSON was written.

    Raises:
        UsageError: there is no such file, running it raises, or it defines no `config`.
    """
    if (file := file_of(path)) is None:
        known = {str(p) for p in Path(path).parent.glob("*.py") if defines(p, "config")} | named_files().keys()
        raise UsageError(
            f"no config file {path!r}; " + (suggest(path, known) if known else "no config files are there")
        )
    if file.suffix == ".json":
        config = read_config(file)
        check_definitions(file.parent, warn)
        return config
    config: Any = vars(load_file(file)).get("config")
    with errors_in_one_line(file.resolve()):  # the object is the user's, and so is what it does when it is looked at
        if issubclass(type(config), Config):
            from_dict(to_dict(config))  # checks each part again: the file may have changed a field by force
            return config
        shown = brief(config)
    raise UsageError(f"{path} defines config = {shown}; accepted: config = rnnzoo.config.Config(...)")


def read_config(file: Path) -> Config:
    """The configuration in a JSON file: a run folder's config.json, or a model folder's training.json."""
    config = read_specification(read_text(file), file)
    if not isinstance(config, Config):
        raise UsageError(f"{file} is no configuration of a training run")
    return config


def difference(old: str, new: str) -> str:
    """The lines in which two JSON texts differ, "-" old and "+" new."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---"))


__all__ = ["Config", "defines", "difference", "load_config", "read_config"]
