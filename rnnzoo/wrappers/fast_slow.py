"""Fast-Slow RNN: several steps of fast cells for one of a slow cell (Mujika et al. 2017). arXiv:1705.08639"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.noise import Noisy, with_noise, without_noise
from rnnzoo.cells.recur import Recur, adding, scoped
from rnnzoo.fields import Range
from rnnzoo.spec import UsageError, derived, spec
from rnnzoo.structures.base import Structure
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State
from rnnzoo.wrappers.base import Wrapper, needs_readout_of_state, needs_single_inputs, projected


@spec
class FastSlow(Wrapper):
    """k = `layers` fast cells, copies of `cell` with parameters of their own, take turns at one state; after the first
    one, `slow` takes one step at another. With f and s the two states, and y(.) the output of a state::

        f = fast_0(x_t, f_tm1)                            Parameters  fast_0 fast_1 ... slow, as of their cells
        s_t = slow(y(f), s_tm1)                           State       fast, slow, as of their cells
        f = fast_1(y(s_t), f)                             Output      that of the last fast cell
        f = fast_i(0, f)     for i = 2, ..., k - 1
        f_t = f

    As in the authors' code: the input of fast_2, fast_3, ... is one number, 0. The paper's dropout between cells is
    not part of this, and its zoneout is that of the cells: ``cell=Zoneout()``. All cells have the same hidden_size
    here; the paper's fast and slow cells may differ.

    The states are one in the other, so that a wrapper that acts on vectors goes around the cells inside. What slow and
    fast_1 hear is computed in the loop, and so are its products with their W."""

    cell: Cell = LSTM(hidden_size=1)
    """The fast cells."""
    slow: Cell = LSTM(hidden_size=1)
    """The slow cell. hidden_size, bias, dtype and kernel_init are those of `cell`."""
    layers: Annotated[int, Range(low=2, high=16)] = 2
    """Number of fast cells k."""

    carries = ()  # its state is not one of vectors, but two states
    elementwise = False
    input_leaves = MappingProxyType({})
    uses_dt = derived(lambda self: self.cell.uses_dt or self.slow.uses_dt)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "slow", self.sharing(self.slow, "slow cell"))
        if _has_fast_slow(self.cell) or _has_fast_slow(self.slow):
            raise UsageError("a cell of FastSlow is one already; accepted: one FastSlow in a cell")
        needs_single_inputs(self, self.cell, self.slow)
        if self.layers == 2:
            needs_readout_of_state(self, self.cell)

    def _cells(self) -> dict[str, Cell]:
        """The inner cells by name, in the order of their steps but for the slow one, which comes last."""
        return {**{f"fast_{i}": self.cell for i in range(self.layers)}, "slow": self.slow}

    @property
    def structures(self) -> Mapping[str, Structure]:
        return {f"{name}.{gate}": s for name, cell in self._cells().items() for gate, s in cell.structures.items()}

    def init(self, key: Key, input_size: int) -> Params:
        sizes = {"fast_0": input_size, "fast_1": self.slow.output_size, "slow": self.cell.output_size}
        keys = zip(self._cells().items(), jax.random.split(key, self.layers + 1), strict=True)
        params = {name: cell.init(k, sizes.get(name, 1)) for (name, cell), k in keys}
        states = [jax.eval_shape(self.cell.initial_state, params[f"fast_{i}"]) for i in range(self.layers)]
        if any(state != states[0] for state in states):
            name = type(self.cell).__name__
            raise UsageError(
                f"the state of {name} depends on the size of its inputs, which the fast cells differ in; accepted: a "
                "cell whose state does not"
            )
        return params

    def prepare(self, params: Params) -> Params:
        return {name: cell.prepare(params[name]) for name, cell in self._cells().items()}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """What fast_0, fast_2, fast_3, ... hear, and the elapsed time for the others."""
        x_t, dt = (x_t[:-1], x_t[-1:]) if self.uses_dt else (x_t, x_t[:0])
        inputs = {"fast_0": x_t, **{f"fast_{i}": jnp.zeros_like(x_t, shape=1) for i in range(2, self.layers)}}
        z_t = {name: self.cell.project(params[name], _with_dt(self.cell, x, dt)) for name, x in inputs.items()}
        return {**z_t, "dt": dt} if self.uses_dt else z_t

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        z_t, noise_t = without_noise(z_t)
        cells, dt = self._cells(), z_t["dt"] if self.uses_dt else None

        def stepped(name: str, state: State, x_t: Any = None) -> tuple[State, Array]:
            """The new state and the output; from an input, where that is known in the loop only."""
            cell, inner = cells[name], scoped(recur, name, tuple(cells[name].structures))
            if x_t is None:
                z = z_t[name]
            else:
                z = projected(cell, params[name], _with_dt(cell, x_t, dt))
                inner = adding(inner, z)
            new = cell.step(params[name], state, with_noise(z, noise_t and noise_t[name]), inner)
            return new, _output(cell, params[name], new, z)

        fast, y = stepped("fast_0", state["fast"])
        slow, y = stepped("slow", state["slow"], y)
        fast, y = stepped("fast_1", fast, y)
        for i in range(2, self.layers):
            fast, y = stepped(f"fast_{i}", fast)
        return {"fast": fast, "slow": slow}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        name = f"fast_{self.layers - 1}"
        if (z := z_t.get(name)) is None:
            # `cell` gets a projection because it may take it apart; it does not use the numbers (`__post_init__`).
            dtype = jnp.result_type(*jax.tree.leaves(z_t))
            z = self.cell.project(params[name], jnp.zeros(self.slow.output_size + self.cell.uses_dt, dtype))
        return self.cell.readout(params[name], state["fast"], z)

    def initial_state(self, params: Params) -> State:
        return {"fast": self.cell.initial_state(params["fast_0"]), "slow": self.slow.initial_state(params["slow"])}

    def noisy_params(self, key: Key, params: Params) -> Params:
        cells = self._cells()
        keys = dict(zip(cells, jax.random.split(key, len(cells)), strict=True))
        return {
            name: cell.noisy_params(keys[name], params[name]) if isinstance(cell, Noisy) else params[name]
            for name, cell in cells.items()
        }

    def noise(self, key: Key, time: int) -> PyTree:
        cells = self._cells()
        keys = dict(zip(cells, jax.random.split(key, len(cells)), strict=True))
        noise = {name: cell.noise(keys[name], time) for name, cell in cells.items() if isinstance(cell, Noisy)}
        return {name: noise.get(name) for name in cells} if jax.tree.leaves(noise) else None


def _output(cell: Cell, params: Params, state: State, z: PyTree) -> Array:
    """What another cell hears, in the loop, where U is in no parameters."""
    try:
        return cell.readout(params, state, z)
    except KeyError as error:
        if error.args != ("u",):
            raise
        raise UsageError(
            f"the output of {type(cell).__name__} is a product with its U, which other cells of FastSlow cannot hear; "
            "accepted: a cell whose output is made of its state and input"
        ) from None


def _has_fast_slow(cell: Cell) -> bool:
    while isinstance(cell, Wrapper) and not isinstance(cell, FastSlow):
        cell = cell.cell
    return isinstance(cell, FastSlow)


def _with_dt(cell: Cell, x_t: Float[Array, " I"], dt: Any) -> Float[Array, " I"]:
    """The input of a cell, with the elapsed time if it uses it."""
    return jnp.concatenate([x_t, dt.astype(x_t.dtype)]) if cell.uses_dt else x_t
