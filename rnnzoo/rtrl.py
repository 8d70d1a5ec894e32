"""Real-time recurrent learning: exact gradients forward in time (Williams & Zipser 1989).

doi:10.1162/neco.1989.1.2.270"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from rnnzoo.arguments import expected_params, require_cell
from rnnzoo.cells.base import Cell
from rnnzoo.cells.histories import histories
from rnnzoo.dependence import Links
from rnnzoo.spec import UsageError
from rnnzoo.trees import named
from rnnzoo.typing import Array, Bool, Control, Float, Params, State
from rnnzoo.unrolls.base import advance

LIMIT = 2**26  # numbers of one sequence's influence: 256 MiB in float32


class Trace(NamedTuple):
    """What `RTRL` carries from step to step, for one sequence."""

    state: State
    influence: Float[Array, "G M K"]
    """d state / d params by group: of each of M parameters on each of K numbers of the state."""
    x: Float[Array, " I"]
    """The last input."""


class RTRL:
    """Gradients of losses at every step of a stream, in memory that does not depend on its length::

        influence_t = J_t influence_tm1 + (the change of step t by the parameters alone),    J_t = d s_t / d s_tm1
        d loss_t / d params = (d loss_t / d s_t) influence_t + (what the readout adds)

    >>> import jax, rnnzoo
    >>> cell = rnnzoo.cells.LSTM(hidden_size=8, structure=rnnzoo.structures.Diagonal())
    >>> params, online = cell.init(jax.random.key(0), 3), rnnzoo.RTRL(cell, 3)
    >>> trace = online.start(params)
    >>> y, trace = online.step(params, trace, jax.numpy.ones(3))
    >>> gradient = online.gradient(params, trace, 2 * y)  # of a loss at this step whose derivative by y is 2 y

    The sum of the gradients of all steps is that of back-propagation through the whole sequence, as long as `params`
    stay the same. If they are updated along the way, the influence keeps what older parameters did, as usual.

    Parameters and numbers of the state that have nothing to do with each other are in different groups, and only what
    is within groups is kept: 2 numbers for each parameter of an LSTM with a `Diagonal` U, and of an LRU; as many as the
    state has for each parameter of a cell with a dense U. `numbers` says how many there are.

    Methods are pure, for one sequence: ``jax.vmap(online.step, (None, 0, 0))`` is that of a batch, and each runs under
    `jax.jit` and in `lax.scan`. There is no training noise. A cell that uses the elapsed time gets x_t with it as its
    last entry."""

    def __init__(self, cell: Cell, input_size: int, *, limit: int = LIMIT):
        """Args:
            cell: what to train.
            input_size: number of input features.
            limit: the largest `numbers`.

        Raises:
            UsageError (a ValueError): too many numbers, a state that is not one of real numbers, or a cell that reads
                windows over past inputs.
        """
        require_cell(cell)
        self.cell = cell
        params = expected_params(cell, input_size)
        state = jax.eval_shape(self._initial, params)
        self._check(state)
        self.features = input_size + cell.uses_dt
        self._groups(params, state, jax.ShapeDtypeStruct((self.features,), jnp.float32))
        if self.numbers > limit:
            raise UsageError(
                f"RTRL would keep {self.numbers:,} numbers of a sequence for {cell}, and limit is {limit:,}; accepted: "
                "a cell whose units depend on few others, such as one with structure=Diagonal(), or a larger limit"
            )

    def _check(self, state: State) -> None:
        name = type(self.cell).__name__
        if histories(self.cell) or self.cell.feature_axes != 1:
            raise UsageError(f"{name} takes more than one vector a step; accepted by RTRL: a cell that takes one")
        for path, leaf in named(state).items():
            if not jnp.issubdtype(leaf.dtype, jnp.floating):
                raise UsageError(f"state{path} of {name} is {leaf.dtype}; accepted by RTRL: a state of real numbers")

    def _groups(self, params: Any, state: Any, x_t: Any) -> None:
        """Tables of the parameters (G, M) and of the numbers of the state (G, K) in each group, filled up with what
        lies behind the last one."""
        sizes = [sum(math.prod(a.shape) for a in jax.tree.leaves(tree)) for tree in (params, state)]
        links = Links(sum(sizes))
        of_params, of_state = _numbered(params, 0), _numbered(state, sizes[0])
        step = jax.make_jaxpr(self._after)(params, state, x_t).jaxpr
        first = jax.make_jaxpr(self._initial)(params).jaxpr
        for found in (
            links.through(step, [*of_params, *of_state, np.full(x_t.shape, -1)]),
            links.through(first, of_params),
        ):
            for labels, own in zip(found, of_state, strict=True):
                links.link(labels, own)
        root = links.groups()
        roots = np.unique(root[sizes[0] :])
        self._params = _table(root[: sizes[0]], roots)
        self._state = _table(root[sizes[0] :], roots)
        self.numbers = len(roots) * self._params.shape[1] * self._state.shape[1]
        """How many numbers are kept for a sequence, besides its state."""

    def _initial(self, params: Params) -> State:
        return self.cell.initial_state(self.cell.prepare(params))

    def _after(self, params: Params, state: State, x_t: Float[Array, " I"]) -> State:
        ready = self.cell.prepare(params)
        return advance(self.cell, ready, state, self.cell.project(ready, x_t), Control())

    def _output(self, params: Params, state: State, x_t: Float[Array, " I"]) -> Float[Array, " O"]:
        ready = self.cell.prepare(params)
        z_t = self.cell.project(ready, x_t)
        return self.cell.readout(ready, state, z_t).astype(jnp.result_type(*jax.tree.leaves(z_t)))

    # ---- the three calls -----------------------------------------------------------------------------------

    def start(self, params: Params) -> Trace:
        """Before the first step."""
        flat, unravel = ravel_pytree(params)
        first, pull = jax.vjp(lambda flat: ravel_pytree(self._initial(unravel(flat)))[0], flat)
        (own,) = jax.vmap(pull)(self._probes(first))
        state = self._initial(params)
        return Trace(state, self._by_group(own), jnp.zeros(self.features))

    def step(
        self, params: Params, trace: Trace, x_t: Float[Array, " I"], reset: Bool[Array, ""] | None = None
    ) -> tuple[Float[Array, " O"], Trace]:
        """The output at x_t, and the trace after it. With `reset` true, the stream starts anew before the step."""
        if reset is not None:
            start = self.start(params)
            trace = jax.tree.map(lambda new, old: jnp.where(reset, new, old), start._replace(x=trace.x), trace)
        flat, unravel = ravel_pytree(params)
        before, unravel_state = ravel_pytree(trace.state)

        def after(flat: Array, before: Array) -> Array:
            return ravel_pytree(self._after(unravel(flat), unravel_state(before), x_t))[0]

        now, pull = jax.vjp(after, flat, before)
        own, jacobian = jax.vmap(pull)(self._probes(now))
        jacobian = _taken(jacobian, self._state)  # (K, G, K): of the number k of a group, by all of it
        influence = self._by_group(own) + jnp.einsum("kgl,gml->gmk", jacobian, trace.influence)
        state = unravel_state(now)
        return self._output(params, state, x_t), Trace(state, influence, x_t.astype(trace.x.dtype))

    def gradient(self, params: Params, trace: Trace, dy: Float[Array, " O"]) -> Params:
        """The gradient by all parameters of a loss at the last step, from its derivative `dy` by the output there."""
        flat, unravel = ravel_pytree(params)
        y, pull = jax.vjp(lambda params, state: self._output(params, state, trace.x), params, trace.state)
        direct, by_state = pull(dy.astype(y.dtype))
        by_state = _taken(ravel_pytree(by_state)[0], self._state)
        through = jnp.einsum("gk,gmk->gm", by_state, trace.influence).astype(flat.dtype)
        return unravel(ravel_pytree(direct)[0].at[self._params].add(through, mode="drop"))

    def _probes(self, state: Float[Array, " S"]) -> Float[Array, "K S"]:
        """The k-th is 1 at the k-th number of every group: these depend on different parameters."""
        rows = jnp.arange(self._state.shape[1])
        return jnp.zeros((len(rows), state.size), state.dtype).at[rows, self._state].set(1, mode="drop")

    def _by_group(self, own: Float[Array, "K P"]) -> Float[Array, "G M K"]:
        return jnp.moveaxis(_taken(own, self._params), 0, -1)


def _numbered(tree: Any, start: int) -> list[np.ndarray]:
    """Arrays of the shapes of the leaves, numbered through."""
    found = []
    for leaf in jax.tree.leaves(tree):
        size = math.prod(leaf.shape)
        found.append(np.arange(start, start + size).reshape(leaf.shape))
        start += size
    return found


def _table(root: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """For each of the `roots`, the places in `root` that have it, filled up with the size of `root`."""
    places = np.flatnonzero(np.isin(root, roots))
    row = np.searchsorted(roots, root[places])
    order = np.argsort(row, kind="stable")
    places, row = places[order], row[order]
    counts = np.bincount(row, minlength=len(roots))
    table = np.full((len(roots), counts.max(initial=0)), root.size)
    table[row, np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)] = places
    return table


def _taken(array: Array, table: np.ndarray) -> Array:
    """The entries of the last axis that a table names, 0 where it names none."""
    return jnp.take(array, table, axis=-1, mode="fill", fill_value=0)


__all__ = ["LIMIT", "RTRL", "Trace"]
