"""What one unit can do: the map from h to the next h that an input chooses, of a diagonal GRU that computes parity."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.cells import GRU
from rnnzoo.drawing import INK, MUTED, RULE, SERIES, new_figure
from rnnzoo.run import run
from rnnzoo.structures import Diagonal
from rnnzoo.study.report.figures.drawing import Drawn, Figure
from rnnzoo.study.report.rows import Tables

UNIT = GRU(hidden_size=1, structure=Diagonal())


def parity_unit() -> Any:
    """Parameters of one unit whose state is the parity of all bits so far: about 0 if even, about 1 if odd.

    x = 0 holds: z is 1. x = 1 flips: z is 0, and n = tanh(3 - u h) is near 1 at h = 0 and 0 at h = tanh(3)."""
    one, high = np.ones(1, np.float32), float(np.tanh(3.0))
    return {
        "w": {"r": 0 * one[:, None], "z": -60 * one[:, None], "n": 0 * one[:, None]},
        "b": {"r": 30 * one, "z": 30 * one, "n": 3 * one},
        "u": {"r": 0 * one, "z": 0 * one, "n": -3 / high * one},
        "c": 0 * one,
    }


def next_state(params: Any, h: np.ndarray, x: float) -> np.ndarray:
    """h -> h' for one input, by the cell itself."""
    states = {"h": jnp.asarray(h, jnp.float32)[:, None]}
    return np.asarray(_run(params, jnp.full((1, len(h), 1), x), states)[1]["h"])[:, 0]


@jax.jit
def _run(params: Any, xs: Any, states: Any) -> Any:
    return run(UNIT, params, xs, states)


def draw(tables: Tables) -> Drawn:
    """The two maps, with the two states and how x = 1 goes from one to the other."""
    del tables  # it needs none
    params, h = parity_unit(), np.linspace(-0.25, 1.25, 151)
    maps = [next_state(params, h, x) for x in (0.0, 1.0)]
    figure = new_figure(4.6, 4.1)
    axes = figure.subplots()
    axes.axhline(0, color=RULE, linewidth=0.6)
    axes.axvline(0, color=RULE, linewidth=0.6)
    for x, (values, colour) in enumerate(zip(maps, SERIES, strict=False)):
        axes.plot(h, values, color=colour, linewidth=2)
        axes.annotate(
            "x = 1: flip" if x else "x = 0: hold", (1.18, values[143]), xytext=(-4, 0), textcoords="offset points",
            color=colour, ha="right", va="center",
        )  # fmt: skip
    one = float(maps[1][np.abs(h).argmin()])
    axes.plot([0, 0, one, one, 0], [0, one, one, 0, 0], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.plot([0, one], [0, one], "o", color=INK, markersize=6)
    for at, name in ((0.0, "even"), (one, "odd")):
        axes.annotate(name, (at, at), xytext=(9, -13), textcoords="offset points")
    axes.set_xlabel("h")
    axes.set_ylabel("next h")
    axes.set_aspect("equal")
    axes.set_xlim(-0.25, 1.25)
    axes.set_ylim(-0.75, 1.3)
    data = [{"h": a, "next_h_x0": b, "next_h_x1": c} for a, b, c in zip(h, *maps, strict=True)]
    alt = "For x = 0 the next h is h. For x = 1 the map falls: it sends 0 to 1 and 1 to 0."
    return Drawn(figure, alt, data)


def parity_of(bits: np.ndarray) -> np.ndarray:
    """(T,) states of the unit over a sequence of bits."""
    xs = jnp.asarray(bits, jnp.float32)[:, None, None]
    return np.asarray(_run(parity_unit(), xs, {"h": jnp.zeros((1, 1))})[0])[:, 0, 0]


FIGURE = Figure(
    "unit",
    "Why a gate frees the diagonal: one unit that counts modulo two",
    "One GRU unit with a diagonal U, its weights set by hand: the input chooses which map acts on the state. x = 0 "
    "holds it, x = 1 swaps its two values, so that the unit computes the parity of a sequence. In a unit of a diagonal "
    "Elman network the input only shifts the map, which rises for both inputs or falls for both. Computed from the "
    "cell, not trained.",
    "",
    draw,
)

__all__ = ["FIGURE", "draw", "next_state", "parity_of", "parity_unit"]
