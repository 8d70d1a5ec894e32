"""LSTM and GRU layers on a CPU, ours beside torch, Flax Linen, Haiku, Equinox and Keras, in one run.

    python benchmarks/cpu.py --out cpu.csv --figure cpu.png

Whole layers with their projections, float32, all cores to each candidate, forward and forward with the gradient of a
sum of squares by all parameters. Every peer has the layout that it prefers. Ours have the batch split over the cores
(`rnnzoo.use_cpu_cores`, `rnnzoo.split_batch`), as the training loop does, where it has more than one sequence. `ratio`
is the median over rounds of the wall time over our dense layer's; `vs_torch` and `vs_linen` are the same over theirs.
`floor` is the gate arithmetic of the diagonal recurrence as one parallel pass over all steps, `recurrence` the diagonal
recurrence with its projections given.

``--keep-memory`` calls `rnnzoo.keep_memory`, for all candidates, torch among them: they share the process. Peers that
are not installed are left out and named: ``pip install torch dm-haiku equinox keras``.
"""

import argparse
import functools
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from jax.sharding import NamedSharding, PartitionSpec
from timing import measure, report

from rnnzoo import cells, keep_memory, run, split_batch, structures, use_cpu_cores
from rnnzoo.typing import Control
from rnnzoo.unrolls import Scan
from rnnzoo.unrolls.base import advance

CASES = [(32, 256, 128, 128), (32, 256, 256, 256), (16, 128, 512, 512), (1, 256, 256, 256)]
OURS = {
    "dense": structures.Dense(),
    "diagonal": structures.Diagonal(),
    "band 3": structures.Banded(bandwidth=1),
}
Candidate = tuple[Callable[..., Any], tuple[Any, ...]]


def with_gradient(apply: Callable[..., Any], params: Any, xs: Any, gradient: bool) -> Candidate:
    """A pure function and its arguments: the outputs, or the gradient of the sum of their squares."""
    if gradient:
        return jax.grad(lambda p, xs: (apply(p, xs) ** 2).sum()), (params, xs)
    return apply, (params, xs)


# ---- ours ------------------------------------------------------------------------------------------------


def spread(arrays: Any, params: Any) -> tuple[Any, Any]:
    """Arrays (T, B, ...) with the batch split over the cores, and the parameters on each of them."""
    if jax.tree.leaves(arrays)[0].shape[1] % jax.device_count():
        return arrays, params
    arrays = split_batch(arrays)
    mesh = jax.tree.leaves(arrays)[0].sharding.mesh
    return arrays, jax.device_put(params, NamedSharding(mesh, PartitionSpec()))


def ours(kind: str, case: tuple[int, ...], gradient: bool) -> dict[str, Candidate]:
    b, t, i, h = case
    found = {}
    for name, structure in OURS.items():
        cell: Any = getattr(cells, kind)(hidden_size=h, structure=structure)
        params = cell.init(jax.random.key(1), i)
        xs, params = spread(jax.random.normal(jax.random.key(0), (t, b, i)), params)
        found[f"rnnzoo {name}"] = with_gradient(lambda p, x, c=cell: run(c, p, x)[0], params, xs, gradient)
    cell = getattr(cells, kind)(hidden_size=h, structure=structures.Diagonal(), bias=False)
    params = cell.init(jax.random.key(1), i)
    z_t = jax.eval_shape(cell.project, params, jnp.zeros(i))
    zs, params = spread({name: jax.random.normal(jax.random.key(2), (t, b, h)) for name in z_t}, params)
    state = cell.initial_state(params)

    def recurrence(p: Any, zs: Any) -> Any:
        each = jax.vmap(functools.partial(Scan(), cell), (None, None, 1, None), 1)
        return each(p, state, zs, Control())["h"]

    def floor(p: Any, zs: Any) -> Any:  # every step from the same state: nothing is sequential
        def step(z: Any) -> Any:
            return advance(cell, p, jax.tree.map(lambda a: a + z[cell.gates[0]], state), z, Control())

        return jax.vmap(jax.vmap(step))(zs)["h"]

    def both(apply: Any) -> Candidate:
        if not gradient:
            return apply, (params, zs)
        return jax.grad(lambda p, zs: (apply(p, zs) ** 2).sum(), (0, 1)), (params, zs)

    return found | {"floor": both(floor), "recurrence": both(recurrence)}


# ---- peers -----------------------------------------------------------------------------------------------


def linen(kind: str, case: tuple[int, ...], gradient: bool) -> Candidate:
    import flax.linen as nn

    b, t, i, h = case
    layer = nn.RNN(getattr(nn, f"{kind}Cell")(h))
    xs = jax.random.normal(jax.random.key(0), (b, t, i))
    return with_gradient(layer.apply, layer.init(jax.random.key(1), xs), xs, gradient)


def haiku(kind: str, case: tuple[int, ...], gradient: bool) -> Candidate:
    import haiku as hk

    b, t, i, h = case

    def forward(xs: Any) -> Any:
        core = getattr(hk, kind)(h)
        return hk.dynamic_unroll(core, xs, core.initial_state(b))[0]

    layer = hk.without_apply_rng(hk.transform(forward))
    xs = jax.random.normal(jax.random.key(0), (t, b, i))
    return with_gradient(layer.apply, layer.init(jax.random.key(1), xs), xs, gradient)


def equinox(kind: str, case: tuple[int, ...], gradient: bool) -> Candidate:
    import equinox as eqx

    b, t, i, h = case
    layer = getattr(eqx.nn, f"{kind}Cell")(i, h, key=jax.random.key(1))
    params, static = eqx.partition(layer, eqx.is_array)
    zero = jnp.zeros(h) if kind == "GRU" else (jnp.zeros(h), jnp.zeros(h))

    def apply(params: Any, xs: Any) -> Any:
        cell = eqx.combine(params, static)

        def one(xs: Any) -> Any:
            def body(state: Any, x: Any) -> Any:
                state = cell(x, state)
                return state, state if kind == "GRU" else state[0]

            return jax.lax.scan(body, zero, xs)[1]

        return jax.vmap(one, 1, 1)(xs)

    return with_gradient(apply, params, jax.random.normal(jax.random.key(0), (t, b, i)), gradient)


def keras(kind: str, case: tuple[int, ...], gradient: bool) -> Candidate:
    import keras as K

    b, t, i, h = case
    layer = getattr(K.layers, kind)(h, return_sequences=True)
    layer.build((b, t, i))
    params = [v.value for v in layer.trainable_variables]
    rest = [v.value for v in layer.non_trainable_variables]
    xs = jax.random.normal(jax.random.key(0), (b, t, i))
    return with_gradient(lambda p, x: layer.stateless_call(p, rest, x)[0], params, xs, gradient)


def torch(kind: str, case: tuple[int, ...], gradient: bool) -> Callable[[], None]:
    """Eager, as it is used; there is nothing to compile."""
    import torch as t_

    t_.set_num_threads(os.cpu_count() or 1)
    b, t, i, h = case
    layer = getattr(t_.nn, kind)(i, h)
    xs = t_.randn(t, b, i)

    def forward() -> None:
        with t_.no_grad():
            layer(xs)

    def both() -> None:
        layer.zero_grad()
        (layer(xs)[0] ** 2).sum().backward()

    return both if gradient else forward


PEERS = {"flax.linen": linen, "haiku": haiku, "equinox": equinox, "keras": keras}


def missing() -> list[str]:
    """The peers that are not installed."""

    def absent(name: str) -> bool:
        try:
            importlib.import_module(name)
        except ImportError:
            return True
        return False

    return [name for name in ("torch", "haiku", "equinox", "keras") if absent(name)]


# ---- the table -------------------------------------------------------------------------------------------


def rows_of(kind: str, case: tuple[int, ...], gradient: bool, runs: int, without: list[str]) -> list[dict[str, Any]]:
    candidates: dict[str, Any] = ours(kind, case, gradient)
    candidates |= {n: make(kind, case, gradient) for n, make in PEERS.items() if n not in without}
    if "torch" not in without:
        candidates["torch"] = torch(kind, case, gradient)
    rows = measure(candidates, runs)
    wall = {row["candidate"]: row["wall_ms"] for row in rows}
    return [
        {
            "layer": kind,
            "case": "x".join(map(str, case)),
            "what": "forward+backward" if gradient else "forward",
            **row,
            **{f"vs_{n}": round(row["wall_ms"] / wall[full], 2) for n, full in REFERENCES.items() if full in wall},
        }
        for row in rows
    ]


REFERENCES = {"torch": "torch", "linen": "flax.linen", "floor": "floor"}


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Forward and backward time of every candidate as a ratio to torch's, or to our dense layer's without torch."""
    from matplotlib.figure import Figure

    rows = [r for r in rows if r["what"] == "forward+backward" and r["candidate"] not in ("floor", "recurrence")]
    key = "vs_torch" if all("vs_torch" in r for r in rows) else "ratio"
    groups = list(dict.fromkeys((r["layer"], r["case"]) for r in rows))
    names = list(dict.fromkeys(r["candidate"] for r in rows))
    figure = Figure(figsize=(1.5 * len(groups) + 2, 4), layout="constrained")
    ax: Any = figure.subplots()
    width = 0.85 / len(names)
    for k, name in enumerate(names):
        ys = [
            next((r[key] for r in rows if r["candidate"] == name and (r["layer"], r["case"]) == g), np.nan)
            for g in groups
        ]
        ax.bar([x + k * width for x in range(len(groups))], ys, width, label=name, color=f"C{k}")
    ax.axhline(1, color="0.3", linewidth=1)
    ax.set_xticks([x + 0.4 for x in range(len(groups))], [f"{a}\n{b}" for a, b in groups], fontsize="small")
    ax.set_ylabel("forward and backward, time over " + ("torch's" if key == "vs_torch" else "our dense layer's"))
    ax.legend(frameon=False, fontsize="small", ncols=2)
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", nargs="+", default=["LSTM", "GRU"], help="LSTM, GRU (default both)")
    parser.add_argument("--cases", type=int, nargs="+", default=[0, 1, 2, 3], help="which of the four cases")
    parser.add_argument("--runs", type=int, default=7, help="counted runs of each candidate (default 7)")
    parser.add_argument("--out", type=Path, help="append the rows to this CSV file")
    parser.add_argument("--figure", type=Path, help="draw the rows into this file")
    parser.add_argument("--keep-memory", action="store_true", help="call rnnzoo.keep_memory first")
    given = parser.parse_args()
    if without := missing():
        print(f"not installed, left out: {', '.join(without)}", file=sys.stderr)
    if given.keep_memory:
        keep_memory()
    use_cpu_cores()
    table = []
    for layer in given.layers:
        for number in given.cases:
            for gradient in (False, True):
                table += (rows := rows_of(layer, CASES[number], gradient, given.runs, without))
                report(rows, given.out)
    if given.figure:
        draw(table, given.figure)
