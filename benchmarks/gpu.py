"""Recurrences on one GPU: the kernels of `Fused` beside `Scan`, cuDNN and `lax.associative_scan`.

    python benchmarks/gpu.py [--only agreement lstm ...] [--seconds 150] --out gpu.csv

First whether `Fused` agrees with `Scan` on this device, then times. Each row is printed, and appended to the file, as
soon as it is there; what fails is a row with the error. "recurrence" rows have the projected inputs given, "layer" rows
multiply by W as well, as cuDNN does. Times are the median of 5 rounds of calls, one sent after the other, waited for at
the end of each round. "of copy" is the bandwidth of what a forward pass reads and writes at the least, as a part of
that of a copy in the same run.
"""

import argparse
import csv
import dataclasses
import functools
import os
import queue
import statistics
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # torch is in the same process

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo import cells, run, structures, unrolls
from rnnzoo.cells.base import Cell
from rnnzoo.spec import spec
from rnnzoo.training.results import device, versions
from rnnzoo.typing import Control
from rnnzoo.unrolls.fused.mosaic import Mosaic
from rnnzoo.unrolls.fused.triton import Triton
from rnnzoo.unrolls.fused.unroll import recurrence as fused
from rnnzoo.unrolls.recurrence import lanes
from rnnzoo.unrolls.recurrence import recurrence as scan

STEPS, BATCH, UNITS = 1024, 16, 768
LINEAR = {"steps": (1024, 4096, 16384), "batch": 8, "units": 1536}
SMALL = (37, 3, 75)  # of the agreement
COPIED = 2**28  # numbers
ROUNDS, CALLS, SLOW_CALLS = 5, 20, 2
DIAGONAL = structures.Diagonal()
FIELDS = ("case", "candidate", "T", "B", "H", "dtype", "what", "wall_ms", "of_copy", "compile_s", "note")
# What the default of each route is held against.
CHOICES = {
    "Mosaic": Mosaic(),
    "Triton": Triton(),
    "Mosaic, unroll 1": Mosaic(unroll=1),
    "Mosaic, unroll 2": Mosaic(unroll=2),
    "Mosaic, unroll 8": Mosaic(unroll=8),
    "Mosaic, chunk 8": Mosaic(chunk=8),
    "Mosaic, chunk 32": Mosaic(chunk=32),
    "Mosaic, 3 stages": Mosaic(stages=3),
    "Mosaic, no barriers": Mosaic(bare=True),
    "Mosaic, no barriers, chunk 32": Mosaic(bare=True, chunk=32),
    "Mosaic, no barriers, unroll 1": Mosaic(bare=True, unroll=1),
    "Mosaic, Warpgroup, unroll 1": Mosaic(semantics="Warpgroup", unroll=1),
    "Mosaic, Warpgroup": Mosaic(semantics="Warpgroup"),
    "Triton, 4 ahead": Triton(ahead=4),
    "Triton, 128 lanes": Triton(block=(128,)),
}


@spec
class _Gated(cells.Affine):
    """h_t = a_t * h_tm1 + b_t, all of them given."""

    gates = ("a", "b")
    transition = DIAGONAL

    def affine(self, params: Any, z_t: Any) -> Any:
        return z_t["a"], z_t["b"]


@dataclasses.dataclass
class Row:
    """What is measured, and what came of it."""

    case: str
    candidate: str
    sizes: tuple[int, int, int]
    dtype: str
    what: str
    make: Callable[[], Callable[[], Any]]
    """Compiles; what it returns is timed."""
    calls: int = CALLS
    bytes: int = 0  # read and written at the least
    found: dict[str, Any] = dataclasses.field(default_factory=dict)

    def compile(self) -> None:
        began = time.perf_counter()
        try:
            self.call = self.make()
            self.found["compile_s"] = round(time.perf_counter() - began, 2)
        except Exception as error:
            self.found["note"] = first_line(error)

    def measure(self, copy: float | None) -> None:
        if "note" in self.found:
            return
        try:
            ms = clock(self.call, self.calls)
            self.found["wall_ms"] = round(ms, 4)
            if copy and self.bytes:
                self.found["of_copy"] = round(self.bytes / ms / copy, 3)
        except Exception as error:
            self.found["note"] = first_line(error)

    def values(self) -> dict[str, Any]:
        about = {"case": self.case, "candidate": self.candidate, "dtype": self.dtype, "what": self.what}
        return dict.fromkeys(FIELDS, "") | about | dict(zip("TBH", self.sizes, strict=True)) | self.found


def first_line(error: Exception) -> str:
    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    return lines[0][:300]


def clock(call: Callable[[], Any], calls: int) -> float:
    """Milliseconds of one call."""
    jax.block_until_ready(call())
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(calls):
            found = call()
        jax.block_until_ready(found)
        times.append(1e3 * (time.perf_counter() - began) / calls)
    return statistics.median(times)


# ---- programs ------------------------------------------------------------------------------------------


def example(cell: Cell, steps: int, batch: int) -> tuple[Any, Any, Any]:
    """Prepared parameters, a state, and projected inputs."""
    params = cell.prepare(cell.init(jax.random.key(0), 2))
    z_t = jax.eval_shape(cell.project, params, jax.ShapeDtypeStruct((2,), cell.dtype or jnp.float32))
    draws = [jax.random.normal(jax.random.key(k), (steps, batch, *a.shape)) for k, a in enumerate(jax.tree.leaves(z_t))]
    zs = jax.tree.map(lambda a, z: (0.5 * z).astype(a.dtype), z_t, jax.tree.unflatten(jax.tree.structure(z_t), draws))
    start = jax.tree.map(lambda a: jnp.broadcast_to(a, (batch, *a.shape)), cell.initial_state(params))
    return params, start, zs


def runner(cell: Cell, route: Any) -> Callable[..., Any]:
    """All states and the last one, by a route of Fused, or by Scan (None)."""
    if route is None:
        return functools.partial(scan, cell, lanes)
    return functools.partial(fused, cell, route, None)


def gradient_of(function: Callable[..., Any], dtype: Any) -> Callable[..., Any]:
    """The gradient of a sum over all outputs h in this dtype."""

    def total(params: Any, start: Any, zs: Any, controls: Control) -> Any:
        states, _ = function(params, start, zs, controls)
        h = states["h"].astype(dtype)
        weights = jnp.cos(jnp.arange(h.shape[-1], dtype=jnp.float32)).astype(dtype)
        return (weights * h).sum(dtype=jnp.float32)

    return jax.grad(total, (0, 1, 2))


def compiled(function: Callable[..., Any], make_args: Callable[[], Any]) -> Callable[[], Callable[[], Any]]:
    def make() -> Callable[[], Any]:
        args = make_args()
        program = jax.jit(function).lower(*args).compile()
        return lambda: program(*args)

    return make


def recurrences(case: str, cell: Cell, sizes: tuple[int, int, int], routes: dict[str, Any]) -> Iterator[Row]:
    """Forward and gradient of a recurrence, its projected inputs given."""
    dtype, (steps, batch, _) = cell.dtype or "float32", sizes

    def args() -> Any:
        return (*example(cell, steps, batch), Control())

    z_t = jax.eval_shape(args)[2]
    moved = sum(a.size * a.dtype.itemsize for a in jax.tree.leaves(z_t))
    moved += 4 * steps * batch * sizes[2]  # the states h alone
    for name, route in routes.items():
        function, calls = runner(cell, route), SLOW_CALLS if route is None else CALLS
        forward = functools.partial(_outputs, function)
        yield Row(case, name, sizes, dtype, "forward", compiled(forward, args), calls, moved)
        yield Row(case, name, sizes, dtype, "gradient", compiled(gradient_of(function, dtype), args), calls)


def _outputs(function: Callable[..., Any], *args: Any) -> Any:
    states, last = function(*args)
    return states["h"], last


# ---- cases ---------------------------------------------------------------------------------------------


def lstm() -> Iterator[Row]:
    cell = cells.LSTM(hidden_size=UNITS, structure=DIAGONAL, dtype="bfloat16")
    yield from recurrences("LSTM diagonal, recurrence", cell, (STEPS, BATCH, UNITS), {**CHOICES, "Scan": None})


def layers() -> Iterator[Row]:
    """Whole layers, as many inputs as units."""
    sizes = STEPS, BATCH, UNITS
    for name, structure, unroll, dtype in (
        ("Fused", DIAGONAL, unrolls.Fused(), "bfloat16"),
        ("Fused, triton", DIAGONAL, unrolls.Fused(route="triton"), "bfloat16"),
        ("Scan", DIAGONAL, unrolls.Scan(), "bfloat16"),
        ("Scan, dense", structures.Dense(), unrolls.Scan(), "bfloat16"),
        ("jax.experimental.rnn, dense", structures.Dense(), unrolls.CuDNN(), "float32"),
    ):
        cell = cells.LSTM(hidden_size=UNITS, structure=structure, dtype=dtype)

        def args(cell: Cell = cell) -> Any:
            return cell.init(jax.random.key(0), UNITS), jnp.ones((STEPS, BATCH, UNITS), cell.dtype)

        def forward(params: Any, xs: Any, cell: Cell = cell, unroll: Any = unroll) -> Any:
            return run(cell, params, xs, unroll=unroll)[0]

        def total(params: Any, xs: Any, forward: Any = forward) -> Any:
            return forward(params, xs).sum(dtype=jnp.float32)

        calls = CALLS if "Fused" in name else SLOW_CALLS
        for what, function in (("forward", forward), ("gradient", jax.grad(total, (0, 1)))):
            yield Row("LSTM layer", name, sizes, dtype, what, compiled(function, args), calls)


def torch_lstm() -> Iterator[Row]:
    """cuDNN's dense LSTM."""
    for dtype in ("float16", "float32"):
        for what in ("forward", "gradient"):
            sizes = STEPS, BATCH, UNITS
            yield Row("LSTM layer", "torch, dense", sizes, dtype, what, functools.partial(_torch, dtype, what), 5)


def _torch(dtype: str, what: str) -> Callable[[], Any]:
    import torch

    kind = getattr(torch, dtype)
    net = torch.nn.LSTM(UNITS, UNITS).to("cuda", kind)
    xs = torch.randn(STEPS, BATCH, UNITS, dtype=kind, device="cuda", requires_grad=True)

    def forward() -> None:
        with torch.no_grad():
            net(xs)
        torch.cuda.synchronize()

    def gradient() -> None:
        ys = net(xs)[0]
        torch.autograd.grad(ys, [xs, *net.parameters()], torch.ones_like(ys))
        torch.cuda.synchronize()

    return forward if what == "forward" else gradient


def others() -> Iterator[Row]:
    routes = {name: CHOICES[name] for name in ("Mosaic", "Triton")}
    for cell in (
        cells.GRU(hidden_size=UNITS, structure=DIAGONAL, dtype="bfloat16"),
        cells.Elman(hidden_size=UNITS, structure=DIAGONAL, dtype="bfloat16"),
        cells.IndRNN(hidden_size=UNITS, dtype="bfloat16"),
        cells.SLSTM(hidden_size=UNITS, structure=DIAGONAL, dtype="bfloat16"),
    ):
        name = f"{type(cell).__name__} diagonal, recurrence"
        yield from recurrences(name, cell, (STEPS, BATCH, UNITS), routes)


def linear() -> Iterator[Row]:
    batch, units = LINEAR["batch"], LINEAR["units"]
    cell = _Gated(hidden_size=units)
    routes = {
        "Mosaic": CHOICES["Mosaic"], "Mosaic, chunk 32, 3 stages": Mosaic(chunk=32, stages=3),
        "Triton": CHOICES["Triton"], "Triton, 16 ahead": Triton(ahead=16),
    }  # fmt: skip
    for steps in LINEAR["steps"]:
        sizes = steps, batch, units
        yield from recurrences("linear scan", cell, sizes, routes)

        def args(steps: int = steps) -> Any:
            return example(cell, steps, batch)[2]

        def associative(zs: Any) -> Any:
            def join(first: Any, second: Any) -> Any:
                return first[0] * second[0], second[0] * first[1] + second[1]

            return lax.associative_scan(join, (zs["a"], zs["b"]))[1]

        def gradient(zs: Any) -> Any:
            return jax.grad(lambda zs: associative(zs).sum())(zs)

        makes = {"forward": associative, "gradient": gradient}
        for what, function in makes.items():
            make = compiled(function, lambda args=args: (args(),))
            yield Row("linear scan", "lax.associative_scan", sizes, "float32", what, make, SLOW_CALLS)


CASES = {"lstm": lstm, "layers": layers, "linear": linear, "others": others, "torch": torch_lstm}


# ---- agreement -----------------------------------------------------------------------------------------


def agreement(together: int) -> Iterator[dict[str, Any]]:
    """Values and gradients of every route against Scan: several cells, a length for each sequence, resets. Rows come as
    soon as they are there, those of the LSTM first."""
    units = SMALL[2] + SMALL[2] % 2  # LRU has pairs
    kinds = [(cells.LSTM, None), (cells.LRU, None), (cells.GRU, None), (cells.LSTM, "bfloat16"), (cells.SLSTM, None)]
    kinds += [(kind, None) for kind in (cells.CIFGLSTM, cells.MinGRU, cells.IndRNN)]
    given = []
    for kind, dtype in kinds:
        more = {"structure": DIAGONAL} if issubclass(kind, cells.Recurrent) else {}
        names = ["Mosaic", "Triton"] + ["Mosaic, no barriers", "Mosaic, Warpgroup, unroll 1"] * (kind is cells.LSTM)
        given += [(kind(hidden_size=units, dtype=dtype, **more), name) for name in names]
    rows: queue.Queue[dict[str, Any]] = queue.Queue()
    with ThreadPoolExecutor(together) as pool:
        done = [pool.submit(lambda cell, name: rows.put(_agrees(cell, name)), *one) for one in given]
        for _ in done:
            yield rows.get()


def _agrees(cell: Cell, name: str) -> dict[str, Any]:
    (steps, batch, _), dtype = SMALL, cell.dtype or "float32"
    sizes = {"T": steps, "B": batch, "H": cell.hidden_size}
    about = {"case": f"agreement, {type(cell).__name__}", "candidate": name, "dtype": dtype, "what": "gradient"}
    try:
        active = jnp.arange(steps)[:, None] < jnp.arange(batch) * steps // batch + 1
        reset = jax.random.bernoulli(jax.random.key(9), 0.2, (steps, batch))
        args = (*example(cell, steps, batch), Control(active=active, reset=reset))
        found, expected = (jax.jit(functools.partial(_both, runner(cell, r)))(*args) for r in (CHOICES[name], None))
        error = max(map(_error, jax.tree.leaves(found), jax.tree.leaves(expected)))
        said = f"{'PASS' if error < (1e-4 if dtype == 'float32' else 3e-2) else 'FAIL'} {error:.1e}"
    except Exception as error:
        said = f"FAIL {first_line(error)}"
    return dict.fromkeys(FIELDS, "") | about | sizes | {"note": said}


def _both(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args), gradient_of(function, jnp.float32)(*args)


def _error(a: Any, b: Any) -> float:
    a, b = (x.astype(jnp.float32) for x in (a, b))
    return float(jnp.abs(a - b).max() / (1e-3 + jnp.abs(b).max()))


# ---- the command ---------------------------------------------------------------------------------------


def copy_bandwidth() -> float:
    """Bytes per millisecond of reading and writing a large array."""
    x = jnp.zeros(COPIED, jnp.float32)
    program = jax.jit(lambda a: a + 1)
    return 2 * x.nbytes / clock(lambda: program(x), 5)


class Table:
    """Rows, printed and appended to a CSV file one by one."""

    def __init__(self, out: Path | None):
        self.out, self.said = out, {"device": device(), **versions()}
        print(", ".join(f"{k} {v}" for k, v in self.said.items()), flush=True)

    def add(self, row: dict[str, Any]) -> None:
        print("  ".join(f"{v}" for v in row.values() if v != ""), flush=True)
        if self.out is None:
            return
        is_new = not self.out.exists()
        with self.out.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*FIELDS, *self.said])
            if is_new:
                writer.writeheader()
            writer.writerow(row | self.said)


def main() -> None:
    names = ("agreement", *CASES)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="what to measure (default all)")
    parser.add_argument("--seconds", type=float, default=600, help="start nothing after so long")
    parser.add_argument("--together", type=int, default=6, help="programs compiled at once")
    parser.add_argument("--out", type=Path, help="append the rows to this CSV file")
    given, began = parser.parse_args(), time.monotonic()
    table = Table(given.out)
    if "agreement" in given.only:
        for row in agreement(given.together):
            table.add(row)
    copy = copy_bandwidth()
    print(f"copy: {copy / 1e6:.0f} GB/s", flush=True)
    rows = [row for name in given.only if name in CASES for row in CASES[name]()]
    for k in range(0, len(rows), given.together):  # in groups, so that there are times before all is compiled
        if time.monotonic() - began > given.seconds:
            print(f"not measured, after {given.seconds:.0f} s: {len(rows) - k} rows", flush=True)
            break
        group = rows[k : k + given.together]
        with ThreadPoolExecutor(given.together) as pool:
            list(pool.map(Row.compile, group))
        for row in group:
            row.measure(copy)
            table.add(row.values())
            row.make = row.call = None  # pyright: ignore[reportAttributeAccessIssue]  (their arrays take memory)


if __name__ == "__main__":
    main()
