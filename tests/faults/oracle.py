"""What a run should give: a plain loop in float64 NumPy over the published equations, one sequence after the other.

Nothing of rnnzoo computes here. A step is that of `tests/references`, a recurrent matrix is its dense form, and
lengths, masks, resets and reversal are what the documentation of `rnnzoo.run` says of them.
"""

from typing import Any, NamedTuple

import jax
import numpy as np
from references import reference_of

from rnnzoo import cells, wrappers
from rnnzoo.cells.base import Cell
from rnnzoo.cells.histories import histories
from rnnzoo.models import Model

Tree = Any


class Controls(NamedTuple):
    """What `rnnzoo.run` takes besides inputs and a state. None: not given."""

    lengths: Any = None  # (B,)
    mask: Any = None  # (T, B)
    resets: Any = None  # (T, B)
    dt: Any = None  # (T, B)

    def lane(self, number: int) -> "Controls":
        """Those of one sequence."""
        return Controls(*(None if a is None else np.asarray(a)[..., number] for a in self))


# ---- one step --------------------------------------------------------------------------------------------


def step(cell: Cell, p: Tree, x: np.ndarray, state: Tree, dt: float) -> tuple[np.ndarray, Tree]:
    """The output and the state after one step, from parameters with dense recurrent matrices."""
    match cell:
        case wrappers.Dilated():
            return _dilated(cell, p, x, state, dt)
        case wrappers.Zoneout():
            _, new = step(cell.cell, p, x, state, dt)
            for name in cell.carries:
                rate = cell.rate if name == "h" else cell.memory_rate
                new = {**new, name: rate * state[name] + (1 - rate) * new[name]}
            return readout(cell.cell, p, x, new), new
        case wrappers.Clockwork():
            return _clockwork(cell, p, x, state, dt)
        case wrappers.ShortConvolution():
            return _after_convolution(cell, p, x, state, dt)
        case wrappers.TokenShift():
            inner = {name: leaf for name, leaf in state.items() if name != "x"}
            now = x * p["mix"] + state["x"][0, : len(x)] * (1 - p["mix"])
            y, new = step(cell.cell, p, now, inner, dt)
            return y, {**new, "x": _with_time(cell, x, dt)[None]}
        case wrappers.VariationalDropout() | wrappers.DropConnect():  # in evaluation
            return step(cell.cell, p, x, state, dt)
    more = (np.array([dt]),) if cell.uses_dt else ()
    ys, new = reference_of(type(cell))(cell, p, x[None], state, *more)
    return ys[0], new


def _dilated(cell: wrappers.Dilated, p: Tree, x: np.ndarray, state: Tree, dt: float) -> tuple[np.ndarray, Tree]:
    past = {name: state[name] for name in histories(cell)}
    states = {name: leaf for name, leaf in state.items() if name not in past}
    y, new = step(cell.cell, p, x, {**jax.tree.map(lambda past: past[0], states), **past}, dt)
    newest = {name: new[name] for name in states}
    moved = jax.tree.map(lambda past, now: np.concatenate([past[1:], now[None]]), states, newest)
    return y, {**new, **moved}


def _after_convolution(
    cell: wrappers.ShortConvolution, p: Tree, x: np.ndarray, state: Tree, dt: float
) -> tuple[np.ndarray, Tree]:
    inner = {name: leaf for name, leaf in state.items() if name != "x"}
    window = np.concatenate([state["x"], _with_time(cell, x, dt)[None]]) if cell.width > 1 else x[None]
    now = (p["conv"]["w"] * window[:, : len(x)]).sum(0) + p["conv"].get("b", 0.0)
    if cell.activation == "silu":
        now = now / (1 + np.exp(-now))
    y, new = step(cell.cell, p, now, inner, dt)
    return y, {**new, "x": window[1:]} if cell.width > 1 else new


def _with_time(cell: Cell, x: np.ndarray, dt: float) -> np.ndarray:
    """What a history keeps of one step: the input, and the time for cells that use it."""
    return np.concatenate([x, [dt]]) if cell.uses_dt else x


def _clockwork(cell: wrappers.Clockwork, p: Tree, x: np.ndarray, state: Tree, dt: float) -> tuple[np.ndarray, Tree]:
    inner = {name: leaf for name, leaf in state.items() if name != "clock"}
    _, new = step(cell.cell, p, x, inner, dt)
    moves = np.rint(state["clock"]) < 1
    new = {name: np.where(moves, new[name], old) if name in cell.carries else new[name] for name, old in inner.items()}
    periods = np.repeat(cell.periods, len(moves) // len(cell.periods))
    return readout(cell.cell, p, x, new), {**new, "clock": (state["clock"] + 1) % periods}


def has_jumps(cell: Cell) -> bool:
    """Whether a step rounds, so that its gradient is not its slope."""
    if isinstance(cell, wrappers.Wrapper):
        return isinstance(cell, wrappers.SkipRNN) or has_jumps(cell.cell)
    return isinstance(cell, (cells.PDSSM, cells.RotationMinGRU))


def has_readout(cell: Cell) -> bool:
    """Whether `readout` knows the cell's."""
    match cell:
        case wrappers.Dilated() | wrappers.Zoneout() | wrappers.Clockwork():
            return has_readout(cell.cell)
        case wrappers.VariationalDropout() | wrappers.DropConnect():
            return has_readout(cell.cell)
    return isinstance(cell, cells.LRU) or type(cell).readout is Cell.readout


def readout(cell: Cell, p: Tree, x: np.ndarray, state: Tree) -> np.ndarray:
    """The output that goes with a state which a wrapper has changed."""
    match cell:
        case wrappers.Dilated():
            return readout(cell.cell, p, x, jax.tree.map(lambda past: past[-1], state))
        case wrappers.Wrapper():
            return readout(cell.cell, p, x, state)
        case cells.LRU():
            return p["c"] @ state["h"] + p["d"] @ x
    return state["h"]


# ---- one sequence, and a batch ---------------------------------------------------------------------------


def sequence(
    cell: Cell, p: Tree, xs: np.ndarray, state: Tree, initial: Tree, controls: Controls, reverse: bool
) -> tuple[np.ndarray, Tree]:
    """Outputs (T, O) and the last state of one sequence. A reset puts `initial` in the place of the state."""
    ys = np.zeros((len(xs), cell.output_size))
    for t in reversed(range(len(xs))) if reverse else range(len(xs)):
        if controls.lengths is not None and t >= controls.lengths:
            continue
        if controls.mask is not None and not controls.mask[t]:
            continue
        if controls.resets is not None and controls.resets[t]:
            state = initial
        ys[t], state = step(cell, p, xs[t], state, 1.0 if controls.dt is None else controls.dt[t])
    return ys, state


def batch(
    cell: Cell, p: Tree, xs: np.ndarray, state: Tree, initial: Tree, controls: Controls, reverse: bool = False
) -> tuple[np.ndarray, Tree]:
    """Outputs (T, B, O) and last states (B, ...)."""
    with np.errstate(over="ignore"):  # of exp(-a) in a gate that is closed
        lanes = [
            sequence(cell, p, xs[:, b], lane(state, b), lane(initial, b), controls.lane(b), reverse)
            for b in range(xs.shape[1])
        ]
    return np.stack([ys for ys, _ in lanes], 1), jax.tree.map(lambda *a: np.stack(a), *(last for _, last in lanes))


def lane(tree: Tree, number: int) -> Tree:
    """What belongs to one sequence."""
    return jax.tree.map(lambda a: a[number], tree)


# ---- a network -------------------------------------------------------------------------------------------


def network(model: Model, p: Tree, xs: np.ndarray, initial: list[Tree], controls: Controls) -> np.ndarray:
    """Outputs (T, B, O), or (B, O) of a model read at the last step; `initial` are the first states of the layers."""
    ys = xs @ p["embed"]["w"] if "embed" in p else xs
    for layer in range(model.stack.layers):
        here, read = p[f"layer_{layer}"], ys
        if "norm" in here:
            centred = ys - ys.mean(-1, keepdims=True)
            spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
            read = centred / spread * here["norm"]["scale"] + here["norm"]["bias"]
        first = initial[layer]
        ways = [(here[d], d == "backward") for d in model.directions]
        back_controls = controls._replace(dt=_times_backward(controls, ys))
        found = np.concatenate(
            [
                batch(model.cell, way, read, first, first, back_controls if back else controls, back)[0]
                for way, back in ways
            ],
            -1,
        )
        ys = found + ys if model.stack.residual and found.shape == ys.shape else found
    if model.read == "last":
        ys = _last(model, ys, controls)
    out = ys @ p["head"]["w"].T
    return out + p["head"]["b"] if "b" in p["head"] else out


def _last(model: Model, ys: np.ndarray, controls: Controls) -> np.ndarray:
    """The output of the last step that each direction ran; zeros of a sequence without any."""
    found = np.zeros(ys.shape[1:])
    half = model.cell.output_size
    for b in range(ys.shape[1]):
        lane = controls.lane(b)
        if steps := _counted(lane, len(ys)):
            found[b, :half], found[b, half:] = ys[steps[-1], b, :half], ys[steps[0], b, half:]
    return found


def _counted(lane: Controls, time: int) -> list[int]:
    """The steps of one sequence that count."""
    return [
        t for t in range(time) if (lane.lengths is None or t < lane.lengths) and (lane.mask is None or lane.mask[t])
    ]


def _times_backward(controls: Controls, ys: np.ndarray) -> Any:
    """The time between every step that counts and the next one; the last has that of the first."""
    if controls.dt is None:
        return None
    found = np.array(controls.dt)
    for b in range(ys.shape[1]):
        steps = _counted(controls.lane(b), len(ys))
        found[steps, b] = np.roll(found[steps, b], -1)
    return found


def wide(tree: Tree) -> Tree:
    """Every array in float64 NumPy."""
    return jax.tree.map(lambda a: np.asarray(a, np.float64), tree)


__all__ = ["Controls", "Tree", "batch", "has_jumps", "has_readout", "network", "sequence", "step", "wide"]
