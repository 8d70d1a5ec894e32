"""rnnzoo: recurrent networks with a structured recurrent matrix, for JAX and Flax.

>>> import jax, rnnzoo
>>> cell = rnnzoo.cells.LSTM(hidden_size=8, structure=rnnzoo.structures.Diagonal())
>>> params = cell.init(jax.random.key(0), input_size=3)
>>> ys, last = rnnzoo.run(cell, params, jax.numpy.ones((5, 2, 3)))  # (T, B, I) -> (T, B, H)
>>> ys.shape, sorted(last)
((5, 2, 8), ['c', 'h'])
"""

from rnnzoo import cells, config, initializers, loggers, models, moved, structures, tasks, unrolls, wrappers
from rnnzoo.analysis.convergence import convergence_report, newton_report
from rnnzoo.api import evaluate, train
from rnnzoo.integers import checked
from rnnzoo.result import Evaluation, Result
from rnnzoo.rtrl import RTRL
from rnnzoo.run import run
from rnnzoo.sample import sample
from rnnzoo.sharding import unit_specs
from rnnzoo.sizes import match
from rnnzoo.spec import UsageError, members, spec
from rnnzoo.spec_json import from_json, to_json
from rnnzoo.store.model_folder import load_model, save_model
from rnnzoo.store.pretrained import load_pretrained
from rnnzoo.streaming import make_model_stepper, make_stepper
from rnnzoo.training.devices import split_batch, use_cpu_cores
from rnnzoo.training.memory import keep_memory
from rnnzoo.version import __version__

moved.install()

__all__ = [
    "RTRL",
    "Evaluation",
    "Result",
    "UsageError",
    "__version__",
    "cells",
    "checked",
    "config",
    "convergence_report",
    "evaluate",
    "from_json",
    "initializers",
    "keep_memory",
    "load_model",
    "load_pretrained",
    "loggers",
    "make_model_stepper",
    "make_stepper",
    "match",
    "members",
    "models",
    "newton_report",
    "run",
    "sample",
    "save_model",
    "spec",
    "split_batch",
    "structures",
    "tasks",
    "to_json",
    "train",
    "unit_specs",
    "unrolls",
    "use_cpu_cores",
    "wrappers",
]
