"""A training step of one LSTM layer: ours, dense and structured, beside Flax Linen's RNN(LSTMCell).

    python benchmarks/lstm.py

Gradients of a sum of squares by all parameters, float32, B=32, T=256, I=H=128, all cores to each. Linen gets its own
default layout (batch first), ours time first. Ratios are of wall time to Linen's in the same round.
"""

import sys
from pathlib import Path

import flax.linen as nn
import jax

sys.path.insert(0, str(Path(__file__).parent))
from timing import measure, options, report

from rnnzoo import cells, run, structures

B, T, I, H = 32, 256, 128, 128  # noqa: E741

if __name__ == "__main__":
    given = options(__doc__.splitlines()[0])
    xs = jax.random.normal(jax.random.key(0), (T, B, I))
    linen = nn.RNN(nn.LSTMCell(H))
    rows = xs.swapaxes(0, 1)

    def train_linen(params, xs):
        return jax.grad(lambda p: (linen.apply(p, xs) ** 2).sum())(params)

    candidates = {"flax.linen dense": (train_linen, (linen.init(jax.random.key(1), rows), rows))}
    for structure in (structures.Dense(), structures.Diagonal(), structures.Banded(bandwidth=1)):
        cell = cells.LSTM(hidden_size=H, structure=structure)

        def train(params, xs, cell=cell):
            return jax.grad(lambda p: (run(cell, p, xs)[0] ** 2).sum())(params)

        candidates[f"rnnzoo {structure}"] = (train, (cell.init(jax.random.key(1), I), xs))
    report(measure(candidates, given.runs), given.out)
