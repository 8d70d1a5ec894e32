"""Side-by-side timing: candidates in turn in one process, medians, and ratios to the first."""

import argparse
import csv
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax

from rnnzoo.training.results import device, versions


def measure(candidates: dict[str, Any], runs: int) -> list[dict[str, Any]]:
    """Compile each candidate, a pair of function and arguments, warm it up, then run all in turn `runs` times. One that
    is a function without arguments is called as it is. Milliseconds; ratios to the first.

    Each counted run follows one of the same candidate that is not counted, as in a training loop: what ran before, if
    it is another program, leaves its own pages and caches behind, which may cost a run half as much again."""
    ready: dict[str, Callable[[], Any]] = {}
    compile_s = {}
    for name, candidate in candidates.items():
        began = time.perf_counter()
        ready[name] = candidate if callable(candidate) else _compiled(*candidate)
        compile_s[name] = time.perf_counter() - began
        for _ in range(2):
            ready[name]()
    wall: dict[str, list[float]] = {name: [] for name in candidates}
    cpu: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(runs):
        for name in candidates:
            ready[name]()
            began, began_cpu = time.perf_counter(), time.process_time()
            ready[name]()
            cpu[name].append(1e3 * (time.process_time() - began_cpu))
            wall[name].append(1e3 * (time.perf_counter() - began))
    first = next(iter(candidates))
    return [
        {
            "candidate": name,
            "wall_ms": round(statistics.median(wall[name]), 2),
            "cpu_ms": round(statistics.median(cpu[name]), 2),
            "ratio": round(statistics.median(a / b for a, b in zip(wall[name], wall[first], strict=True)), 3),
            "compile_s": round(compile_s[name], 2),
            "runs": runs,
        }
        for name in candidates
    ]


def _compiled(function: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[], Any]:
    return program(function, args).run


class Program(NamedTuple):
    """A compiled function with its arguments."""

    run: Callable[[], Any]
    compile_s: float
    mib: float  # besides arguments and results


def program(function: Callable[..., Any], args: tuple[Any, ...]) -> Program:
    """Compile a function for its arguments."""
    began = time.perf_counter()
    compiled = jax.jit(function).lower(*args).compile()
    seconds = time.perf_counter() - began
    analysis: Any = compiled.memory_analysis()
    return Program(
        lambda: jax.block_until_ready(compiled(*args)), round(seconds, 2), round(analysis.temp_size_in_bytes / 2**20, 2)
    )


def parser(description: str) -> argparse.ArgumentParser:
    """One for the options that every benchmark has."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--runs", type=int, default=11, help="counted runs of each candidate (default 11)")
    found.add_argument("--out", type=Path, help="append the rows to this CSV file")
    return found


def options(description: str) -> argparse.Namespace:
    """Their values."""
    return parser(description).parse_args()


def report(rows: list[dict[str, Any]], out: Path | None) -> None:
    """Print a table; append it, with device and versions, to a CSV file."""
    names = list(rows[0])
    widths = [max(len(str(row[n])) for row in [dict(zip(names, names, strict=True)), *rows]) for n in names]
    for row in [dict(zip(names, names, strict=True)), *rows]:
        print("  ".join(str(row[n]).ljust(w) for n, w in zip(names, widths, strict=True)))
    said = {"device": device(), **versions()}
    print(", ".join(f"{k} {v}" for k, v in said.items()), file=sys.stderr)
    if out is not None:
        new = not out.exists()
        with out.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*names, *said])
            if new:
                writer.writeheader()
            writer.writerows(row | said for row in rows)
