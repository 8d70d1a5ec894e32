"""Multiplicative RNN: recurrent matrices that depend on the input (Sutskever et al. 2011; Krause et al. 2017).

https://icml.cc/2011/papers/524_icmlpaper.pdf, arXiv:1609.07959
"""

from collections.abc import Mapping

import jax

from rnnzoo.cells.base import Cell
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.noise import with_noise, without_noise
from rnnzoo.cells.recur import Heard, Recur, adding, hearing
from rnnzoo.spec import UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast
from rnnzoo.wrappers.base import Wrapper, needs_plain_projection, needs_structure

_NAME = "multiplicative.m"


@spec
class MultiplicativeRNN(Wrapper):
    """Where `cell` has U_g v, for every gate g with a recurrent matrix, it gets U_g m::

        m = (W_m x_t) * (U_m v)                           Parameters  those of `cell`, and
                                                                      multiplicative.w    (H, I)
                                                                      multiplicative.u.m  structure

    so that U_g becomes U_g diag(W_m x_t) U_m. v is h_tm1 in an `Elman`, which this makes the multiplicative RNN of
    Sutskever et al. with as many factors as units, and in an `LSTM`, the multiplicative LSTM of Krause et al. Where a
    cell multiplies U by something else, as r_t * h_tm1 in a `GRUResetBefore`, v is that. h_tm1 outside of products
    with U, as in the update of a GRU, stays what it is. No bias in m, as in both papers."""

    cell: Cell = Elman(hidden_size=1)
    """The cell whose recurrent matrices depend on the input."""
    structure: Structure = Dense()
    """The structure of U_m. Those of the other matrices are those of `cell`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_structure(self)
        needs_plain_projection(self)
        self.structure.check(self.hidden_size)
        if self.feature_axes != 1:
            raise UsageError(
                f"{type(self.cell).__name__} takes inputs of {self.feature_axes} axes; accepted in MultiplicativeRNN: "
                "a cell that takes vectors"
            )
        if _NAME in self.cell.structures:
            raise UsageError(
                "MultiplicativeRNN.cell is multiplicative already; accepted: one MultiplicativeRNN in a cell"
            )

    @property
    def structures(self) -> Mapping[str, Structure]:
        return {**self.cell.structures, _NAME: self.structure}

    def init(self, key: Key, input_size: int) -> Params:
        key, w_key, u_key = jax.random.split(key, 3)
        draw = self.kernel_init.kernel if self.kernel_init else jax.nn.initializers.glorot_uniform(0, 1)
        w, u = draw(w_key, (self.hidden_size, input_size)), self.structure.init(u_key, self.hidden_size)
        return {**self.cell.init(key, input_size), "multiplicative": {"w": w, "u": {"m": u}}}

    def prepare(self, params: Params) -> Params:
        inner = {name: value for name, value in params.items() if name != "multiplicative"}
        own = params["multiplicative"]
        own = {"w": own["w"], "u": {"m": self.structure.materialize(own["u"]["m"])}}
        return {**self.cell.prepare(inner), "multiplicative": cast(own, self.dtype)}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        newest = x_t[-1] if self.history else x_t
        features = newest[:-1] if self.uses_dt else newest
        return {"cell": self.cell.project(params, x_t), "factor": features @ params["multiplicative"]["w"].T}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        z_t, noise_t = without_noise(z_t)

        def factored(heard: Heard) -> dict[str, Array]:
            named = heard if isinstance(heard, dict) else dict.fromkeys(self.cell.structures, heard)
            return hearing(recur, lambda v: z_t["factor"] * recur({_NAME: v})[_NAME])(named)

        return self.cell.step(params, state, with_noise(z_t["cell"], noise_t), adding(factored, z_t["cell"]))

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return self.cell.readout(params, state, z_t["cell"])
