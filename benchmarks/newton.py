"""Newton over a whole sequence beside the sequential scan: iterations, residual and time, random and trained cells.

    python benchmarks/newton.py
    python benchmarks/newton.py --runs 7 --times 512 2048

GRU and LSTM with diagonal U read text through an embedding of 32, B=2, H=64, float32, tolerance 1e-6; "trained" ones
are trained on it as configs/char_lm.py says. Iterations are the most of any
sequence. Ratios are of wall time to Scan's in the same round: forward, and both forward and backward (gradients of a
sum of squares by parameters). ParallelBackward runs forward as Scan does.
"""

import argparse
import functools
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from timing import measure, report

from rnnzoo import cells, newton_report, run, structures, tasks, unrolls
from rnnzoo.models import Stack
from rnnzoo.training.config import Config
from rnnzoo.training.numbers import lanes_of, program_of
from rnnzoo.training.update import first_state, train_steps

BATCH, HIDDEN, STEPS = 2, 64, 1500
NEWTON = unrolls.Newton(tolerance=1e-6)


def cases(names):
    """(name, cell, parameters, embedding), before and after training."""
    for make in (cells.GRU, cells.LSTM):
        cell = make(hidden_size=HIDDEN, structure=structures.Diagonal())
        config = Config(
            task=tasks.CharLM(),
            cell=cell,
            model=Stack(embedding_size=32),
            lr=4e-3,
            schedule="cosine",
            warmup=100,
            steps=STEPS,
            batch_size=32,
        )
        data: Any = config.task.open()
        model = config.network(data)
        for name in names:
            state = first_state(config, model)
            if name == "trained":
                lanes = (program_of(config), model, data.static, data.arrays, *lanes_of(config))
                state, _ = train_steps(*lanes, state, np.int32(0), length=STEPS)
            params = jax.tree.map(lambda leaf: leaf[0], state["params"])
            yield f"{make.__name__} {name}", cell, params["layer_0"]["cell"], params["embed"]["w"]


def text(time):
    """Characters (T, B)."""
    tokens = np.asarray(tasks.CharLM().open().arrays["train"])
    return tokens[: time * BATCH].reshape(BATCH, time).T


def rows(name, cell, params, xs, runs):
    """One row for each unroll and direction."""
    got = jax.jit(functools.partial(newton_report, cell, unroll=NEWTON))(params, xs)

    def forward(unroll):
        return lambda params: run(cell, params, xs, unroll=unroll)[0]

    def both(unroll):
        return jax.grad(lambda params: (run(cell, params, xs, unroll=unroll)[0] ** 2).sum())

    for direction, make, others in (("forward", forward, ()), ("both", both, (unrolls.ParallelBackward(),))):
        candidates = {type(u).__name__: (make(u), (params,)) for u in (unrolls.Scan(), NEWTON, *others)}
        for row in measure(candidates, runs):
            case = {"case": name, "T": xs.shape[0], "iterations": int(got.iterations.max())}
            yield case | {"residual": f"{float(got.residual.max()):.1e}", "pass": direction} | row


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="counted runs of each candidate (default 7)")
    parser.add_argument("--times", type=int, nargs="+", default=[512, 2048, 8192, 16384], help="sequence lengths T")
    parser.add_argument("--cells", nargs="+", default=["random", "trained"], choices=["random", "trained"])
    parser.add_argument("--out", type=Path, help="append the rows to this CSV file")
    given = parser.parse_args()
    for name, cell, params, embedding in cases(given.cells):
        for time in given.times:
            report(list(rows(name, cell, params, embedding[text(time)], given.runs)), given.out)
