"""Memory of the gradient of one LSTM layer by its parameters, from the compiled program's own analysis.

    python benchmarks/memory.py

Float32, T=16,384, B=8, I=H=128; nothing is run. "layer" is what the gradient needs besides its arguments (inputs,
parameters, and the cotangent of the outputs) and its results. "loss" is the same for the gradient of a sum of squares
of the outputs, which also has to hold the outputs and their cotangent, 2 x 64 MiB, whatever the unroll.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo import cells, run, unrolls
from rnnzoo.cells.base import Cell
from rnnzoo.unrolls.base import Unroll

T, B, I, H = 16_384, 8, 128, 128  # noqa: E741
UNROLLS = (
    unrolls.Scan(),
    *(unrolls.Chunked(chunk=chunk) for chunk in (None, 32, 512, 2048)),
    unrolls.Truncated(steps=128),
    unrolls.Truncated(steps=1024, inner=unrolls.Chunked()),
)


def gradient_memory(cell: Cell, unroll: Unroll, time: int, batch: int, features: int) -> dict[str, int]:
    """Bytes besides arguments and results: of the "layer" alone, and with a "loss" that keeps all outputs."""
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), features))
    xs = jax.ShapeDtypeStruct((time, batch, features), jnp.float32)
    cotangents = jax.ShapeDtypeStruct((time, batch, cell.output_size), jnp.float32)

    def weighted(params, xs, weights):
        return jnp.vdot(weights, run(cell, params, xs, unroll=unroll)[0])

    def squares(params, xs):
        return (run(cell, params, xs, unroll=unroll)[0] ** 2).sum()

    def temp(function: Any, *args: Any) -> int:
        analysis: Any = jax.jit(jax.grad(function)).lower(*args).compile().memory_analysis()
        return analysis.temp_size_in_bytes

    return {"layer": temp(weighted, params, xs, cotangents), "loss": temp(squares, params, xs)}


def table(time: int) -> list[dict[str, Any]]:
    """One row for each unroll, with ratios to the first."""
    rows: list[dict[str, Any]] = []
    for unroll in UNROLLS:
        row: dict[str, Any] = {"unroll": str(unroll), "time": time}
        for name, size in gradient_memory(cells.LSTM(hidden_size=H), unroll, time, B, I).items():
            row[f"{name}_mib"] = round(size / 2**20, 2)
            row[f"{name}_ratio"] = round(row[f"{name}_mib"] / (rows[0] if rows else row)[f"{name}_mib"], 4)
        rows.append(row)
    return rows


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from timing import report

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", type=int, default=T, help=f"steps (default {T})")
    parser.add_argument("--out", type=Path, help="append the rows to this CSV file")
    given = parser.parse_args()
    report(table(given.time), given.out)
