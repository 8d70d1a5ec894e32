"""What tests of unrolls share: every (cell, structure, unroll), and one loss that all of it influences."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from support import all_cells, all_structures, inputs, random_like

import rnnzoo
from rnnzoo import run, unrolls
from rnnzoo.cells.base import Recurrent

HIDDEN, FEATURES, TIME, BATCH = 6, 3, 4, 3  # the same in most tests: operations are compiled once per shape
quick = functools.partial(
    jax.jit, compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
)


def published(family: list) -> list:
    """Those of the package: tests may register others."""
    return [member for member in family if type(member).__module__.startswith("rnnzoo.")]


def label(*specs: Any) -> str:
    names = [type(s).__name__ for s in specs]
    if isinstance(specs[0], Recurrent):
        names.insert(1, type(specs[0].structure).__name__)
    return "-".join(names)


CELLS = published(all_cells(HIDDEN))
PAIRS = [
    c for s in published(all_structures(HIDDEN)) for c in published(all_cells(HIDDEN, s)) if hasattr(c, "structure")
]
PAIRS += [c for c in CELLS if not hasattr(c, "structure")]
UNROLLS = published([c() for c in rnnzoo.members("unrolls").values()])
RUNS = [(c, u) for c in CELLS for u in UNROLLS if u.refuses(c) is None]
OTHERS = [(c, u) for c, u in RUNS if u != unrolls.Loop() and u.exact]

BY_JACOBIAN = ("ParallelBackward", "Newton", "QuasiNewton", "LevenbergMarquardt")  # one code, slow to compile

VARIED = ("LSTM", "GRUResetBefore", "LRU")  # two vectors in the state; U of two vectors; affine, with a readout
# Unrolls made of others, which have the numbers of every cell: cells to run them with, the rest is slow.
COMPOSED = {"Auto": ("LSTM",), "Chunked": ("LSTM",), "Truncated": ("LSTM",), "ChunkedAssociative": ("LRU",)}


def parameters(names: Any, cases: list, is_quick: Any = lambda *specs: True) -> Any:
    """`pytest.mark.parametrize` with short ids; what is not quick is slow."""
    cases = [case if isinstance(case, tuple) else (case,) for case in cases]
    return pytest.mark.parametrize(
        names, [pytest.param(*c, id=label(*c), marks=() if is_quick(*c) else pytest.mark.slow) for c in cases]
    )


def is_light(cell: Any, unroll: Any) -> bool:
    """Of the unrolls that share most of their code, two, with the cell of two vectors."""
    name = type(unroll).__name__
    return name not in BY_JACOBIAN or (type(cell).__name__, name) in (("LSTM", "Newton"), ("LSTM", "ParallelBackward"))


def is_varied(cell: Any, unroll: Any = None) -> bool:
    quick = type(cell).__name__ in COMPOSED.get(type(unroll).__name__, VARIED)
    return quick and (unroll is None or is_light(cell, unroll))


def is_quick(cell: Any, unroll: Any) -> bool:
    """Composed unrolls with the cells that are named for them, the others where they are light."""
    return is_varied(cell, unroll) if type(unroll).__name__ in COMPOSED else is_light(cell, unroll)


def is_light_or_first(cell: Any, unroll: Any) -> bool:
    """As `is_quick`, and one cell for every unroll."""
    return is_quick(cell, unroll) or type(cell).__name__ == "GRUResetBefore"


def is_numeric(cell: Any) -> bool:
    """A cell does not know its structure: every structure with one cell, every cell with two, find what there is."""
    if not isinstance(cell, Recurrent):
        return True
    return type(cell.structure).__name__ in ("Dense", "Diagonal") or type(cell).__name__ == "GRUResetBefore"


each_pair = parameters("cell", PAIRS)
each_other = parameters(("cell", "unroll"), OTHERS, is_quick)
each_unroll = parameters(("cell", "unroll"), OTHERS, is_light_or_first)
varied_cell = parameters("cell", CELLS, is_varied)
varied_run = parameters(("cell", "unroll"), RUNS, is_varied)
varied_other = parameters(("cell", "unroll"), OTHERS, is_varied)


def eager(test: Any) -> Any:
    """Decorator: nothing is compiled but single operations."""

    @functools.wraps(test)
    def run_test(*args, **kwargs):
        with jax.disable_jit():
            return test(*args, **kwargs)

    return run_test


def stack(trees: list) -> Any:
    return jax.tree.map(lambda *a: jnp.stack(a), *trees)


def arguments(cell: Any, time: int = TIME, batch: tuple[int, ...] = (BATCH,), seed: int = 0) -> tuple[Any, Any, Any]:
    """Random parameters, inputs (T, *B, I), and initial state (*B, H)."""
    keys = jax.random.split(jax.random.key(seed), 3)
    params = cell.init(keys[0], FEATURES)
    params = jax.tree.map(jnp.add, params, random_like(keys[1], params, 0.1))
    state = jax.tree.map(lambda a: jnp.zeros((*batch, *a.shape), a.dtype), cell.initial_state(params))
    return params, inputs(time, batch, FEATURES, seed), random_like(keys[2], state, 0.5)


def loss(cell, unroll, params, xs, state, options):
    """A number that every output and every leaf of the last state influences; and those."""
    ys, last = run(cell, params, xs, state, unroll=unroll, **options)
    wide = jnp.promote_types(ys.dtype, jnp.float32)
    weights = jnp.cos(jnp.arange(ys.size, dtype=wide)).reshape(ys.shape)
    total = (weights * ys.astype(wide) ** 2).sum() + sum((leaf**3).sum() for leaf in last.values())
    return total, (ys, last)


def values_and_gradients(cell, unroll, args, **options):
    """Outputs, last state, and gradients with respect to parameters, inputs and initial state."""
    function = functools.partial(loss, cell, unroll, options=options)
    (_, values), grads = jax.value_and_grad(function, (0, 1, 2), has_aux=True)(*args)
    return values, grads


LENGTHS = jnp.array([4, 0, 2])
RESETS = jnp.array([[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0]], bool)
