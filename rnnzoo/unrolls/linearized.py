"""The Jacobians of all steps, and derivatives of the states by a parallel prefix over them."""

import abc
import copy
import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree

from rnnzoo.cells.base import Cell
from rnnzoo.cells.histories import without_histories, z_at
from rnnzoo.jaxprs import reverse_only
from rnnzoo.spec import spec
from rnnzoo.trees import named, vary_like
from rnnzoo.typing import Array, Control, Float, Params, PyTree, State, widen
from rnnzoo.unrolls.base import Unroll, advance
from rnnzoo.unrolls.elementwise import jacobian_family
from rnnzoo.unrolls.prefix import solve


class Steps:
    """All steps of one sequence as functions of all states at once, a state being one vector (N,), leaf after leaf."""

    def __init__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control):
        self.cell, self.params, self.zs, self.controls = cell, params, zs, controls
        self.start, self.unravel = ravel_pytree(state)
        step = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), (zs, controls))
        self.family = jacobian_family(cell, params, state, jax.eval_shape(widen, step[0]), step[1])

    def over(self, zs: PyTree, controls: Control) -> "Steps":
        """The same with other inputs, of other steps."""
        other = copy.copy(self)
        other.zs, other.controls = zs, controls
        return other

    def before(self, hs: Float[Array, "T N"]) -> Float[Array, "T N"]:
        """The states before each step, from those after."""
        return jnp.concatenate([self.start[None], hs[:-1]])

    def _step(self, params: Params, h: Array, z_t: PyTree, control_t: Control) -> Array:
        return ravel_pytree(advance(self.cell, params, self.unravel(h), z_t, control_t))[0]

    def apply(self, before: Float[Array, "T N"]) -> Float[Array, "T N"]:
        """Every step by itself, from the state before it."""
        return self.change(before, self.params, self.zs)

    def change(self, before: Float[Array, "T N"], params: Params, zs: PyTree) -> Float[Array, "T N"]:
        """`apply` with other parameters and inputs."""
        return jax.vmap(self._step, (None, 0, 0, 0))(params, before, zs, self.controls)

    def _push(self, before: Float[Array, "T N"], probe: Float[Array, " N"]) -> Float[Array, "T N"]:
        return jax.jvp(self.apply, (before,), (jnp.broadcast_to(probe, before.shape),))[1]

    def jacobians(self, before: Float[Array, "T N"]) -> PyTree:
        """d h_t / d h_tm1 at every step, parameters of members of `family`: as many products as it has probes."""
        images = jax.vmap(functools.partial(self._push, before), out_axes=1)(self._probes())

        def member(images_t):
            return self.family.materialize(self.family.from_probes(images_t))

        return jax.vmap(member)(images)

    def diagonals(self, before: Float[Array, "T N"]) -> Float[Array, "T N"]:
        """The diagonals of `jacobians`, one probe after the other: no more memory than some states."""

        # Each unit belongs to one probe, and no unit depends on two units of the same probe.
        def add(total, probe):
            return total + probe * self._push(before, probe), None

        return lax.scan(add, jnp.zeros_like(before), self._probes())[0]

    def _probes(self) -> Float[Array, "P N"]:
        return vary_like(self.family.probes(self.start.size).astype(self.start.dtype), self.start)

    def states(self, hs: Float[Array, "T N"]) -> State:
        return jax.vmap(self.unravel)(hs)

    def flat(self, states: State) -> Float[Array, "T N"]:
        return jax.vmap(lambda state: ravel_pytree(state)[0])(states)


@spec
class Linearized(Unroll):
    """An unroll whose derivatives are a linear recurrence over the Jacobians of all steps, solved in parallel::

        dh_t = J_t dh_tm1 + (the change of step t by itself),         J_t = d h_t / d h_tm1

    Reverse mode is its transpose, lambda_tm1 = J_t^T lambda_t + g_tm1: as parallel as the forward mode. The gradients
    of parameters and inputs follow at all t at once."""

    symbolic = False

    def refuses(self, cell: Cell) -> str | None:
        reason = _no_derivative(cell)
        return reason and f"{reason}; {type(self).__name__} needs the derivative of a step by the state"

    @abc.abstractmethod
    def forward(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        """The states (T, ...) after each step, T >= 1; no derivative is taken of how they were computed."""

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        if not jax.tree.leaves(zs)[0].shape[0]:
            return jax.tree.map(lambda a: a[None][:0], state)
        return _states(self, cell, params, state, zs, controls)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _states(unroll: Linearized, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
    return unroll.forward(cell, params, state, zs, controls)


@_states.defjvp
def _states_jvp(unroll: Linearized, cell: Cell, primals: Any, tangents: Any) -> tuple[State, State]:
    params, _, zs, _ = primals
    dparams, dstate, dzs, _ = tangents
    states = _states(unroll, cell, *primals)
    steps = Steps(cell, *primals)
    before = steps.before(steps.flat(states))
    own = jax.jvp(functools.partial(steps.change, before), (params, zs), (dparams, dzs))[1]
    changes = solve(steps.family, steps.jacobians(before), own, ravel_pytree(dstate)[0])
    return states, steps.states(changes)


@functools.lru_cache(maxsize=256)
def _no_derivative(cell: Cell) -> str | None:
    """Why a step has no derivative by the state in forward mode; None if it has."""
    features = cell.hidden_size + cell.takes
    size = cell.input_size_of(features)
    params = jax.eval_shape(lambda: cell.prepare(cell.init(jax.random.key(0), size)))
    state = jax.eval_shape(cell.initial_state, params)
    name = type(cell).__name__
    for path, leaf in named(state).items():
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            return f"state{path} of {name} is {leaf.dtype}, and accepted is a state that is floating point"

    def push(params: Params, state: State, x_t: Array) -> Any:
        z_t, inner = z_at(cell, params, x_t, state), without_histories(cell, state)
        return jax.jvp(lambda s: advance(cell, params, s, z_t, Control()), (inner,), (inner,))

    x_t = jax.ShapeDtypeStruct(cell.window_of(features), jnp.float32)
    is_known = cell.feature_axes == 1 + len(cell.leading_axes)
    if is_known and reverse_only(jax.make_jaxpr(push)(params, state, x_t).jaxpr):
        return f"step of {name} has no forward mode, as it calls a jax.custom_vjp"
    return None
