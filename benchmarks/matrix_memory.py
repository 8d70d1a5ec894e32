"""Matrix memories: chunks by matrix products (`ChunkedMemory`) beside one step after the other (`Scan`).

    python benchmarks/matrix_memory.py
    python benchmarks/matrix_memory.py --only 'gla*' --time 512

float32, T=2048, B=2, 4 heads of 64 keys and 64 values, outputs and gradients of a sum of squares by parameters and
inputs. Memory is what the compiled program needs besides its arguments and results. Ratios are to Scan, timed in the same
round.
"""

import fnmatch
import sys
from pathlib import Path
from typing import Any

import jax

import rnnzoo
from rnnzoo import run, unrolls
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.unrolls.base import Unroll

T, B, HEADS, KEYS, VALUES = 2048, 2, 4, 64, 64
UNROLLS: tuple[Unroll, ...] = (unrolls.Scan(), *(unrolls.ChunkedMemory(chunk=c) for c in (16, 32, 64, 128)))


def all_cells(pattern: str = "*") -> dict[str, MatrixMemory]:
    """The package's own cells with a matrix memory whose names match, all of one size."""
    found: dict[str, Any] = rnnzoo.members("cells")
    ours = {n: c for n, c in found.items() if c.__module__.startswith("rnnzoo.") and issubclass(c, MatrixMemory)}
    named = {n: c for n, c in ours.items() if fnmatch.fnmatch(n.lower(), pattern.lower())}
    return {n: c(hidden_size=HEADS * VALUES, heads=HEADS, key_size=KEYS) for n, c in named.items()}


def candidate(cell: MatrixMemory, unroll: Unroll, time: int) -> tuple[Any, tuple[Any, Any]]:
    """A function and its arguments."""
    features = HEADS * VALUES
    params = cell.init(jax.random.key(0), features)
    xs = jax.random.normal(jax.random.key(1), (time, B, features))

    def squares(params: Any, xs: Any) -> Any:
        return (run(cell, params, xs, unroll=unroll)[0] ** 2).sum()

    return jax.value_and_grad(squares, (0, 1)), (params, xs)


def memory(function: Any, args: Any) -> float:
    """MiB besides arguments and results."""
    analysis: Any = jax.jit(function).lower(*args).compile().memory_analysis()
    return round(analysis.temp_size_in_bytes / 2**20, 1)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from timing import measure, parser, report

    asked = parser(__doc__.splitlines()[0])
    asked.add_argument("--only", default="*", help="names of cells, with * and ?")
    asked.add_argument("--time", type=int, default=T, help=f"steps (default {T})")
    given = asked.parse_args()
    rows = []
    for name, cell in all_cells(given.only).items():
        candidates = {str(unroll): candidate(cell, unroll, given.time) for unroll in UNROLLS}
        sizes = {key: memory(*value) for key, value in candidates.items()}
        for timed in measure(candidates, given.runs):
            size = sizes[timed["candidate"]]
            rows.append({"cell": name, "T": given.time} | timed | {"mib": size, "mib_ratio": size / sizes[str(UNROLLS[0])]})
    report(rows, given.out)
