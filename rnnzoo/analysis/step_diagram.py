"""What a cell is, on one page: its documentation, its parameters, and a diagram of its step, drawn from its trace."""

import inspect
import math
import sys
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Affine, Cell
from rnnzoo.cells.histories import without_histories, z_at
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.initializers.base import undrawn
from rnnzoo.jaxprs import is_literal
from rnnzoo.trees import named
from rnnzoo.typing import Control, Params, PyTree, State
from rnnzoo.unrolls.elementwise import opened


def page(cell: Cell, input_size: int) -> str:
    """The documentation of a cell with its equations, its parameters and state, and the diagram of its step."""
    cls = type(cell)
    lines = [f"{cls.__name__}, {cell.hidden_size} hidden units, {input_size} inputs", "", _reference(cls), ""]
    lines += [inspect.getdoc(cls) or "", "", *_arrays(cell, input_size), ""]
    return "\n".join([*lines, *diagram(cell, input_size)])


def _reference(cls: type) -> str:
    """The documentation of the file, which names the paper."""
    return inspect.cleandoc(sys.modules[cls.__module__].__doc__ or "")


def _arrays(cell: Cell, input_size: int) -> list[str]:
    """A table of parameters and of the state."""
    params, _, state = _shapes(cell, input_size)
    rows = [(_leaf(path), a.shape) for path, a in named(params).items()]
    total = sum(math.prod(shape) for _, shape in rows)
    lines = [f"Parameters: {total:,}"]
    lines += [f"  {name:<12} {shape}" for name, shape in rows]
    numbers = sum(math.prod(a.shape) for a in jax.tree.leaves(state))
    lines += [f"State: {numbers:,} numbers for each sequence"]
    return lines + [f"  {_leaf(path):<12} {a.shape}" for path, a in named(state).items()]


def _shapes(cell: Cell, input_size: int) -> tuple[Params, PyTree, State]:
    """Parameters, z_t as `step` sees it, and the state; shapes alone."""
    cell = undrawn(cell)
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), input_size))

    def inputs(params: Params) -> tuple[Params, PyTree, State]:
        ready = cell.prepare(params)
        axes = cell.initial_state(ready)["x"].shape[1:] if cell.history else (input_size,)
        x_t = jnp.zeros((*([cell.history + 1] if cell.history else []), *axes))
        x_t = jnp.concatenate([x_t, jnp.ones((*x_t.shape[:-1], 1))], -1) if cell.uses_dt else x_t
        state = cell.initial_state(ready)
        return ready, z_at(cell, ready, x_t, state), state

    _, z_t, state = jax.eval_shape(inputs, params)
    return params, z_t, state


def diagram(cell: Cell, input_size: int) -> list[str]:
    """The step as lines of text: what each recurrent matrix hears, and what each part of the new state is made of."""
    cell = undrawn(cell)
    params, z_t, state = _shapes(cell, input_size)
    ready = jax.eval_shape(cell.prepare, params)
    state = without_histories(cell, state)
    sums, jaxpr, out_state, heard = _traced(cell, ready, state, z_t)
    names = [_gate(site) for site in sorted(sums)]
    names += [f"{_leaf(path)}_tm1" for path in named(state)] + [f"z.{_leaf(path)}" for path in named(_free(cell, z_t))]
    made = _made_of(jaxpr, names)
    outs = [f"{_leaf(path)}_t" for path in named(out_state)]
    lines = ["Step (x_t -> z is computed at all t at once, U v and what follows one step after the other)", ""]
    for site, sources in zip(sorted(heard), made[len(outs) :], strict=True):
        added = f"z.{site[0]} + " if f"z.{site[0]}" in names else ""
        lines.append(f"  {_gate(site):<8} <--  {added}U.{site[0]} ({', '.join(sources)})")
    lines += [f"  {out:<8} <--  {', '.join(sources) or 'constants'}" for out, sources in zip(outs, made, strict=False)]
    inner = cell.recurrence
    if isinstance(inner, Affine):
        lines.append(f"  linear in h_tm1, with a transition matrix in {inner.transition}")
    if isinstance(inner, MatrixMemory):
        heads, keys, values = inner.memory_shape
        lines.append(f"  linear in s_tm1: {heads} heads of {keys} keys and {values} values")
    return lines


def _traced(cell: Cell, ready: Params, state: State, z_t: PyTree) -> tuple[Any, Any, Any, Any]:
    """The shapes of all sums, the program of the step, and the shapes of the new state and of what matrices hear."""
    found: list[Any] = []

    def trace(ready: Params) -> None:
        sums, step = opened(cell, ready, state, z_t, Control())
        jaxpr = jax.make_jaxpr(step)(sums, state, z_t, Control()).jaxpr
        found.extend([sums, jaxpr, *jax.eval_shape(step, sums, state, z_t, Control())])

    jax.eval_shape(trace, ready)
    sums, jaxpr, out_state, heard = found
    return sums, jaxpr, out_state, heard


def _free(cell: Cell, z_t: PyTree) -> PyTree:
    """z_t: all its leaves are inputs of the traced step."""
    return z_t if isinstance(z_t, dict) else {"z": z_t}


def _gate(site: tuple[str, int]) -> str:
    """The name of a sum: that of its gate, with a prime for each further use in one step."""
    return "a." + site[0] + "'" * site[1]


def _leaf(path: str) -> str:
    return path.strip("[']").replace("']['", ".")


def _made_of(jaxpr: Any, names: list[str]) -> list[list[str]]:
    """For each output of a program, the names of the inputs that it depends on, in their order."""
    reach = {var: {name} for var, name in zip(jaxpr.invars, names, strict=False)}
    for eqn in jaxpr.eqns:
        heard = [reach.get(var, set()) for var in eqn.invars if not is_literal(var)]
        found = set().union(*heard) if heard else set()
        reach.update(dict.fromkeys(eqn.outvars, found))
    outs = [set() if is_literal(var) else reach.get(var, set()) for var in jaxpr.outvars]
    return [[name for name in names if name in out] for out in outs]


__all__ = ["diagram", "page"]
