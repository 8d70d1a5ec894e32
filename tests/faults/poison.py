"""A task, cells and a loop into which NaN can be put: in one number of a batch, a gradient or the parameters."""

import dataclasses
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo import cells, structures
from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Structures
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Batch, Batches, Data, HostData, Part
from rnnzoo.training.config import Config
from rnnzoo.training.loops import HostLoop
from rnnzoo.trees import named

Where = Literal["batch", "gradient", "parameters"]
TIME, BATCH, HELD_OUT = 3, 2, 4
STEPS, AT = 6, 4  # of a run, and the step, counted from 0, that meets NaN; a checkpoint is written every second step
MARK = 1000.0  # an input far above all others; what is above it says in which bias the gradient is NaN


@dataclasses.dataclass
class Poison:
    """What the next run meets."""

    where: Where | None = None
    place: int = 0  # which of the numbers


POISON = Poison()


# ---- data --------------------------------------------------------------------------------------------------


class Numbered(Batches):
    """Random batches, each from its number."""

    def __init__(self, features: int, seed: int):
        self.features, self.seed, self.number = features, seed, 0

    def __next__(self) -> Batch:
        batch = _random(self.features, BATCH, self.seed, self.number)
        if self.number == AT and POISON.where == "batch":
            batch["x"][1, 0, POISON.place] = np.nan
        if self.number == AT and POISON.where == "gradient":
            batch["x"][1, 0, 0] = MARK + POISON.place
        self.number += 1
        return batch

    def state(self) -> Any:
        return self.number

    def restore(self, state: Any) -> None:
        self.number = state


def _random(features: int, size: int, *seed: int) -> Batch:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(TIME, size, features)).astype(np.float32)
    return {"x": x, "y": x[-1, :, :1]}


class Normal(HostData):
    output_size = 1

    def __init__(self, features: int):
        self.input_size = features

    @property
    def fingerprint(self) -> str:
        return f"normal {self.input_size}"

    def batches(self, size: int, seed: int) -> Numbered:
        return Numbered(self.input_size, seed)

    def held_out(self, part: Part) -> Iterator[Batch]:
        yield _random(self.input_size, HELD_OUT, len(part))


@spec
class LastInput(Task):
    """What the first feature was at the last step."""

    features: Size = 1

    metric = "error"
    better = "lower"
    read = "last"

    def open(self) -> Data:
        return Normal(self.features)

    def loss(self, outputs, batch):
        return ((outputs - batch["y"]) ** 2).mean()

    def scores(self, outputs, batch):
        return {"error": measures.total((outputs - batch["y"]) ** 2)}

    def baselines(self, data):
        return {"zero": 1.0}


# ---- cells -------------------------------------------------------------------------------------------------


@spec
class Cornered(cells.Elman):
    """An Elman network whose gradient is NaN in one bias at inputs from `MARK` on, and right everywhere else."""

    structure: Structures = structures.Diagonal()

    def project(self, params, x_t):
        is_corner = x_t[0] >= MARK
        factors = jnp.where(is_corner & (jnp.arange(self.hidden_size) == x_t[0] - MARK), jnp.nan, 1.0)
        b = _cornered(params["b"]["h"], factors)
        return super().project({**params, "b": {"h": b}}, jnp.where(is_corner, 0, x_t))


@jax.custom_jvp
def _cornered(b: Any, factors: Any) -> Any:
    return jnp.where(factors == 1, b, b)  # of each step, as its derivative is


@_cornered.defjvp
def _(primals: Any, tangents: Any) -> Any:
    return _cornered(*primals), primals[1] * tangents[0]


# ---- parameters --------------------------------------------------------------------------------------------


def poisoned(params: Any, place: int) -> Any:
    """The parameters with one NaN, in the recurrent matrix."""

    def change(name: str, a: Any) -> Any:
        if not name.endswith("['u']['h']"):
            return a
        flat = np.array(a).reshape(-1)
        flat[place % flat.size] = np.nan
        return jnp.asarray(flat.reshape(a.shape))

    leaves, tree = jax.tree.flatten(params)
    found = [change(name, a) for name, a in zip(named(params), leaves, strict=True)]
    assert sum(a is not b for a, b in zip(found, leaves, strict=True)) == 1, list(named(params))
    return tree.unflatten(found)


@contextmanager
def poison(where: Where | None, place: int = 0) -> Iterator[None]:
    """Runs within meet NaN at step `AT`."""
    POISON.where, POISON.place = where, place
    original = HostLoop.run

    def run(self: Any, state: Any, start: int, length: int) -> Any:
        found = []
        for step in range(start, start + length):
            if step == AT and where == "parameters":
                state = {**state, "params": poisoned(state["params"], place)}
            state, metrics = original(self, state, step, 1)
            found.append(metrics)
        return state, jax.tree.map(lambda *steps: np.concatenate(steps, 1), *found)

    try:
        with mock.patch.object(HostLoop, "run", run):
            yield
    finally:
        POISON.where = None


def config(where: Where, size: int, activation: Any = "tanh") -> Config:
    """A run in which that many numbers may be NaN: those of an input, or one for each unit."""
    make = functools.partial(Cornered, activation=activation)
    task, cell = (
        (LastInput(features=size), make(hidden_size=4)) if where == "batch" else (LastInput(), make(hidden_size=size))
    )
    return Config(task=task, cell=cell, batch_size=BATCH, steps=STEPS, log_every=2, eval_every=2, lr=1e-3)


__all__ = ["AT", "STEPS", "Where", "config", "poison", "poisoned"]
