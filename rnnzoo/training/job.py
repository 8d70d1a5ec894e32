"""One training job on the host: resume, train, log, evaluate, save, report."""

import signal
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Data, Part
from rnnzoo.training.config import Config
from rnnzoo.training.curves import draw_curves
from rnnzoo.training.definitions import check_definitions
from rnnzoo.training.devices import describe_devices, gathered, is_worth, training_mesh
from rnnzoo.training.loops import TrainingLoop, training_loop
from rnnzoo.training.progress import Progress
from rnnzoo.training.results import Scores, final_results, to_text
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import TrainState, evaluate, init_state, shard_state
from rnnzoo.training.warm_start import stored_state, warm_state


class Stopped(Exception):
    """The job was asked to stop (SIGINT or SIGTERM) and has saved its state."""


class Diverged(Exception):
    """The loss or a gradient was not finite."""


class Job:
    """Trains one configuration in one run folder. The same folder again goes on where it stopped.

    Validation scores are logged and choose the best checkpoint. The test set is used once the run is complete, for the
    last and the best checkpoint."""

    def __init__(self, config: Config, workdir: Path, progress: Progress):
        self.config, self.folder, self.progress = config, RunFolder(workdir), progress
        self.folder.check(config)
        check_definitions(self.folder.path, progress.warn)
        self.data: Data = config.task.open()
        self.folder.check_data(config.task, self.data)
        self.model: Model = config.network(self.data)
        # Everything a user can get wrong is found by tracing, before anything is compiled or written.
        self.step, self.seconds = 0, 0.0
        self.like = jax.eval_shape(lambda: init_state(config, self.model))
        self.loop: TrainingLoop = training_loop(config, self.model, self.data)
        self.mesh = self._mesh() if config.devices == "all" else None
        self.loop.use(self.mesh)
        self.loop.trace(self.like, self._next_stop())
        self.warm = self._warm() if config.init_from and not self.folder.last.steps() else None
        self.stop_asked = False

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
        state = self._resumed() or self._first_state()
        if self.config.devices == "all" and (there := jax.local_device_count()) > 1:
            self.progress.line(describe_devices(self.config.seeds, self.config.batch_size, self.mesh, there))
        evaluated = [r["validation"] for r in self.folder.records() if "validation" in r]
        validation: Scores = evaluated[-1] if evaluated else {}
        while self.step < self.config.steps:
            state, record = self._chunk(state)
            if self._due(self.config.eval_every):
                validation = record["validation"] = self._evaluate(state, "validation")
                self._save(state, validation)
            if self.step == self.config.steps:
                record["scores"] = self._evaluate(state, "test")
            self.folder.log(record)
            self.progress.step(record, validation)
            if self.stop_asked and self.step < self.config.steps:
                self._save_last(state)
                raise Stopped(f"stopped at step {self.step}; the same command with --workdir goes on from there")
        return self._finish(state)

    def _resumed(self) -> TrainState | None:
        """The state of the last checkpoint, with log and data set back to its step; None if there is no checkpoint."""
        restored = self.folder.last.restore(self.like, self.progress.warn)
        self.step, state = restored or (0, None)
        self.folder.last.set_aside_newer(self.step if restored else -1)
        self.folder.rewind(self.step)
        self.seconds = max((r.get("seconds", 0.0) for r in self.folder.records()), default=0.0)
        if restored:
            self.loop.restore(self.folder.last.place(self.step))
            self.progress.line(f"going on from step {self.step} of {self.folder.path}")
        if any("scores" in r and "validation" not in r for r in self.folder.records()):
            self.progress.warn(
                "an older rnnzoo began this run and had no validation set; it may have trained on part of today's"
            )
        return state

    def _mesh(self) -> Mesh | None:
        """The devices to train on."""
        config = self.config
        params = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), self.like["params"])
        worth = is_worth(params, self.loop.example()["x"])
        return training_mesh(config.seeds, config.batch_size if worth else 1, jax.local_devices())

    def _next_stop(self) -> int:
        """Steps to the next log line or evaluation."""
        config = self.config
        stops = (every * (self.step // every + 1) for every in (config.log_every, config.eval_every))
        return min(config.steps, *stops) - self.step

    def _warm(self) -> TrainState:
        return warm_state(self.config, self.model, self.data, self.progress.warn)

    def _first_state(self) -> TrainState:
        """The state before the first step. What came from another run is saved, so as not to need that run again."""
        if not self.config.init_from:
            return init_state(self.config, self.model)
        state = self.warm or self._warm()
        metric = self.config.task.metric
        score = np.median(self._evaluate(state, "validation")[metric])
        self.progress.line(f"starting from {self.config.init_from}: validation {metric} {score:.4f}")
        self._save_last(state)
        return state

    def _evaluate(self, state: TrainState, part: Part) -> Scores:
        return evaluate(self.config, self.model, state["params"], self.data.held_out(part))

    def _due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self.config.steps

    def _chunk(self, state: TrainState) -> tuple[TrainState, dict[str, Any]]:
        """Train to the next log line or evaluation. The state is on several devices only meanwhile, so that scores
        and checkpoints do not depend on how many there are."""
        length = self._next_stop()
        state = shard_state(state, self.mesh)
        self.loop.compile(state, length)  # which does not count as training time
        began = time.perf_counter()
        state, metrics = self.loop.run(state, self.step, length)
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

    def _save_last(self, state: TrainState) -> None:
        self.folder.last.save(self.step, state, self.loop.place())

    def _save(self, state: TrainState, validation: Scores) -> None:
        """The last checkpoint, and the best one if this is it by the median over seeds."""
        self._save_last(state)
        task = self.config.task
        sign = 1 if task.better == "lower" else -1
        if all(sign * np.median(validation[task.metric]) < sign * np.median(s[task.metric]) for s in self._rivals()):
            self.folder.best.save(self.step, state)

    def _rivals(self) -> list[Scores]:
        """The validation scores that a checkpoint must beat to become the best one."""
        logged = [r["validation"] for r in self.folder.records() if "validation" in r]
        if logged or (best := self.folder.best.restore(self.like, self.progress.warn)) is None:
            return logged
        return [self._evaluate(best[1], "validation")]  # an older rnnzoo chose it, by its test scores

    def _finish(self, state: TrainState) -> dict[str, Any]:
        logged = [r for r in self.folder.records() if r["step"] == self.step]
        record = logged[-1] if logged else {}  # killed after the last checkpoint, before its scores were logged
        scores = record.get("scores") or self._evaluate(state, "test")
        validation = record.get("validation") or self._evaluate(state, "validation")
        best = self._best(scores, validation)
        final = final_results(
            self.config, self.model, self.data,
            scores=scores, validation=validation, best=best, seconds=self.seconds,
        )  # fmt: skip
        self.folder.write("final.json", to_text(final))
        draw_curves(self.config, list(self.folder.records()), final, self.folder.path / "curves.png")
        return final

    def _best(self, scores: Scores, validation: Scores) -> dict[str, Any] | None:
        """The step of the best checkpoint, with its test and validation scores; None if it cannot be read."""
        if self.folder.best.steps()[:1] == [self.step]:
            return {"step": self.step, "metrics": scores, "validation": validation}
        if (found := self.folder.best.restore(self.like, self.progress.warn)) is None:
            return None
        step, state = found
        metrics, validation = self._evaluate(state, "test"), self._evaluate(state, "validation")
        return {"step": step, "metrics": metrics, "validation": validation}

    def _ask_to_stop(self, number: int, frame: Any) -> None:
        if self.stop_asked:
            raise KeyboardInterrupt
        self.stop_asked = True
        self.progress.warn("stopping after the current log interval; once more to stop at once")


def evaluate_run(path: Path, config: Config, which: str, warn: Any, part: Part = "test") -> Scores:
    """Name -> score of each seed, of a run's checkpoint on a part of the data of `config.task`, which is the run's own
    task or a changed one."""
    folder = RunFolder(path)
    own = folder.config()
    own_data = own.task.open()
    folder.check_data(own.task, own_data)  # even for another task: they say what the network's inputs mean
    data = own_data if config.task == own.task else config.task.open()
    if reason := own.task.differs(config.task) or _difference(own.task, own_data, config.task, data):
        raise UsageError(f"the run in {path} cannot be evaluated on this task: {reason}")
    _, state = stored_state(folder, own, own.network(own_data), which, warn)
    return evaluate(config, config.network(data), state["params"], data.held_out(part))


def _difference(own: Task, own_data: Data, other: Task, data: Data) -> str | None:
    """Why a network for one task's data cannot read or answer the other's; None if it can."""
    if own_data.symbols != data.symbols:
        return f"its tokens are the characters of {own}, not of {other}"
    sizes, others = ((d.input_size, d.output_size) for d in (own_data, data))
    if sizes == others:
        return None
    return f"it has {sizes[0]} inputs and {sizes[1]} outputs; this task has {others[0]} and {others[1]}"


__all__ = ["Diverged", "Job", "Stopped", "evaluate_run"]
