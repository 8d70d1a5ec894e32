"""The question's experiment over structures of U: which of them learn to add in 10,000 steps?

    python benchmarks/addition.py --out addition.csv --figure addition.png

The protocol of configs/binary_addition_demo.py, for every structure of at most --weights free numbers at H = 16, and
the dense one: 20 seeds at once, judged on all 16,384 sums. One line per structure: the fraction of sums with a wrong
bit, median and range over seeds, and how many seeds are below 0.01. About 8 s a structure on 2 cores.
"""

import argparse
import csv
import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))  # beside the package, in a checkout

from rnnzoo import UsageError, members, structures
from rnnzoo.structures.base import Structure
from rnnzoo.training.config import load_config
from rnnzoo.training.numbers import lanes_of, program_of
from rnnzoo.training.update import evaluate, first_state, train_steps
from rnnzoo.wrappers.base import with_structure

DEMO = Path(__file__).parent.parent / "configs" / "binary_addition_demo.py"
H = 16


def choices(weights: int, only: list[str] | None) -> list[Structure]:
    """The structures with so many weights or fewer, from the fewest; and the dense one."""
    classes: dict[str, Any] = members("structures")
    wanted = {name.lower() for name in only or classes}
    found = []
    for structure in [*(cls() for cls in classes.values()), structures.BlockDiagonal(block=2)]:
        try:
            structure.check(H)
        except UsageError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        if structure.num_params(H) <= weights and type(structure).__name__.lower() in wanted:
            found.append(structure)
    found.sort(key=lambda s: s.num_params(H))
    return [*found, structures.Dense()]


def row_of(structure: Structure, seeds: int, steps: int) -> dict[str, Any]:
    config: Any = load_config(DEMO)
    config = dataclasses.replace(config, seeds=seeds, steps=steps, cell=with_structure(config.cell, structure))
    data = config.task.open()
    model = config.network(data)
    began = time.perf_counter()
    program, state = program_of(config), first_state(config, model)
    state, _ = train_steps(
        program, model, data.static, data.arrays, *lanes_of(config), state, np.int32(0), length=steps
    )
    wrong = np.array(evaluate(config, model, state["params"], data.held_out("test"))["wrong_sums"])
    return {
        "structure": str(structure),
        "weights": structure.num_params(H),
        "connectivity": structure.connectivity,
        "median": round(float(np.median(wrong)), 4),
        "min": round(float(wrong.min()), 4),
        "max": round(float(wrong.max()), 4),
        "solved": int((wrong < 0.01).sum()),
        "seeds": seeds,
        "steps": steps,
        "seconds": round(time.perf_counter() - began, 1),
        "device": jax.devices()[0].device_kind,
        "jax": jax.__version__,
    }


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Wrong sums by structure, best last, coloured by connectivity."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.24 * len(rows) + 1.2), layout="constrained")
    ax: Any = figure.subplots()
    rows = sorted(rows, key=lambda r: -r["median"])
    for i, kind in enumerate(("none", "self", "cascade", "cyclic")):
        mine = [(y, r) for y, r in enumerate(rows) if r["connectivity"] == kind]
        if mine:
            ys, medians = [y for y, _ in mine], [r["median"] for _, r in mine]
            bars = [[r["median"] - r["min"] for _, r in mine], [r["max"] - r["median"] for _, r in mine]]
            ax.errorbar(medians, ys, xerr=bars, fmt="o", color=f"C{i}", label=kind, capsize=2, linewidth=1)
    ax.axvline(0.8665, color="0.7", linestyle=":", zorder=0)
    ax.text(0.8665, len(rows) - 0.4, " no memory", color="0.4", fontsize="small", va="bottom", ha="center")
    ax.set_yticks(range(len(rows)), [f"{r['structure']}, {r['weights']}" for r in rows], fontsize="small")
    ax.set_xlabel(f"fraction of sums with a wrong bit, median and range of {rows[0]['seeds']} seeds")
    ax.legend(title="graph of U", frameon=False, loc="lower left")
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=int, default=136, help="most free numbers of U at H = 16 (default 136)")
    parser.add_argument("--only", nargs="+", help="names of structures (Dense is always there)")
    parser.add_argument("--seeds", type=int, default=20, help="seeds trained at once (default 20)")
    parser.add_argument("--steps", type=int, default=10_000, help="training steps (default 10,000)")
    parser.add_argument("--out", type=Path, help="write the rows to this CSV file")
    parser.add_argument("--figure", type=Path, help="draw the rows into this file")
    given = parser.parse_args()
    for path in (given.out, given.figure):
        if path and path.exists():
            sys.exit(f"error: {path} exists; accepted: a new file")
    rows = []
    for structure in choices(given.weights, given.only):
        rows.append(row := row_of(structure, given.seeds, given.steps))
        print(
            f"{row['structure']:70} {row['weights']:4} {row['connectivity']:8} {row['median']:.3f} "
            f"[{row['min']:.3f}, {row['max']:.3f}] {row['solved']:2} of {row['seeds']}  {row['seconds']} s",
            flush=True,
        )
    if given.out:
        with given.out.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    if given.figure:
        draw(rows, given.figure)
