"""Mogrifier: input and state gate each other before the step (Melis et al. 2020). arXiv:1909.01792"""

from typing import Annotated

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.noise import with_noise, without_noise
from rnnzoo.cells.recur import Recur, adding
from rnnzoo.fields import Range
from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast
from rnnzoo.wrappers.base import (
    Wrapper,
    needs_readout_of_state,
    needs_single_inputs,
    needs_vectors,
    projected,
    times,
    vector_shapes,
)


@spec
class Mogrifier(Wrapper):
    """Before its step, `cell` gets x_t and h_tm1 in turn, for i = 1, 2, ... `rounds`, with N the size of h::

        x_t = 2 sigmoid(Q_i h_tm1 + d_i) * x_t      for odd i        Parameters  those of `cell`, and mogrifier.
        h_tm1 = 2 sigmoid(R_i x_t + d_i) * h_tm1    for even i                   q1.w q3.w ...  (I, N)
                                                                                 r2.w r4.w ...  (N, I)
                                                                                 q1.b (I,), r2.b (N,), ..., with `bias`

    As in the authors' code, which has the biases d_i; the paper leaves them out. With a `rank`, q1.left (I, rank) and
    q1.right (rank, N) take the place of q1.w = left right, and so on. Where `cell` uses h_tm1 outside of products with
    U, as a GRU does in its update, it uses the new one there, too.

    x_t depends on the state here, so that W x_t is computed in the loop, step by step, and not at all t at once. The
    authors' own LSTM has, besides, i_t at most 1 - f_t."""

    cell: Cell = LSTM(hidden_size=1)
    """The cell whose input and h are gated."""
    rounds: Annotated[int, Range(low=0, high=16)] = 5
    """How many gates; with 0 it is `cell` itself."""
    rank: Size | None = None
    """The rank of Q and R (None: full)."""

    elementwise = False

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_vectors(self)
        if "h" not in self.carries:
            has = ", ".join(self.carries)
            raise UsageError(f"the state of {type(self.cell).__name__} has {has}, and no h, which Mogrifier gates; "
                             "accepted: a cell with an h in its state")  # fmt: skip
        needs_single_inputs(self, self.cell)
        needs_readout_of_state(self, self.cell)

    def init(self, key: Key, input_size: int) -> Params:
        key, *keys = jax.random.split(key, 1 + self.rounds)
        params = self.cell.init(key, input_size)
        if "mogrifier" in params:
            raise UsageError("Mogrifier.cell is a mogrifier already; accepted: one Mogrifier in a cell")
        heard = dict(vector_shapes(self.cell))["h"][0]
        shapes = {name: (input_size, heard) if name[0] == "q" else (heard, input_size) for name in self._gates()}
        gates = {name: self._gate(k, *shape) for k, (name, shape) in zip(keys, shapes.items(), strict=True)}
        return {**params, "mogrifier": gates}

    def _gates(self) -> list[str]:
        """The names of the gates, in the order of the rounds."""
        return [f"{'rq'[i % 2]}{i}" for i in range(1, self.rounds + 1)]

    def _gate(self, key: Key, size: int, heard: int) -> Params:
        """The parameters of a gate of so many numbers, which hears so many."""
        if self.rank is None:
            draw = self.kernel_init.kernel if self.kernel_init else jax.nn.initializers.glorot_uniform(0, 1)
            gate = {"w": draw(key, (size, heard))}
        else:  # as the authors draw them, so that left right has the variance 1 / heard
            scale, keys = (heard * self.rank) ** -0.25, jax.random.split(key)
            shapes = {"left": (size, self.rank), "right": (self.rank, heard)}
            gate = {
                name: scale * jax.random.truncated_normal(k, -2, 2, shape)
                for k, (name, shape) in zip(keys, shapes.items(), strict=True)
            }
        return {**gate, "b": jnp.zeros(size)} if self.bias else gate

    def prepare(self, params: Params) -> Params:
        inner = {name: value for name, value in params.items() if name != "mogrifier"}
        return {**self.cell.prepare(inner), "mogrifier": cast(params["mogrifier"], self.dtype)}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """The input itself, in the dtype that the projection of `cell` has."""
        zs = jax.eval_shape(self.cell.project, params, x_t)
        return {"mogrifier": x_t.astype(jnp.result_type(*jax.tree.leaves(zs)))}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        z_t, noise_t = without_noise(z_t)
        x_t, h_tm1 = z_t["mogrifier"], state["h"]
        x_t, dt = (x_t[:-1], x_t[-1:]) if self.uses_dt else (x_t, x_t[:0])
        for name in self._gates():
            gate = params["mogrifier"][name]
            if name[0] == "q":
                x_t = _gated(gate, h_tm1) * x_t
            else:
                h_tm1 = _gated(gate, x_t) * h_tm1
        z_t = projected(self.cell, params, jnp.concatenate([x_t, dt]))
        return self.cell.step(params, {**state, "h": h_tm1}, with_noise(z_t, noise_t), adding(recur, z_t))

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        # `cell` gets a projection because it may take it apart; it does not use the numbers (`__post_init__`).
        return self.cell.readout(params, state, self.cell.project(params, z_t["mogrifier"]))


def _gated(gate: Params, heard: Float[Array, " N"]) -> Float[Array, " M"]:
    """2 sigmoid(Q heard + b)."""
    a = times(gate["w"], heard) if "w" in gate else times(gate["left"], times(gate["right"], heard))
    return 2 * jax.nn.sigmoid(a + gate["b"] if "b" in gate else a)
