"""One training job on the host: resume, train, log, evaluate, save, report."""

import copy
import functools
import shlex
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.tasks.data import Data, Part
from rnnzoo.training.config import Config
from rnnzoo.training.curves import draw_curves
from rnnzoo.training.definitions import check_definitions
from rnnzoo.training.description import describe
from rnnzoo.training.devices import describe_devices, gathered, is_worth, training_mesh
from rnnzoo.training.footprint import check_memory
from rnnzoo.training.lengths import LongerSets
from rnnzoo.training.loops import TrainingLoop, training_loop
from rnnzoo.training.progress import Progress
from rnnzoo.training.record import Line, Record, Scores
from rnnzoo.training.results import environment, final_results, to_text
from rnnzoo.training.resume import mend, record_of, warn_of_changes
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.solved import all_solved
from rnnzoo.training.update import TrainState, evaluate, first_state, shard_state
from rnnzoo.training.warm_start import warm_state
from rnnzoo.typing import Params

PIECE_S = 1.0  # seconds of training between two looks at whether to stop


class Stopped(Exception):
    """The job was asked to stop (SIGINT or SIGTERM) and has saved its state."""


class Diverged(Exception):
    """The loss or a gradient was not finite."""


class Job:
    """Trains one configuration in one run folder. The same folder again goes on where it stopped.

    Validation scores choose the best checkpoint. The test set is used once the run is complete, for the last and the
    best one. All that is logged is in `record`, which every checkpoint holds: after any resumption the other files are
    made to follow from it."""

    def __init__(
        self,
        config: Config,
        workdir: Path,
        progress: Progress,
        callbacks: Sequence[Callable[[Line], object]] = (),
    ):
        """`callbacks` are called with a copy of each line of metrics.jsonl; see `rnnzoo.train`."""
        self.config, self.folder, self.progress = config, RunFolder(workdir), progress
        self.callbacks = tuple(callbacks)
        self.params: Params = {}  # of all seeds, once the run is complete
        self.folder.check(config)
        check_definitions(self.folder.path, progress.warn)
        self.data: Data = config.task.open()
        self.folder.check_data(config.task, self.data)
        self.model: Model = config.network(self.data)
        self.longer = LongerSets(config)
        check_memory(config, self.model, self.data)
        # Everything a user can get wrong is found by tracing, before anything is compiled or written.
        self.record, self.environment = Record(), environment()
        self.like = jax.eval_shape(lambda: first_state(config, self.model))
        self.loop: TrainingLoop = training_loop(config, self.model, self.data)
        self.mesh = self._mesh() if config.devices == "all" else None
        self.loop.use(self.mesh)
        self.loop.trace(self.like, self._next_stop())
        self.warm = self._warm() if config.init_from and not self.folder.last.steps() else None
        self.stop_asked, self.is_compiled, self.saved, self.pace = False, False, -1, 0.0

    def run(self) -> dict[str, Any]:
        """Train to the last step, or until the task is solved, and return what is in final.json."""
        self.folder.open(self.config, self.data, self.environment)
        self.progress.folder = self.folder.path
        handlers = self._listen()
        try:
            return self._run()
        except BaseException as error:
            error.add_note(self._kept())
            raise
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            self.folder.close()

    def _listen(self) -> dict[signal.Signals, Any]:
        """Take SIGINT and SIGTERM as requests to stop, and return the handlers before. Python lets only the main
        thread do that."""
        if threading.current_thread() is not threading.main_thread():
            return {}
        return {s: signal.signal(s, self._ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}

    def _run(self) -> dict[str, Any]:
        self.progress.begin(self._description())
        state = self._resumed() or self._first_state()
        if not self._is_complete():
            self.folder.remove_results()
        while not self._is_complete():
            end = self.record.step + self._next_stop()
            state = self._train(state, end)
            if self.record.step == end:
                self._call(self._log(state), state)
            if self.stop_asked and not self._is_complete():
                if self.saved != self.record.step:
                    self._save_last(state)
                raise Stopped(
                    f"stopped at step {self.record.step}; the same command with --workdir "
                    f"{shlex.quote(str(self.folder.path))} goes on from there"
                )
        if self.record.step < self.config.steps:
            self.progress.line(f"solved at step {self.record.step}, by the validation score of every seed")
        return self._finish(state)

    def _description(self) -> list[str]:
        """What will be trained, in words."""
        config, devices = self.config, ""
        if config.devices == "all":
            devices = describe_devices(config.seeds, config.batch_size, self.mesh, jax.local_devices())
        return describe(config, self.model, self.data, self.folder.path, devices)

    def _is_complete(self) -> bool:
        lines, step = self.record.lines, self.record.step
        return step >= self.config.steps or (bool(lines) and lines[-1]["step"] == step and self._is_enough(lines[-1]))

    def _is_enough(self, line: Line) -> bool:
        """Whether the run ends with that line because its task is solved."""
        return self.config.stop_when_solved and all_solved(self.config.task, line.get("validation", {}))

    def _resumed(self) -> TrainState | None:
        """The state of the last checkpoint, with data and all files set back to its step; None at the beginning."""
        restored = self.folder.last.restore(self.like, self.progress.warn)
        if restored is None:
            if self.folder.has_saved():
                raise UsageError(
                    f"{self.folder.path} has been trained, and {self.folder.last.folder} has no checkpoint of it that "
                    "can be used; accepted: the checkpoints put back, or a new --workdir to start anew"
                )
            self.folder.write_metrics([])
            return None
        step, state = restored
        evaluate_best = functools.partial(self._evaluate, part="validation")
        self.record = record_of(self.folder, step, self.like, evaluate_best, self.progress.warn)
        if step > self.config.steps:
            raise UsageError(f"steps is {self.config.steps}, and the run is at step {step}; accepted: {step} or more")
        self.saved = step
        self.loop.restore(self.record.place)
        self.progress.line(f"going on from step {step} of {self.folder.path}")
        mend(self.folder, self.record, self.progress.warn)
        warn_of_changes(self.record.environment, self.environment, self.progress.warn)
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
        stops = (every * (self.record.step // every + 1) for every in (config.log_every, config.eval_every))
        return min(config.steps, *stops) - self.record.step

    def _warm(self) -> TrainState:
        return warm_state(self.config, self.model, self.data, self.progress.warn)

    def _first_state(self) -> TrainState:
        """The state before the first step. What came from another run is saved, so as not to need that run again."""
        if not self.config.init_from:
            return first_state(self.config, self.model)
        state = self.warm or self._warm()
        metric = self.config.task.metric
        score = np.median(self._evaluate(state, "validation")[metric])
        self.progress.line(f"starting from {self.config.init_from}: validation {metric} {score:.4f}")
        self._save_last(state)
        return state

    def _evaluate(self, state: TrainState, part: Part) -> Scores:
        params = state["params"]
        own = evaluate(self.config, self.model, params, self.data.held_out(part))
        return own | self.longer.scores(self.model, params, part)

    def _due(self, every: int) -> bool:
        return self.record.step % every == 0 or self.record.step == self.config.steps

    # ---- training ----

    def _train(self, state: TrainState, end: int) -> TrainState:
        """Train to step `end`, or until asked to stop, in pieces of about a second. The state is on several devices
        only meanwhile, so that scores and checkpoints do not depend on how many there are."""
        state = shard_state(state, self.mesh)
        self._compile(state)  # which does not count as training time
        while self.record.step < end and not self.stop_asked:
            length = min(end - self.record.step, round(PIECE_S / self.pace) or 1) if self.pace else 1
            began = time.perf_counter()
            state, found = self.loop.run(state, self.record.step, length)
            metrics = jax.tree.map(np.asarray, found)  # waits for the device
            if not metrics["good"].all():
                self._diverged(metrics)
            elapsed = time.perf_counter() - began
            self.record.take(metrics, elapsed)
            self.pace = elapsed / length
            self.progress.at(self.record.step, self.pace * (self.config.steps - self.record.step))
        return gathered(state, self.mesh)

    def _compile(self, state: TrainState) -> None:
        if self.is_compiled:
            return
        self.progress.compiling()
        began = time.perf_counter()
        self.loop.compile(state, self._longest())
        self.progress.compiled(time.perf_counter() - began)
        self.is_compiled = True

    def _longest(self) -> int:
        """The most steps between two log lines."""
        return min(self.config.steps, self.config.log_every, self.config.eval_every)

    def _diverged(self, metrics: dict[str, np.ndarray]) -> None:
        seed, at = (int(i) for i in np.argwhere(~metrics["good"])[np.argmin(np.nonzero(~metrics["good"])[1])])
        loss, norm = metrics["loss"][seed, at], metrics["grad_norm"][seed, at]
        raise Diverged(
            f"step {self.record.step + at + 1} is not finite: loss {loss}, gradient norm {norm}"
            + (f" (seed {self.config.seed + seed})" if self.config.seeds > 1 else "")
            + f". Try a smaller --lr (now {self.config.lr:g}), --clip (now {self.config.clip:g}), or a warm-up; "
            + self._kept()
        )

    # ---- saving ----

    def _log(self, state: TrainState) -> Line:
        """End an interval: scores, the record, a checkpoint where one is due, and a line of metrics.jsonl."""
        line, better = self.record.line(), False
        if self._due(self.config.eval_every):
            line["validation"] = self._evaluate(state, "validation")
            if better := self.record.is_better(self.config.task, line["validation"]):
                self.record.best = {"step": self.record.step, "validation": line["validation"]}
        if self.record.step == self.config.steps or self._is_enough(line):
            line["scores"] = self._evaluate(state, "test")
        self.record.add(line)
        if "validation" in line:
            self._save_last(state)
        if better:
            self.folder.best.save(self.record.step, state, self.record.to_json())
        self.folder.lock.check()
        self.folder.log(line)
        self.progress.step(line, line.get("validation", {}))
        return line

    def _call(self, line: Line, state: TrainState) -> None:
        """Call the user's functions with the line. When one raises, the run can go on from here later."""
        try:
            for callback in self.callbacks:
                callback(copy.deepcopy(line))
        except Exception:
            if self.saved != self.record.step:
                self._save_last(state)
            raise

    def _save_last(self, state: TrainState) -> None:
        self.folder.lock.check()
        self.record.place, self.record.environment = self.loop.place(), self.environment
        self.folder.last.save(self.record.step, state, self.record.to_json(), self.record.is_passing)
        self.saved = self.record.step

    def _kept(self) -> str:
        """What is left of a run that ends early."""
        kept, path = self.folder.last.steps(), self.folder.path
        return f"the checkpoint of step {kept[0]} is kept in {path}" if kept else f"nothing had been saved in {path}"

    # ---- the end ----

    def _finish(self, state: TrainState) -> dict[str, Any]:
        line = self.record.lines[-1] if self.record.lines else {}
        scores = line.get("scores") or self._evaluate(state, "test")
        validation = line.get("validation") or self._evaluate(state, "validation")
        best = self._best(scores, validation)
        final = final_results(
            self.config, self.model, self.data,
            scores=scores, validation=validation, best=best, record=self.record,
        )  # fmt: skip
        self.params = state["params"]
        self.folder.write("final.json", to_text(final))
        draw_curves(self.config, self.record.lines, final, self.folder.path / "curves.png")
        return final

    def _best(self, scores: Scores, validation: Scores) -> dict[str, Any] | None:
        """The step of the best checkpoint, with its test and validation scores; None if it cannot be read."""
        if self.record.best is None:
            return None
        if self.record.best["step"] == self.record.step:
            return {"step": self.record.step, "metrics": scores, "validation": validation}
        if (found := self.folder.best.restore(self.like, self.progress.warn)) is None:
            return None
        return {**self.record.best, "metrics": self._evaluate(found[1], "test")}

    def _ask_to_stop(self, number: int, frame: Any) -> None:
        if self.stop_asked:
            raise KeyboardInterrupt
        self.stop_asked = True
        self.progress.warn("stopping within seconds; once more to stop at once, without saving")


__all__ = ["Diverged", "Job", "Stopped"]
