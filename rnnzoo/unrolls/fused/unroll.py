"""One kernel for a whole sequence, of any cell whose units meet in nothing but a diagonal U."""

import functools
from typing import Any, Literal

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.histories import without_histories, z_at
from rnnzoo.spec import UsageError, spec
from rnnzoo.typing import Array, Control, Params, PyTree, State, widen
from rnnzoo.unrolls.base import Ran, Unroll, around
from rnnzoo.unrolls.fused import bodies
from rnnzoo.unrolls.fused.derivative import run_lanes
from rnnzoo.unrolls.fused.kernel import Lanes, Route
from rnnzoo.unrolls.fused.lanes import Unfit, parts_of
from rnnzoo.unrolls.fused.mosaic import Mosaic
from rnnzoo.unrolls.fused.program import Program, traced
from rnnzoo.unrolls.fused.tpu import TPU
from rnnzoo.unrolls.fused.triton import Triton
from rnnzoo.unrolls.uses import Watched

TRIAL_INPUTS = 2
ROUTES: dict[str, Route] = {
    "mosaic": Mosaic(), "triton": Triton(), "tpu": TPU(), "interpret": TPU(block=(128,), interpret=True),
}  # fmt: skip
AUTOMATIC = ("mosaic", "triton", "tpu")  # the first that runs on the device


@spec
class Fused(Unroll):
    """The loop over time inside one kernel on a GPU or TPU; units and sequences run side by side, as lanes.

    It runs cells whose step acts on each unit by itself, which is found by tracing it: those with a diagonal U, and
    those without U whose transition is diagonal; parts of a vector, such as real and imaginary ones, may meet. The
    kernel is made of the cell's own step, and its gradient of the derivative of that step, computed again from the
    states. The state and all sums over time are in float32. All derivatives that `Scan` has; second ones take a loop.
    Timed on an H200 (docs/measured), where `Scan` takes 31 to 89 times as long for a diagonal LSTM of 12,288 lanes; its
    numbers have been compared in interpreters, not yet on a device: `benchmarks/gpu.py` does.
    """

    route: Literal["auto", "mosaic", "triton", "tpu", "interpret"] = "auto"
    """The language of the kernel: "mosaic" (GPUs from Hopper on) or "triton" on a GPU, "tpu" on a TPU, "auto" for what
    the device has; "interpret" runs it step by step on any device, slowly, to look at its numbers."""

    symbolic = False

    def refuses(self, cell: Cell) -> str | None:
        name = type(cell).__name__
        if not (routes := self._routes()):
            needs = [ROUTES[self.route].needs] if self.route != "auto" else [ROUTES[r].needs for r in AUTOMATIC]
            return f"{self} runs {name} on {' or '.join(needs)}; the default device is {jax.devices()[0].platform}"
        if (reason := unfit(cell)) is not None:
            return f"step of {name} {reason}; Fused runs steps that act on each unit by itself"
        if any(_takes(route, cell) for route in routes):
            return None
        return "; ".join(str(unsupported(cell, route)) for route in routes)

    def _routes(self) -> list[Route]:
        """Those that the default device can run, the first choice first, with what each is tuned to."""
        names = AUTOMATIC if self.route == "auto" else (self.route,)
        return [ROUTES[name] for name in names if ROUTES[name].runs_on(jax.devices()[0])]

    def kernel(self, cell: Cell) -> Route:
        """The route to take for `cell`, which this unroll does not refuse, on the default device."""
        return next(route for route in self._routes() if _takes(route, cell))

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        state = jax.tree.map(lambda a: a[None], state)
        zs, controls = jax.tree.map(lambda a: a[:, None], (zs, controls))
        states, _ = recurrence(cell, self.kernel(cell), None, params, state, zs, controls)
        return jax.tree.map(lambda a: a[:, 0], states)

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Array, controls: Control, *, states: bool = False
    ) -> Ran:
        def lanes(state: State, zs: PyTree, controls: Control) -> tuple[State, State]:
            wanted = None if states else _read_by_readout(cell, params, state, zs)
            return recurrence(cell, self.kernel(cell), wanted, params, state, zs, controls)

        return around(lanes, cell, params, state, xs, controls, states=states)


def recurrence(
    cell: Cell, route: Route, wanted: set[str] | None, params: Params, state: State, zs: PyTree, controls: Control
) -> tuple[State, State]:
    """The states after each step (T, B, H), and the last one (B, H), from state (B, H), zs and controls (T, B, ...).
    Of the states, only entries that are `wanted` (None: all) are computed at all steps."""
    leaves, tree = jax.tree.flatten(state)
    inputs = jax.tree.leaves((zs, controls))
    steps, batch = inputs[0].shape[:2]
    if not steps or not batch:
        return jax.tree.map(lambda a: jnp.zeros((steps, *a.shape), a.dtype), state), state
    program, known, read = _program(cell, params, state, zs, controls)
    names = [path[0].key for path, _ in jax.tree_util.tree_leaves_with_path(state)]
    mask = tuple(wanted is None or name in wanted for name in names)
    fixed, consts = known(params)
    rows = bodies.chosen(inputs, tuple(read))
    states, last = run_lanes(
        program, route, steps, mask,
        _lanes(program, fixed, program.fixed, batch),
        _lanes(program, widen(consts), program.consts, batch),
        _lanes(program, leaves, program.state),
        _lanes(program, rows, program.row),
    )  # fmt: skip
    ends = _vectors(program, last, program.state, batch)
    unread = [jnp.broadcast_to(end, (steps, *end.shape)) for end in ends]  # any numbers
    every = bodies.merged(unread, _vectors(program, states, bodies.chosen(program.state, mask), batch), mask)
    return jax.tree.unflatten(tree, every), jax.tree.unflatten(tree, ends)


def _program(
    cell: Cell, params: Params, state: State, zs: PyTree, controls: Control
) -> tuple[Program, Any, list[bool]]:
    """As `traced`, from arrays of a batch."""
    one = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), state)
    step = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[2:], a.dtype), (zs, controls))
    try:
        return traced(cell, jax.tree.map(jax.typeof, params), one, *step)
    except Unfit as error:
        raise UsageError(f"step of {type(cell).__name__} {error}; accepted: Scan") from None


def _lanes(program: Program, arrays: list[Array], shapes: Any, batch: int | None = None) -> Lanes:
    """The parts, each (..., B * width), of vectors (..., B, P * width); with a `batch`, of vectors (P * width,)."""
    found = []
    for array, shape in zip(arrays, shapes, strict=True):
        count = parts_of(shape.shape, program.width)
        array = array.astype(bodies.stored(array.dtype)) if array.dtype == jnp.bool_ else array
        if batch is not None:
            array = jnp.broadcast_to(array, (batch, *array.shape))
        lead = array.shape[: array.ndim - len(shape.shape)]
        wide = jnp.broadcast_to(array.reshape(*lead, count, -1), (*lead, count, program.width))
        found += [wide[..., k, :].reshape(*lead[:-1], -1) for k in range(count)]
    return found


def _vectors(program: Program, parts: Lanes, shapes: Any, batch: int) -> list[Array]:
    """The vectors (..., B, P * width) of these parts (..., B * width)."""
    found, left = [], list(parts)
    for shape in shapes:
        count = parts_of(shape.shape, program.width)
        some, left = left[:count], left[count:]
        wide = [a.reshape(*a.shape[:-1], batch, program.width) for a in some]
        joined = wide[0] if count == 1 else jnp.concatenate(wide, -1)
        found.append(joined if shape.shape else joined[..., 0])
    return found


def _read_by_readout(cell: Cell, params: Params, state: State, zs: PyTree) -> set[str]:
    """The entries of the state that the outputs are made of."""
    read: set[str] = set()

    def readout(params: Params, state: State, z_t: PyTree) -> Array:
        watched: Any = Watched(state, read)
        return cell.readout(params, watched, z_t)

    one = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), state)
    z_t = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[2:], a.dtype), zs)
    jax.eval_shape(readout, params, one, z_t)
    return read


def unfit(cell: Cell) -> str | None:
    """What a step of `cell`, or its gradient, does that lanes cannot; None if they can run it."""
    return _unfit(cell, jax.config.read("jax_enable_x64"))


@functools.lru_cache(maxsize=256)
def _unfit(cell: Cell, wide: bool) -> str | None:
    shapes = jax.eval_shape(lambda: _trial(cell))
    try:
        program, _, _ = traced(cell, *shapes)
        linear = (*program.consts, *program.state, *program.row)
        all_real = tuple(jnp.issubdtype(a.dtype, jnp.floating) for a in linear)
        every = (True,) * len(program.state)
        for body in (bodies.forward(program, every), bodies.backward(program, all_real, every)):
            jax.eval_shape(body.function, *(jax.ShapeDtypeStruct((1,), dtype) for dtype in body.dtypes))
    except Unfit as error:
        return str(error)
    return None


def _takes(route: Route, cell: Cell) -> bool:
    return route == ROUTES["interpret"] or unsupported(cell, route) is None


@functools.lru_cache(maxsize=256)
def unsupported(cell: Cell, route: Route) -> str | None:
    """Why the kernel's language does not take the gradient of `cell`, in the words of its compiler; None if it does.

    For a moment the kernel is small, and it is not run."""
    params, state, *inputs = jax.eval_shape(lambda: _trial(cell))
    state = jax.tree.map(lambda a: jax.ShapeDtypeStruct((1, *a.shape), a.dtype), state)
    inputs = jax.tree.map(lambda a: jax.ShapeDtypeStruct((2, 1, *a.shape), a.dtype), inputs)

    def gradient(params: Params, state: State, zs: PyTree, controls: Control) -> Any:
        found, pull = jax.vjp(lambda p, s: recurrence(cell, route, None, p, s, zs, controls), params, state)
        return pull(found)

    try:
        jax.jit(gradient).trace(params, state, *inputs).lower(lowering_platforms=(route.platform,))
    except Exception as error:  # compilers raise anything
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        return f"{type(route).__name__} does not take the gradient of {type(cell).__name__}: {said}"
    return None


def _trial(cell: Cell) -> tuple[Params, State, PyTree, Control]:
    """Arguments of one step."""
    params = cell.prepare(cell.init(jax.random.key(0), cell.input_size_of(TRIAL_INPUTS)))
    x_t = jnp.zeros(cell.window_of(TRIAL_INPUTS), cell.dtype or jnp.float32)
    state = cell.initial_state(params)
    control_t = Control(active=jnp.array(True), reset=jnp.array(True))
    return params, without_histories(cell, state), z_at(cell, params, x_t, state), control_t


__all__ = ["Fused", "recurrence", "unfit", "unsupported"]
