"""Matrix memories: chunks by matrix products (`ChunkedMemory`) beside one step after the other (`Scan`).

    python benchmarks/matrix_memory.py
    python benchmarks/matrix_memory.py --only 'gla*' --time 512

float32, T=2048, B=2, 4 heads of 64 keys and 64 values, outputs and gradients of a sum of squares by parameters and
inputs. Memory is what the compiled program needs besides its arguments and results. Ratios are to Scan, timed in the
same round.
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
UNROLLS: tuple[Unroll, ...] = (
    unrolls.Scan(),
    *(unrolls.ChunkedMemory(chunk=c) for c in (32, 64, 128)),
    unrolls.AssociativeMemory(),
)


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


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from timing import measure, parser, program, report

    asked = parser(__doc__.splitlines()[0])
    asked.add_argument("--only", default="*", help="names of cells, with * and ?")
    asked.add_argument("--time", type=int, default=T, help=f"steps (default {T})")
    given = asked.parse_args()
    rows = []
    for name, cell in all_cells(given.only).items():
        made = {str(unroll): program(*candidate(cell, unroll, given.time)) for unroll in UNROLLS}
        most = made[str(UNROLLS[0])].mib
        for timed in measure({key: each.run for key, each in made.items()}, given.runs):
            each = made[timed["candidate"]]
            size = {"compile_s": each.compile_s, "mib": each.mib, "mib_ratio": round(each.mib / most, 3)}
            rows.append({"cell": name, "T": given.time} | timed | size)
    report(rows, given.out)
