"""Memory of the gradient of one LSTM layer by its parameters, from the compiled program's own analysis.

    python benchmarks/memory.py

Float32, T=16,384, B=8, I=H=128, gradients of a sum of squares of the outputs. "temp" is what the program needs besides
its arguments (inputs and parameters) and results (gradients of the parameters). Nothing is run.
"""

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo import cells, run, unrolls
from rnnzoo.base import Cell, Unroll
from rnnzoo.report import device, versions

T, B, I, H = 16_384, 8, 128, 128  # noqa: E741
UNROLLS = (
    unrolls.Scan(),
    *(unrolls.Chunked(chunk=chunk) for chunk in (None, 32, 512, 2048)),
    unrolls.Truncated(steps=128),
    unrolls.Truncated(steps=1024, inner=unrolls.Chunked()),
)


def gradient_memory(cell: Cell, unroll: Unroll, time: int, batch: int, features: int) -> dict[str, int]:
    """Bytes of the gradient's program: "temp" and "argument"."""
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), features))
    xs = jax.ShapeDtypeStruct((time, batch, features), jnp.float32)

    def loss(params, xs):
        return (run(cell, params, xs, unroll=unroll)[0] ** 2).sum()

    analysis: Any = jax.jit(jax.grad(loss)).lower(params, xs).compile().memory_analysis()
    return {"temp": analysis.temp_size_in_bytes, "argument": analysis.argument_size_in_bytes}


def table(time: int) -> list[dict[str, Any]]:
    """One row for each unroll, with the ratio to the first."""
    rows: list[dict[str, Any]] = []
    for unroll in UNROLLS:
        found = gradient_memory(cells.LSTM(hidden_size=H), unroll, time, B, I)
        mib = {name: round(size / 2**20, 1) for name, size in found.items()}
        rows.append({"unroll": str(unroll), "time": time, "temp_mib": mib["temp"], "argument_mib": mib["argument"]})
        rows[-1]["ratio"] = round(rows[-1]["temp_mib"] / rows[0]["temp_mib"], 4)
    return rows


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from timing import report

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", type=int, default=T, help=f"steps (default {T})")
    parser.add_argument("--out", type=Path, help="append the rows to this CSV file")
    given = parser.parse_args()
    report(table(given.time), given.out)
