"""Affine cells: ChunkedAssociative beside lax.associative_scan and Scan, in time and memory.

    python benchmarks/associative.py [--runs 7]

minGRU and LRU, float32, T=4096, B=8, I=H=128, forward (a sum of squares of the outputs) and its gradient by parameters
and inputs, projection included. "lax.associative_scan, plain" is `Associative` without its derivative rule. "temp" is
the memory besides arguments and results. Ratios are of wall time to "lax.associative_scan, plain" in the same round.
"""

import sys
from pathlib import Path
from typing import Any

import jax
from jax import lax

sys.path.insert(0, str(Path(__file__).parent))
from timing import measure, options, report

from rnnzoo import cells, run, unrolls
from rnnzoo.cells.base import Cell
from rnnzoo.spec import spec
from rnnzoo.unrolls.base import Unroll

T, B, I, H = 4096, 8, 128, 128  # noqa: E741
CELLS = (cells.MinGRU(hidden_size=H), cells.LRU(hidden_size=H))


@spec
class _Plain(Unroll):
    """What one writes without this package. The initial state is zero."""

    def __call__(self, cell: Any, params: Any, state: Any, zs: Any, controls: Any) -> Any:
        def join(first, second):
            (a1, b1), (a2, b2) = first, second
            return cell.transition.compose(a2, a1), cell.transition.matvec(a2, b1) + b2

        maps = jax.vmap(cell.affine, (None, 0))(params, zs)
        return {"h": lax.associative_scan(jax.vmap(join), maps)[1]}


UNROLLS = {
    "lax.associative_scan, plain": _Plain(),
    "Associative": unrolls.Associative(),
    **{f"ChunkedAssociative, {c or 'sqrt(T)'}": unrolls.ChunkedAssociative(chunk=c) for c in (None, 256)},
    "Scan": unrolls.Scan(),
}


def programs(cell: Cell, unroll: Unroll) -> dict[str, Any]:
    """Forward, and forward and backward, as functions of parameters and inputs."""

    def loss(params, xs):
        return (run(cell, params, xs, unroll=unroll)[0] ** 2).sum()

    return {"forward": loss, "gradient": jax.grad(loss, (0, 1))}


def temp_mib(function: Any, args: Any) -> float:
    """MiB that the compiled program needs besides arguments and results."""
    analysis: Any = jax.jit(function).lower(*args).compile().memory_analysis()
    return round(analysis.temp_size_in_bytes / 2**20, 1)


if __name__ == "__main__":
    given = options(__doc__.splitlines()[0])
    rows = []
    for cell in CELLS:
        args = (cell.init(jax.random.key(1), I), jax.random.normal(jax.random.key(0), (T, B, I)))
        for kind in ("forward", "gradient"):
            candidates = {name: (programs(cell, unroll)[kind], args) for name, unroll in UNROLLS.items()}
            found = measure(candidates, given.runs)
            for row, candidate in zip(found, candidates.values(), strict=True):
                rows.append({"cell": type(cell).__name__, "kind": kind, **row, "temp_mib": temp_mib(*candidate)})
    report(rows, given.out)
