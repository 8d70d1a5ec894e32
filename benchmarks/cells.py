"""Every cell at one size: time of a step, compile time, and memory, all in one table.

    python benchmarks/cells.py                     # about two minutes a cell on two CPU cores
    python benchmarks/cells.py --only '*lstm*'

float32, T=256, B=16, I=H=64, `Auto` as the unroll: outputs alone ("forward"), and with gradients of a sum of squares
by all parameters ("gradient"). Microseconds are those of one step of the whole batch. Memory is what the compiled
program needs besides its arguments and results. Ratios are to the LSTM, timed in the same round; compile times stand
beside the LSTM's, compiled just before. "why" says what makes a cell compile more than twice as long.
"""

import fnmatch
import math
import sys
from pathlib import Path
from typing import Any

import jax
import jax.extend.core
import jax.numpy as jnp

import rnnzoo
from rnnzoo import cells, run, unrolls
from rnnzoo.cells.base import Affine, Cell
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.wrappers.base import Wrapper

T, B, I, H = 256, 16, 64, 64  # noqa: E741


def all_cells(pattern: str = "*") -> dict[str, Cell]:
    """The package's own cells whose names match, without wrappers."""
    found: dict[str, Any] = rnnzoo.members("cells")
    ours = {n: c for n, c in found.items() if c.__module__.startswith("rnnzoo.") and not issubclass(c, Wrapper)}
    return {n: c(hidden_size=H) for n, c in ours.items() if fnmatch.fnmatch(n.lower(), pattern.lower())}


def programs(cell: Cell) -> dict[str, Any]:
    """ "forward" and "gradient", as functions of parameters and inputs."""

    def forward(params: Any, xs: Any) -> Any:
        return (run(cell, params, xs, unroll=unrolls.Auto())[0] ** 2).sum()

    return {"forward": forward, "gradient": jax.grad(forward)}


def arguments(cell: Cell) -> tuple[Any, Any]:
    """Parameters, and inputs (T, B, ..., C) of the shape that the cell takes, I numbers in all."""
    features = I if cell.feature_axes == 1 else (*cell.shape, max(1, I // math.prod(cell.shape)))  # pyright: ignore
    params = cell.init(jax.random.key(0), features)  # pyright: ignore
    return params, jax.random.normal(jax.random.key(1), (T, B, *(features if isinstance(features, tuple) else (I,))))


def why(cell: Cell, what: str, ratio: float) -> str:
    """What makes a cell compile long: what its program has that the LSTM's has not. Nothing below twice its time."""
    if ratio <= 2:
        return ""
    count, usual = (operations(programs(c)[what], c) for c in (cell, cells.LSTM(hidden_size=H)))
    kind = "the step"
    if isinstance(cell.recurrence, MatrixMemory):
        kind = "chunks of matrix products"
    elif isinstance(cell.recurrence, Affine):
        kind = "the step and its transition"
    return f"{count} operations for {kind}; the LSTM's program has {usual}"


def operations(function: Any, cell: Cell) -> int:
    """How many there are in the traced program, loops and inner functions counted once."""
    return _count(jax.make_jaxpr(function)(*jax.eval_shape(lambda: arguments(cell))).jaxpr)


def _count(jaxpr: Any) -> int:
    inner = (sub for eqn in jaxpr.eqns for sub in jax.extend.core.jaxprs_in_params(eqn.params))
    return len(jaxpr.eqns) + sum(_count(sub) for sub in inner)


def row(name: str, cell: Cell, what: str, runs: int) -> dict[str, Any]:
    """One cell beside the LSTM: both compiled, then timed in turn."""
    from timing import measure, program

    each = {"LSTM": cells.LSTM(hidden_size=H), name: cell}
    made = {key: program(programs(c)[what], arguments(c)) for key, c in each.items()}
    timed = {r["candidate"]: r for r in measure({key: p.run for key, p in made.items()}, runs)}[name]
    seconds = {key: p.compile_s for key, p in made.items()}
    if seconds[name] > 2 * seconds["LSTM"]:  # fractions of a second, which other work disturbs: the least of three
        for key, c in [(key, c) for key, c in each.items() for _ in range(2)]:
            jax.clear_caches()
            seconds[key] = min(seconds[key], program(programs(c)[what], arguments(c)).compile_s)
    ratio = seconds[name] / seconds["LSTM"]
    return {
        "cell": name, "what": what, "us_a_step": round(1e3 * timed["wall_ms"] / T, 2), "ratio": timed["ratio"],
        "compile_s": seconds[name], "compile_ratio": round(ratio, 2), "mib": made[name].mib,
        "why": why(cell, what, ratio),
    }  # fmt: skip


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from timing import parser, report

    asked = parser(__doc__.splitlines()[0])
    asked.add_argument("--only", default="*", help="names of cells, with * and ?")
    given = asked.parse_args()
    jnp.zeros(1).block_until_ready()
    found = all_cells(given.only)
    rows = [row(name, cell, what, given.runs) for name, cell in found.items() for what in ("forward", "gradient")]
    report(rows, given.out)
