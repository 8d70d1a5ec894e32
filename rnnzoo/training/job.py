"""One training job on the host: resume, train, log, evaluate, save, report."""

import functools
import signal
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.tasks.base import Batch
from rnnzoo.training.config import Config
from rnnzoo.training.curves import draw_curves
from rnnzoo.training.definitions import check_definitions
from rnnzoo.training.devices import describe_devices, gathered, is_worth, shard, training_mesh
from rnnzoo.training.progress import Progress
from rnnzoo.training.results import final_results, to_text
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import TrainState, evaluate, init_state, next_batch, shard_state, train_steps
from rnnzoo.training.warm_start import stored_state, warm_state
from rnnzoo.typing import PyTree


class Stopped(Exception):
    """The job was asked to stop (SIGINT or SIGTERM) and has saved its state."""


class Diverged(Exception):
    """The loss or a gradient was not finite."""


class Job:
    """Trains one configuration in one run folder. The same folder again goes on where it stopped."""

    def __init__(self, config: Config, workdir: Path, progress: Progress):
        self.config, self.folder, self.progress = config, RunFolder(workdir), progress
        self.folder.check(config)
        check_definitions(self.folder.path, progress.warn)
        self.data: PyTree = config.task.load()
        self.folder.check_data(config.task, self.data)
        self.model: Model = config.network()
        self.batches: list[Batch] = config.task.held_out(self.data)
        # Everything a user can get wrong is found by tracing, before anything is compiled or written.
        self.step, self.seconds = 0, 0.0
        self.like = jax.eval_shape(lambda: init_state(config, self.model))
        self.mesh = self._mesh() if config.devices == "all" else None
        args = (config, self.model, self.data, self.like, np.int32(0))
        jax.eval_shape(functools.partial(train_steps, *args[:2], length=self._next_stop(), mesh=self.mesh), *args[2:])
        self.warm = self._warm() if config.init_from and not self.folder.last.steps() else None
        self.sharded_data = shard(self.data, self.mesh)
        self.stop_asked = False
        self.loops: dict[int, Any] = {}  # number of steps -> compiled training loop

    def run(self) -> dict[str, Any]:
        """Train to the last step and return what is in final.json."""
        self.folder.open(self.config, self.data)
        handlers = {s: signal.signal(s, self._ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            return self._run()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            self.folder.close()

    def _run(self) -> dict[str, Any]:
        restored = self.folder.last.restore(self.like, self.progress.warn)
        self.folder.last.set_aside_newer(restored[0] if restored else -1)
        self.step, state = restored or (0, self._first_state())
        self.folder.rewind(self.step)
        self.seconds = max((r.get("seconds", 0.0) for r in self.folder.records()), default=0.0)
        if restored:
            self.progress.line(f"going on from step {self.step} of {self.folder.path}")
        if self.config.devices == "all" and (there := jax.local_device_count()) > 1:
            self.progress.line(describe_devices(self.config.seeds, self.config.batch_size, self.mesh, there))
        records = [r for r in self.folder.records() if "scores" in r]
        scores: dict[str, list[float]] = records[-1]["scores"] if records else {}
        while self.step < self.config.steps:
            state, record = self._chunk(state)
            if self._due(self.config.eval_every):
                scores = record["scores"] = evaluate(self.config, self.model, state["params"], self.batches)
                self._save(state, scores)
            self.folder.log(record)
            self.progress.step(record, scores)
            if self.stop_asked and self.step < self.config.steps:
                self.folder.last.save(self.step, state)
                raise Stopped(f"stopped at step {self.step}; the same command with --workdir goes on from there")
        return self._finish(state, scores)

    def _mesh(self) -> Mesh | None:
        """The devices to train on."""
        config = self.config
        params = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), self.like["params"])
        xs = jax.eval_shape(functools.partial(next_batch, config), self.data, jax.random.key(0), np.int32(0))["x"]
        return training_mesh(config.seeds, config.batch_size if is_worth(params, xs) else 1, jax.local_devices())

    def _next_stop(self) -> int:
        """Steps to the next log line or evaluation."""
        config = self.config
        stops = (every * (self.step // every + 1) for every in (config.log_every, config.eval_every))
        return min(config.steps, *stops) - self.step

    def _warm(self) -> TrainState:
        return warm_state(self.config, self.model, self.progress.warn)

    def _first_state(self) -> TrainState:
        """The state before the first step. What came from another run is saved, so as not to need that run again."""
        if not self.config.init_from:
            return init_state(self.config, self.model)
        state = self.warm or self._warm()
        metric = self.config.task.metric
        score = np.median(evaluate(self.config, self.model, state["params"], self.batches)[metric])
        self.progress.line(f"starting from {self.config.init_from}: {metric} {score:.4f}")
        self.folder.last.save(0, state)
        return state

    def _due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self.config.steps

    def _chunk(self, state: TrainState) -> tuple[TrainState, dict[str, Any]]:
        """Train to the next log line or evaluation. The state is on several devices only meanwhile, so that scores
        and checkpoints do not depend on how many there are."""
        length = self._next_stop()
        state = shard_state(state, self.mesh)
        train = self._compiled(state, length)
        began = time.perf_counter()
        state, metrics = train(self.sharded_data, state, np.int32(self.step))
        state = gathered(state, self.mesh)
        metrics = {name: np.asarray(value) for name, value in metrics.items()}  # waits for the device
        if not metrics["good"].all():
            self._diverged(metrics)
        self.step += length
        elapsed = time.perf_counter() - began
        self.seconds += elapsed
        record = {
            "step": self.step,
            "loss": metrics["loss"].mean(1).tolist(),
            "grad_norm": metrics["grad_norm"].mean(1).tolist(),
            "steps_per_second": length / elapsed,
            "seconds": self.seconds,
        }
        return state, record

    def _compiled(self, state: TrainState, length: int) -> Any:
        """The compiled loop over `length` steps. Compilation is not counted as training time."""
        if length not in self.loops:
            args = (self.config, self.model, self.sharded_data, state, np.int32(0))
            self.loops[length] = train_steps.lower(*args, length=length, mesh=self.mesh).compile()
        return self.loops[length]

    def _diverged(self, metrics: dict[str, np.ndarray]) -> None:
        seed, at = (int(i) for i in np.argwhere(~metrics["good"])[np.argmin(np.nonzero(~metrics["good"])[1])])
        loss, norm = metrics["loss"][seed, at], metrics["grad_norm"][seed, at]
        kept = self.folder.last.steps()
        raise Diverged(
            f"step {self.step + at + 1} is not finite: loss {loss}, gradient norm {norm}"
            + (f" (seed {self.config.seed + seed})" if self.config.seeds > 1 else "")
            + f". Try a smaller --lr (now {self.config.lr:g}), --clip (now {self.config.clip:g}), or a warm-up. "
            + (f"The checkpoint of step {kept[0]} is kept." if kept else "No checkpoint had been written.")
        )

    def _save(self, state: TrainState, scores: dict[str, list[float]]) -> None:
        """The last checkpoint, and the best one if this is it by the median over seeds."""
        self.folder.last.save(self.step, state)
        task = self.config.task
        sign = 1 if task.better == "lower" else -1
        older = [np.median(r["scores"][task.metric]) for r in self.folder.records() if "scores" in r]
        if not older or sign * np.median(scores[task.metric]) < min(sign * s for s in older):
            self.folder.best.save(self.step, state)

    def _finish(self, state: TrainState, scores: dict[str, list[float]]) -> dict[str, Any]:
        if not scores:  # resumed at the very end, without its metrics
            scores = evaluate(self.config, self.model, state["params"], self.batches)
        final = final_results(self.config, self.model, scores, self.data, self.seconds)
        self.folder.write("final.json", to_text(final))
        draw_curves(self.config, list(self.folder.records()), final, self.folder.path / "curves.png")
        return final

    def _ask_to_stop(self, number: int, frame: Any) -> None:
        if self.stop_asked:
            raise KeyboardInterrupt
        self.stop_asked = True
        self.progress.warn("stopping after the current log interval; once more to stop at once")


def evaluate_run(path: Path, config: Config, which: str, warn: Any) -> dict[str, list[float]]:
    """Name -> score of each seed, of a run's checkpoint, on the task of `config` (the run's own, or a changed one)."""
    folder = RunFolder(path)
    own = folder.config()
    folder.check_data(own.task, own.task.load())  # even for another task: they say what the network's inputs mean
    model, data = own.network(), config.task.load()
    task_model = config.network()
    if reason := own.task.differs(config.task):
        raise UsageError(f"the run in {path} cannot be evaluated on this task: {reason}")
    if (task_model.input_size, task_model.output_size) != (model.input_size, model.output_size):
        raise UsageError(
            f"the run in {path} has {model.input_size} inputs and {model.output_size} outputs; "
            f"this task has {task_model.input_size} and {task_model.output_size}"
        )
    _, state = stored_state(folder, own, which, warn)
    return evaluate(config, task_model, state["params"], config.task.held_out(data))


__all__ = ["Diverged", "Job", "Stopped", "evaluate_run"]
