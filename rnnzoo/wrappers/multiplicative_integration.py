"""Multiplicative integration of input and state (Wu et al. 2016). arXiv:1606.06630"""

from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.noise import with_noise, without_noise
from rnnzoo.cells.recur import Heard, Recur, adding
from rnnzoo.spec import UsageError, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State
from rnnzoo.wrappers.base import Wrapper, needs_plain_projection, needs_structure, projected_shapes


@spec
class MultiplicativeIntegration(Wrapper):
    """Where `cell` has W_g x_t + b_g + U_g v, for every gate g with a recurrent matrix::

        alpha_g * (W_g x_t) * (U_g v) + beta_u_g * (U_g v) + beta_w_g * (W_g x_t) + b_g

        Parameters  those of `cell`, and  mi.alpha.g  mi.beta_u.g  mi.beta_w.g  (H,)

    the paper's general form, whose alpha starts at 1 and whose betas at 0.5. v is whatever the cell multiplies by U_g:
    h_tm1 mostly. Where the cell keeps U_g v apart from W_g x_t, as the GRU does in n_t, the parts with U_g v stand in
    for U_g v and the others for W_g x_t + b_g."""

    cell: Cell = Elman(hidden_size=1)
    """The cell whose sums become products."""
    alpha: float = 1.0
    """What alpha starts at."""
    beta: float = 0.5
    """What beta_u and beta_w start at."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_structure(self)
        needs_plain_projection(self)

    def init(self, key: Key, input_size: Any) -> Params:
        params = self.cell.init(key, input_size)
        zs = projected_shapes(self.cell, input_size)
        if not isinstance(zs, dict) or not {self._leaf(g) for g in self.structures} <= zs.keys():
            raise UsageError(
                f"{type(self.cell).__name__} does not add U v to W x of one gate, which {type(self).__name__} needs; "
                "accepted: a cell with an input product for every recurrent matrix, other wrappers outside"
            )
        starts = {"alpha": self.alpha, "beta_u": self.beta, "beta_w": self.beta}
        mi = {name: {g: jnp.full(self.hidden_size, at) for g in self.structures} for name, at in starts.items()}
        return {**params, "mi": mi}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        mi, full = params["mi"], self.cell.project(params, x_t)
        if self.bias:
            alone = self.cell.project({**params, "b": jax.tree.map(jnp.zeros_like, params["b"])}, x_t)
        else:
            alone = full
        leaves = {g: self._leaf(g) for g in self.structures}
        scales = {g: mi["alpha"][g] * alone[z] + mi["beta_u"][g] for g, z in leaves.items()}
        sums = {z: mi["beta_w"][g] * alone[z] + (full[z] - alone[z]) for g, z in leaves.items()}
        return {"cell": {**full, **sums}, "scale": scales}

    def _leaf(self, gate: str) -> str:
        """Where the cell's z_t has W x + b of a gate."""
        return self.cell.input_leaves.get(gate, gate)

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        z_t, noise_t = without_noise(z_t)

        def scaled(heard: Heard) -> dict[str, Array]:
            return {g: z_t["scale"][g] * product for g, product in recur(heard).items()}

        return self.cell.step(params, state, with_noise(z_t["cell"], noise_t), adding(scaled, z_t["cell"]))

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return self.cell.readout(params, state, z_t["cell"])
