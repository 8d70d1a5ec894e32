"""Each structure of U beside the dense one: time and memory of the recurrence of an Elman layer, by size.

    python benchmarks/structures.py --sizes 64 256 1024 4096 --only Dense Diagonal Banded

Forward and backward of h_t = tanh(z_t + U h_tm1), gradients of a sum of squares by U and by all z_t, float32, B=8,
T=64. The inputs z_t are given, so there is no projection. Memory is what the compiled program holds: arguments,
results and temporaries; `state_mb` is the part that any U needs, for z, h and the gradient of z. `ratio` is the time
as a part of that of the dense U of the same size. --figure draws time and memory over size.
"""

import argparse
import functools
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

sys.path.insert(0, str(Path(__file__).parent))
from timing import measure, report

from rnnzoo import UsageError, cells, members, structures
from rnnzoo.shown import in_full
from rnnzoo.structures.base import Structure
from rnnzoo.typing import Control
from rnnzoo.unrolls import Scan

B, T = 8, 64
LARGE = 8_000_000  # more free numbers than this and the draw alone takes minutes; Dense is the exception


def choices(only: list[str] | None) -> list[Structure]:
    """Dense first, then the others with their default fields, some with wider ones."""
    classes: dict[str, Any] = members("structures")
    more: list[Any] = [structures.BlockDiagonal(block=16), structures.LowRank(rank=16)]
    found = [structures.Dense(), *[cls() for cls in classes.values()], *more]
    wanted = {name.lower() for name in only or classes}
    return [s for s in dict.fromkeys(found) if s == found[0] or type(s).__name__.lower() in wanted]


def candidate(structure: Structure, size: int) -> tuple[Any, tuple[Any, ...]]:
    """The gradient of one layer's recurrence, and its arguments."""
    cell = cells.Elman(hidden_size=size, structure=structure)
    shapes = jax.eval_shape(lambda: structure.init(jax.random.key(0), size))
    u = jax.tree.map(lambda a: jax.random.normal(jax.random.key(1), a.shape) / (a.shape or (1,))[-1], shapes)
    zs = jax.random.normal(jax.random.key(2), (T, B, size))

    def loss(u: Any, zs: Any) -> Any:
        params = cell.prepare({"u": {"h": u}})
        states = jax.vmap(functools.partial(Scan(), cell), (None, None, 1, None), 1)(
            params, {"h": jnp.zeros(size)}, {"h": zs}, Control()
        )
        return (states["h"] ** 2).sum()

    return jax.grad(loss, (0, 1)), (u, zs)


def memory_mb(function: Any, args: tuple[Any, ...]) -> float:
    found: Any = jax.jit(function).lower(*args).compile().memory_analysis()
    parts = (found.argument_size_in_bytes, found.output_size_in_bytes, found.temp_size_in_bytes)
    return round(sum(parts) / 2**20, 3)


def rows_of(size: int, found: list[Structure], runs: int) -> list[dict[str, Any]]:
    """One row per structure that fits the size."""
    chosen = {}
    for structure in found:
        try:
            structure.check(size)
        except UsageError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        if structure.num_params(size) > LARGE and structure != found[0]:
            print(f"left out: {structure}, {structure.num_params(size)} parameters at {size}", file=sys.stderr)
            continue
        chosen[in_full(structure)] = structure
    timed = measure({name: candidate(structure, size) for name, structure in chosen.items()}, runs)
    rows = []
    for row in timed:
        structure = chosen[row["candidate"]]
        facts = {"size": size, "params": structure.num_params(size)}
        memory = {"memory_mb": memory_mb(*candidate(structure, size)), "state_mb": round(12 * T * B * size / 2**20, 3)}
        rows.append({"candidate": row.pop("candidate"), **facts, **row, **memory})
    return rows


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Time and memory over size, both axes logarithmic."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(row["candidate"] for row in rows))
    lines = -(-len(names) // 5)
    figure = Figure(figsize=(12, 4.6 + 0.19 * lines), layout="constrained")
    axes = figure.subplots(1, 2)
    for i, name in enumerate(names):
        mine = [row for row in rows if row["candidate"] == name]
        style: dict[str, Any] = {"color": f"C{i % 10}", "marker": "osv^Dx"[i // 10 % 6], "markersize": 4}
        style |= {"color": "black", "linewidth": 2.5} if not i else {"linewidth": 1.2}
        short = name.removesuffix("()") if len(name) <= 24 else name.split("(")[0] + "(...)"
        for ax, key in zip(axes, ("wall_ms", "memory_mb"), strict=True):
            ax.loglog([r["size"] for r in mine], [r[key] for r in mine], label=short, **style)
    for ax, title in zip(axes, ("forward and backward, ms", "memory of the compiled program, MiB"), strict=True):
        ax.set_title(title, fontsize="medium")
        ax.set_xlabel("hidden units H")
        sizes = sorted({row["size"] for row in rows})
        ax.set_xticks(sizes, [str(s) for s in sizes], minor=False)
        ax.set_xticks([], minor=True)
        ax.grid(color="0.9")
        ax.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False, fontsize="small"
    )
    figure.suptitle(f"Recurrence of an Elman layer by structure of U, B = {B}, T = {T}", fontsize="medium")
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256, 1024, 4096], help="hidden units H")
    parser.add_argument("--only", nargs="+", help="names of structures (default: all; Dense always)")
    parser.add_argument("--runs", type=int, default=11, help="counted runs of each candidate (default 11)")
    parser.add_argument("--out", type=Path, help="append the rows to this CSV file")
    parser.add_argument("--figure", type=Path, help="draw the rows into this file")
    given = parser.parse_args()
    found = choices(given.only)
    rows = []
    for size in given.sizes:  # the small ones take a minute each, 4096 about five
        rows += (of_size := rows_of(size, found, given.runs))
        report(of_size, given.out)
    if given.figure:
        draw(rows, given.figure)
        print(f"wrote {given.figure}")
