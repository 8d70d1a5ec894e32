"""What `unrolls.Auto` goes by: cells that are affine in their state, step by step and in parallel.

    python benchmarks/auto.py

float32, forward, and gradients of a sum of squares by all parameters. Ratios are of wall time to
Scan's in the same round.
"""

import sys
from pathlib import Path

import jax

sys.path.insert(0, str(Path(__file__).parent))
from timing import measure, options, report

from rnnzoo import cells, run, unrolls

I = 64  # noqa: E741

if __name__ == "__main__":
    given = options(__doc__.splitlines()[0])
    rows = []
    for make in (cells.MinGRU, cells.LRU):
        for time, batch, hidden in ((64, 1, 16), (1024, 1, 64), (1024, 8, 128)):
            cell = make(hidden_size=hidden)
            args = (cell.init(jax.random.key(0), I), jax.random.normal(jax.random.key(1), (time, batch, I)))
            for what in ("forward", "gradient"):
                candidates = {}
                for unroll in (unrolls.Scan(), unrolls.Associative()):

                    def forward(params, xs, cell=cell, unroll=unroll):
                        return (run(cell, params, xs, unroll=unroll)[0] ** 2).sum()

                    candidates[str(unroll)] = (forward if what == "forward" else jax.grad(forward), args)
                size = {"cell": make.__name__, "T": time, "B": batch, "H": hidden, "what": what}
                rows += [size | row for row in measure(candidates, given.runs)]
    report(rows, given.out)
