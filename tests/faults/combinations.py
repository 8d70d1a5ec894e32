"""Random combinations of cell, structure, unroll, wrapper, network and options; and random numbers for them."""

import dataclasses
import random
from typing import Any

import jax
import numpy as np
from structure_support import fits
from zoo import CELL_FIELDS, own_structures, published

from rnnzoo import structures, unrolls, wrappers
from rnnzoo.cells.base import Cell
from rnnzoo.models import Model, Stack
from rnnzoo.structures.base import Structure
from rnnzoo.unrolls.base import Unroll
from rnnzoo.wrappers.base import Wrapper, innermost, with_structure

from .oracle import Controls, Tree, has_readout

SIZES = (1, 2, 3, 4, 5, 6, 8)
TIMES = (1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16, 17)
SCALES = (0.0, 1.0, 1.0, 1.0, 30.0, 1000.0)  # of inputs
SMALLER = {"MinLSTM": SCALES[:-1]}  # its equations as published divide 0 by 0 where two gates vanish
LONGEST_LOOP = 5  # steps of `Loop`, of which each is compiled
UNROLLS: tuple[Unroll, ...] = (
    unrolls.Loop(), unrolls.Scan(), unrolls.Scan(), unrolls.Auto(), unrolls.CuDNN(), unrolls.Associative(),
    unrolls.ChunkedAssociative(), unrolls.ChunkedAssociative(chunk=3), unrolls.ParallelBackward(), unrolls.Newton(),
    unrolls.Newton(chunk=1), unrolls.QuasiNewton(), unrolls.LevenbergMarquardt(), unrolls.Chunked(),
    unrolls.Chunked(chunk=3), unrolls.Chunked(chunk=2, inner=unrolls.ParallelBackward()),
    unrolls.Chunked(chunk=4, inner=unrolls.Associative()), unrolls.Truncated(steps=3),
    unrolls.Truncated(steps=2, inner=unrolls.Chunked()),
)  # fmt: skip
STRUCTURES: tuple[Structure, ...] = tuple(own_structures(1, 2, 3))
WRAPPERS = [name for name, cls in published("cells").items() if issubclass(cls, Wrapper)]
PLAIN = [name for name, cls in published("cells").items() if name not in WRAPPERS and cls.feature_axes == 1]


@dataclasses.dataclass(frozen=True)
class Combination:
    """What one compiled program runs."""

    spec: Cell | Model
    unroll: Unroll
    time: int
    batch: int
    features: int
    double: bool  # float64 or float32
    reverse: bool
    given: frozenset[str]  # of state, lengths, mask, resets

    @property
    def cell(self) -> Cell:
        return self.spec.cell if isinstance(self.spec, Model) else self.spec


@dataclasses.dataclass
class Draw:
    """The numbers of one case."""

    args: tuple[Tree, Any, Tree]  # parameters, inputs (T, B, I), the state or None
    controls: Controls
    scale: float  # of the inputs


# ---- combinations ----------------------------------------------------------------------------------------


def any_structure(rng: random.Random) -> tuple[Structure, int]:
    """A structure and a size that fits it."""
    structure = rng.choice(STRUCTURES)
    return structure, rng.choice([size for size in (*SIZES, 12, 16) if fits(structure, size)])


def any_combination(rng: random.Random) -> Combination:
    """A combination of any kind. `UsageError` if its parts do not fit together."""
    unroll = rng.choice(UNROLLS)
    spec: Cell | Model = any_cell(rng)
    features = rng.choice((1, 2, 3, 5))
    if rng.random() < 0.25:
        spec = _network(rng, spec, features)
    optional = ["lengths", "mask", "resets"] + (["state"] if isinstance(spec, Cell) else [])
    return Combination(
        spec,
        unroll,
        rng.choice([time for time in TIMES if unroll != unrolls.Loop() or time <= LONGEST_LOOP]),
        rng.randint(1, 3),
        features,
        rng.random() < 0.7,
        isinstance(spec, Cell) and rng.random() < 0.4,
        frozenset(name for name in optional if rng.random() < 0.5),
    )


def any_cell(rng: random.Random) -> Cell:
    """A cell with any structure that fits, in no wrapper, one or two."""
    size = rng.choice(SIZES)
    name = rng.choice(PLAIN)
    cls = published("cells")[name]
    fields = rng.choice([{}, {}, {"bias": False}, *CELL_FIELDS.get(name, [])])
    structure = rng.choice([s for s in STRUCTURES if fits(s, size)])
    cell = with_structure(cls(hidden_size=size, **fields), structure)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        cell = _wrapped(rng, cell)
    return cell


def _wrapped(rng: random.Random, cell: Cell) -> Cell:
    kind = rng.choice(WRAPPERS)
    if kind in ("Zoneout", "Clockwork") and not has_readout(cell):
        return cell
    match kind:
        case "Zoneout":
            return wrappers.Zoneout(cell=cell, rate=0.3)
        case "Clockwork":
            periods = rng.choice([p for p in ((1,), (2,), (1, 2), (1, 2, 4)) if cell.hidden_size % len(p) == 0])
            return wrappers.Clockwork(cell=cell, periods=periods)
        case "Dilated":
            return wrappers.Dilated(cell=cell, delay=rng.choice((1, 2, 3)))
        case "VariationalDropout" | "DropConnect" | "ShortConvolution" | "TokenShift":
            return published("cells")[kind](cell=cell)
    # Those whose reference is that around their default cell.
    wrapper = published("cells")[kind](hidden_size=cell.hidden_size, **rng.choice([{}, *CELL_FIELDS.get(kind, [])]))
    return with_structure(wrapper, getattr(cell, "structure", structures.Dense()))


def _network(rng: random.Random, cell: Cell, features: int) -> Model:
    stack = Stack(
        layers=rng.choice((1, 2)),
        embedding_size=rng.choice((0, 3)),
        residual=rng.random() < 0.5,
        norm=rng.random() < 0.5,
        bidirectional=rng.random() < 0.4,
        head_bias=rng.random() < 0.5,
    )
    return Model(
        cell=cell, input_size=features, output_size=rng.choice((1, 3)), read=rng.choice(("each", "last")), stack=stack
    )


# ---- numbers ---------------------------------------------------------------------------------------------


def shapes_of(c: Combination) -> tuple[Tree, Tree]:
    """Shapes of the parameters, and of the state of one sequence (of one layer)."""
    cell = c.cell
    init = c.spec.init if isinstance(c.spec, Model) else lambda key: cell.init(key, c.features)

    def state(key: Any) -> Tree:
        return cell.initial_state(cell.prepare(cell.init(key, c.features)))

    return jax.eval_shape(init, jax.random.key(0)), jax.eval_shape(state, jax.random.key(0))


def initial_of(c: Combination) -> list[Tree]:
    """The state of each layer before the first step, for every sequence, in float64. It does not depend on
    parameters."""

    def of(size: int) -> Tree:
        initial = c.cell.initial_state(c.cell.prepare(c.cell.init(jax.random.key(0), size)))
        return jax.tree.map(lambda a: np.repeat(np.asarray(a, np.float64)[None], c.batch, 0), initial)

    return [of(size) for size in _layer_sizes(c)]


def _layer_sizes(c: Combination) -> list[int]:
    """How many inputs every layer has."""
    if not isinstance(c.spec, Model):
        return [c.features]
    return [c.spec.layer_input_size(layer) for layer in range(c.spec.stack.layers)]


def draw(c: Combination, shapes: tuple[Tree, Tree], rng: np.random.Generator) -> Draw:
    """One case: inputs of any size, zeros included; parameters of moderate size, so that no difference of rounding
    grows to a difference of results."""
    dtype = np.float64 if c.double else np.float32
    spread = rng.choice((0.3, 0.8)) if c.double else 0.3
    scale = float(rng.choice(SMALLER.get(type(innermost(c.cell)).__name__, SCALES)))

    def normal(tree: Tree, by: float, *axes: int) -> Tree:
        return jax.tree.map(lambda a: np.asarray(by * rng.normal(size=(*axes, *a.shape)), dtype), tree)

    xs = np.asarray(scale * rng.normal(size=(c.time, c.batch, c.features)), dtype)
    state = None
    if "state" in c.given:
        state = normal(shapes[1], 0.5, c.batch)
        if "clock" in state:  # whole ticks, as the clock has them
            state["clock"] = np.asarray(rng.integers(0, 2, state["clock"].shape), dtype)
    return Draw((normal(shapes[0], spread), xs, state), _controls(c, rng, dtype), scale)


def _controls(c: Combination, rng: np.random.Generator, dtype: Any) -> Controls:
    each = (c.time, c.batch)
    return Controls(
        rng.integers(0, c.time + 1, c.batch) if "lengths" in c.given else None,
        rng.random(each) < 0.7 if "mask" in c.given else None,
        rng.random(each) < 0.3 if "resets" in c.given else None,
        np.asarray(rng.uniform(0.1, 2.0, each), dtype) if c.cell.uses_dt else None,
    )


__all__ = ["Combination", "Draw", "any_cell", "any_combination", "any_structure", "draw", "initial_of", "shapes_of"]
