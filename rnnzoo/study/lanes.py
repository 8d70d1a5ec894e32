"""Training of a pack: every seed of every row is a lane of one compiled program."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.study.shared import first_states, masked, program
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Batch, Data, InMemory
from rnnzoo.training.config import Config
from rnnzoo.training.devices import SEEDS, gathered, shard, training_mesh
from rnnzoo.training.numbers import lanes_of
from rnnzoo.training.solved import is_solved
from rnnzoo.training.update import evaluate, shard_state, train_steps
from rnnzoo.typing import Params

Scores = dict[str, float]


@dataclasses.dataclass
class Outcome:
    """What became of one seed of one row."""

    row: str
    seed: int
    steps: int = 0  # at which the lane ended
    seconds: float = 0.0  # its share of the training time of the pack until then
    diverged: bool = False
    solved_step: int | None = None  # the first evaluation at which the validation metric passed the threshold
    solved_seconds: float | None = None
    best_step: int = 0
    best_validation: float = float("nan")
    validation: float = float("nan")  # the metric at the end
    test: Scores = dataclasses.field(default_factory=dict)  # all scores; of the metric also by length
    best_test: float = float("nan")


class Pack:
    """Rows of one program, all of whose seeds are trained at once."""

    def __init__(self, rows: dict[str, Config], data: InMemory, compiled: dict[Any, Any]):
        self.rows, self.data, self.compiled = rows, data, compiled
        self.first = next(iter(rows.values()))
        self.program = program(self.first)
        shared = masked(self.first) or self.first
        self.config, self.model = shared, shared.network(data)
        self.lanes = [(name, c, seed) for name, c in rows.items() for seed in range(c.seed, c.seed + c.seeds)]
        self.outcomes = [Outcome(name, seed) for name, _, seed in self.lanes]
        self.held_out: dict[Any, list[Batch]] = {}

    def trace(self) -> None:
        """Find what does not fit by tracing alone, before anything is compiled."""
        state = jax.eval_shape(self._first_state)
        keys, numbers = self._arguments()
        jax.eval_shape(
            lambda *args: train_steps(self.program, self.model, self.data.static, *args, length=1),
            self.data.arrays, keys, numbers, state, np.int32(0),
        )  # fmt: skip
        for n in self.first.eval_lengths:
            self._task(n)

    def run(self, report: Callable[[int], None]) -> list[Outcome]:
        """Train all lanes. `report` takes the number of steps that all have made."""
        mesh = training_mesh(len(self.lanes), 1, jax.local_devices()) if self.first.devices == "all" else None
        keys, numbers = (shard(tree, mesh, SEEDS) for tree in self._arguments())
        arrays = shard(self.data.arrays, mesh)
        state = shard_state(self._first_state(), mesh)
        every, steps = self.first.eval_every, self.first.steps
        train = self._compiled(arrays, keys, numbers, state, mesh, min(every, steps))
        best = last = jax.tree.map(jnp.copy, gathered(state["params"], mesh))  # the state itself is given away
        running, seconds, done = np.ones(len(self.lanes), bool), 0.0, 0
        while done < steps and running.any():
            count = min(every, steps - done)
            began = time.perf_counter()
            state, metrics = train(arrays, keys, numbers, state, np.int32(done), np.int32(count))
            good = np.asarray(np.asarray(metrics["good"])[:, :count].all(1))  # waits for the device
            seconds += (time.perf_counter() - began) / len(self.lanes)
            done += count
            params = gathered(state["params"], mesh)
            last = _where(running, params, last)
            better = self._judge(last, running, good, done, seconds)
            best = _where(better, last, best)
            if self.first.stop_when_solved:
                running &= np.array([o.solved_step is None for o in self.outcomes])
            running &= good
            report(done)
        self._test(last, best)
        return self.outcomes

    # ---- parts ----

    def _arguments(self) -> Any:
        """The keys and the numbers of all lanes."""
        parts = [lanes_of(config) for config in self.rows.values()]
        return _joined([keys for keys, _ in parts]), _joined([numbers for _, numbers in parts])

    def _first_state(self) -> Any:
        return _joined([first_states(config, self.data, lanes_of(config)[0]) for config in self.rows.values()])

    def _compiled(self, arrays: Any, keys: Any, numbers: Any, state: Any, mesh: Any, length: int) -> Any:
        """The program, compiled once for all packs that it serves."""
        name = (self.program, self.data.static, len(self.lanes), length)
        if name not in self.compiled:
            args = (self.program, self.model, self.data.static, arrays, keys, numbers, state, np.int32(0))
            lowered = train_steps.lower(*args, np.int32(length), length=length, mesh=mesh)
            self.compiled[name] = lowered.compile()
        return self.compiled[name]

    def _judge(self, params: Params, running: np.ndarray, good: np.ndarray, step: int, seconds: float) -> np.ndarray:
        """Score all running lanes on validation data; which of them are better than ever."""
        task = self.first.task
        own = self._scores(params, "validation", None)[task.metric]
        better = np.zeros(len(self.lanes), bool)
        for lane in np.flatnonzero(running):
            outcome, value = self.outcomes[lane], own[lane]
            outcome.steps, outcome.seconds, outcome.diverged = step, seconds, not good[lane]
            outcome.validation = value
            if outcome.solved_step is None and is_solved(task, value):
                outcome.solved_step, outcome.solved_seconds = step, seconds
            sign = 1 if task.better == "higher" else -1
            if (
                np.isfinite(value) and not sign * value <= sign * outcome.best_validation
            ):  # the first is compared to NaN
                outcome.best_step, outcome.best_validation, better[lane] = step, value, True
        return better

    def _test(self, last: Params, best: Params) -> None:
        metric = self.first.task.metric
        scores = self._scores(last, "test", None)
        all_last = all(outcome.best_step in (0, outcome.steps) for outcome in self.outcomes)
        at_best = (scores if all_last else self._scores(best, "test", None))[metric]
        lengths = {f"{metric}@{n}x": self._scores(last, "test", n)[metric] for n in self.first.eval_lengths}
        for lane, outcome in enumerate(self.outcomes):
            outcome.test = {name: values[lane] for name, values in (scores | lengths).items()}
            outcome.best_test = at_best[lane] if outcome.best_step else outcome.test[metric]

    def _task(self, times: int) -> Task:
        task = self.first.task.longer(times)
        if task is None:
            raise UsageError(f"{self.first.task} has no other lengths; accepted: Config.eval_lengths = ()")
        return task

    def _scores(self, params: Params, part: Any, times: int | None) -> dict[str, list[float]]:
        """The scores of each lane on the task's own held-out part, or on that of so many times the training length."""
        task = self.first.task if times is None else self._task(times)
        if (part, times) not in self.held_out:
            data = self.data if times is None else task.open()
            self.held_out[part, times] = list(data.held_out(part))
        return evaluate(
            dataclasses.replace(self.config, task=task, eval_lengths=()), self.model, params, self.held_out[part, times]
        )


def _joined(trees: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *trees)


@jax.jit
def _where(chosen: Any, new: Any, old: Any) -> Any:
    """The lanes of `new` that are chosen, and of `old` else."""
    return jax.tree.map(lambda a, b: jnp.where(chosen.reshape(-1, *[1] * (a.ndim - 1)), a, b), new, old)


def update_flops(config: Config, data: Data) -> float:
    """About how many floating-point operations one update of one lane has."""
    model: Model = config.network(data)
    assert isinstance(data, InMemory)
    batch = jax.eval_shape(lambda a: data.static.batch(a, jax.random.key(0), config.batch_size), data.arrays)
    time, size = batch["x"].shape[:2]
    return 6.0 * sum(leaf.size for leaf in jax.tree.leaves(model.shapes())) * time * size


__all__ = ["Outcome", "Pack", "update_flops"]
