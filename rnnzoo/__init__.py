"""rnnzoo: recurrent networks with a structured recurrent matrix, for JAX and Flax.

>>> import jax, rnnzoo
>>> cell = rnnzoo.cells.LSTM(hidden_size=8, structure=rnnzoo.structures.Diagonal())
>>> params = cell.init(jax.random.key(0), input_size=3)
>>> ys, last = rnnzoo.run(cell, params, jax.numpy.ones((5, 2, 3)))  # (T, B, I) -> (T, B, H)
>>> ys.shape, sorted(last)
((5, 2, 8), ['c', 'h'])
"""

from rnnzoo import cells, config, initializers, models, structures, tasks, unrolls, wrappers
from rnnzoo.base import spec
from rnnzoo.convergence import newton_report
from rnnzoo.devices import split_batch, use_cpu_cores
from rnnzoo.memory import keep_memory
from rnnzoo.model_folder import load_model, save_model
from rnnzoo.registry import UsageError, from_json, members, to_json
from rnnzoo.run import run
from rnnzoo.streaming import make_model_stepper, make_stepper

__version__ = "0.1.0"

__all__ = [
    "UsageError",
    "cells",
    "config",
    "from_json",
    "initializers",
    "keep_memory",
    "load_model",
    "make_model_stepper",
    "make_stepper",
    "members",
    "models",
    "newton_report",
    "run",
    "save_model",
    "spec",
    "split_batch",
    "structures",
    "tasks",
    "to_json",
    "unrolls",
    "use_cpu_cores",
    "wrappers",
]
