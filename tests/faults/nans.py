"""One NaN in a batch, a gradient, the parameters, at sizes at which maxima drop it: training and all others notice.

On JAX 0.10.2, `max` and `min` over 4,096 numbers or more drop NaN on CPUs, and so does a sum of relu.
"""

import functools
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo import cells, run, save_model, structures, unrolls
from rnnzoo.training.config import Config
from rnnzoo.training.evaluation import evaluate_run
from rnnzoo.training.job import Diverged, Job
from rnnzoo.training.record import Record
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import first_state

from .poison import AT, STEPS, Where, config, poison, poisoned
from .runs import contents, differences, train
from .tally import REFUSED, SAID, SILENT, Tally, outcome_of

SIZES = (8, 64, 600, 1000, 4096, 5000, 32768, 100_000)
ACTIVATIONS = ("tanh", "relu")  # relu is a maximum
ITERATIVE = (unrolls.Newton(chunk=1), unrolls.QuasiNewton(), unrolls.LevenbergMarquardt())
AFFINE = (unrolls.Scan(), unrolls.Associative(), unrolls.ChunkedAssociative())


def nan_injected(shard: int, shards: int, sizes: tuple[int, ...] = SIZES) -> Tally:
    """One of so many shards of the sizes."""
    tally = Tally("a NaN in a batch, a gradient, parameters or inputs: stopped, or seen in the result")
    with TemporaryDirectory() as name:
        for size in sizes[shard::shards]:
            rng = np.random.default_rng(size)
            _training(tally, Path(name), ("batch",), size, "tanh", rng)
            for activation in ACTIVATIONS:
                _training(tally, Path(name), ("gradient", "parameters"), size, activation, rng)
            _unrolls(tally, size, rng)
            jax.clear_caches()
        _plant(tally, Path(name))
    return tally


def _add(tally: Tally, action: Callable[[], str], what: str) -> None:
    outcome, error = outcome_of(action)
    tally.add(outcome, f"{what}; {error}")


# ---- training --------------------------------------------------------------------------------------------


class Runs:
    """A run without a fault, and runs of the same configuration with one."""

    def __init__(self, path: Path, config: Config):
        self.path, self.config = path, config
        self.twin = path / "twin"
        train(self.twin, config)
        self.expected = contents(self.twin)

    def trained(self, where: Where, place: int) -> str:
        """What training does about a NaN, and whether it goes on from its last checkpoint as if nothing had been."""
        path = self.path / "run"
        try:
            with poison(where, place):
                train(path, self.config)
            return SILENT
        except Diverged as error:
            if f"step {AT + 1} is not finite" not in str(error) or f"checkpoint of step {AT} is kept" not in str(error):
                return SILENT
        train(path, self.config)
        other = differences(self.expected, contents(path))
        shutil.rmtree(path)
        return SILENT if other else SAID

    def evaluated(self, place: int) -> str:
        """What the scores of a checkpoint are whose parameters have a NaN."""
        path = self.path / "run"
        shutil.copytree(self.twin, path)
        folder = RunFolder(path)
        like = jax.eval_shape(lambda: first_state(self.config, self.config.network(self.config.task.open())))
        found = folder.last.restore(like, lambda said: None)
        assert found is not None
        step, state = found
        state = {**state, "params": poisoned(state["params"], place)}
        folder.last.save(step, state, folder.last.record(step) or {})
        try:
            scores = evaluate_run(path, self.config, "last", lambda said: None)
            return REFUSED if math.isnan(scores["error"][0]) else SILENT
        finally:
            shutil.rmtree(path)

    def validated(self, place: int) -> str:
        """Whether parameters that are NaN at one validation become the best."""
        path, evaluate = self.path / "run", Job._evaluate

        def at_one_step(job: Any, state: Any, part: Any) -> Any:
            if job.record.step == AT and part == "validation":
                state = {**state, "params": poisoned(state["params"], place)}
            return evaluate(job, state, part)

        with mock.patch.object(Job, "_evaluate", at_one_step):
            train(path, self.config)
        record = Record.from_json(RunFolder(path).last.record(STEPS), "the record")
        shutil.rmtree(path)
        is_seen = any(math.isnan(line["validation"]["error"][0]) for line in record.lines if "validation" in line)
        return REFUSED if is_seen and record.best is not None and record.best["step"] != AT else SILENT

    def saved(self, place: int) -> str:
        """Whether a model with NaN can be saved."""
        model = self.config.network(self.config.task.open())
        save_model(self.path / "model", model, poisoned(model.init(jax.random.key(0)), place))
        return SILENT


def _training(
    tally: Tally, path: Path, kinds: tuple[Where, ...], size: int, activation: str, rng: np.random.Generator
) -> None:
    """All that one configuration can meet."""
    runs = Runs(path / f"{size}-{activation}-{kinds[0]}", config(kinds[0], size, activation))
    place = int(rng.integers(size))
    for where in kinds:
        _add(tally, functools.partial(runs.trained, where, place), f"{where} of {size}, {activation}, {place}")
    if "parameters" in kinds:
        for action in (runs.evaluated, runs.validated, runs.saved):
            what = f"{action.__name__}, parameters of {size}, {activation}, {place}"
            _add(tally, functools.partial(action, place), what)
    shutil.rmtree(runs.path)


# ---- unrolls ---------------------------------------------------------------------------------------------


def _unrolls(tally: Tally, size: int, rng: np.random.Generator) -> None:
    """A NaN in one of two sequences, and one in the parameters, through all that is not a plain loop."""
    gru = cells.GRU(hidden_size=size, structure=structures.Diagonal())
    for cell, ways in ((gru, ITERATIVE), (cells.MinGRU(hidden_size=size), AFFINE)):
        params = cell.init(jax.random.key(0), 1)
        xs = jax.random.normal(jax.random.key(1), (6, 2, 1))
        place = int(rng.integers(size))
        bad = {**params, "w": {**params["w"], "n": params["w"]["n"].at[place, 0].set(jnp.nan)}}
        for unroll in ways:
            program = jax.jit(lambda params, xs, c=cell, u=unroll: run(c, params, xs, unroll=u)[0])
            what = f"{type(cell).__name__}({size}), {unroll}, {place}"
            _add(tally, functools.partial(_of_input, program, params, xs), f"inputs of {what}")
            _add(tally, functools.partial(_of_parameters, program, bad, xs, place), f"parameters of {what}")


def _of_input(program: Any, params: Any, xs: Any) -> str:
    return seen(program(params, xs.at[2, 0].set(jnp.nan)), program(params, xs))


def _of_parameters(program: Any, bad: Any, xs: Any, place: int) -> str:
    return hidden(program(bad, xs)[..., place])


def seen(ys: Any, right: Any) -> str:
    """Whether the first of two sequences ends in NaN, and the second is as it was."""
    ys, right = np.asarray(ys), np.asarray(right)
    is_seen = np.isnan(ys[2:, 0]).all() and np.isfinite(right).all()
    return REFUSED if is_seen and np.allclose(ys[:, 1], right[:, 1], atol=1e-5) else SILENT


def hidden(ys: Any) -> str:
    """Whether outputs that must be NaN are."""
    return REFUSED if np.isnan(np.asarray(ys)).all() else SILENT


# ---- planted faults --------------------------------------------------------------------------------------


def _plant(tally: Tally, path: Path) -> None:
    """Training, evaluation and runs that do not notice."""
    runs = Runs(path / "planted", config("parameters", 64))
    with mock.patch.object(Job, "_diverged", lambda *args: None):
        tally.control(runs.trained("gradient", 5) == SILENT)
    shutil.rmtree(runs.path / "run", ignore_errors=True)
    with mock.patch.object(Record, "is_better", lambda record, *args: record.step == AT):
        tally.control(runs.validated(5) == SILENT)
    with mock.patch.dict(globals(), {"poisoned": lambda params, place: params}):
        tally.control(runs.evaluated(5) == SILENT)
        tally.control(outcome_of(lambda: runs.saved(5))[0] == SILENT)
    right = np.ones((6, 2, 3))
    tally.control(seen(right, right) == SILENT)
    tally.control(seen(np.full_like(right, np.nan), right) == SILENT)
    tally.control(hidden(right) == SILENT)


__all__ = ["nan_injected"]
