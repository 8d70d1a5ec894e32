"""LSTM with a recurrent projection, LSTMP (Sak et al. 2014; torch's `proj_size`). arXiv:1402.1128"""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Cell
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class ProjectedLSTM(Cell):
    """An `LSTM` that hears and returns P numbers made of its H units::

        i_t = sigmoid(W_i x_t + b_i + V_i h_tm1)          Parameters  w.i w.f w.g w.o  (H, I)
        f_t = sigmoid(W_f x_t + b_f + V_f h_tm1)                      b.i b.f b.g b.o  (H,)
        g_t = tanh(W_g x_t + b_g + V_g h_tm1)                         v.i v.f v.g v.o  (H, P)
        o_t = sigmoid(W_o x_t + b_o + V_o h_tm1)                      p                (P, H)
        c_t = f_t * c_tm1 + i_t * g_t                     State       c (H,), h (P,)
        h_t = P (o_t * tanh(c_t))                         Output      h (P,)

    So the U of every gate, V P, has rank P, and P is the same in all. Without the paper's peepholes and its second,
    non-recurrent projection, as in torch. b.f starts at 1."""

    gates = ("i", "f", "g", "o")
    carries = ("c", "h")
    elementwise = False

    projection: Size | None = None
    """Size P of the output (None: half of hidden_size, rounded up)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output_size > self.hidden_size:
            raise UsageError(
                f"ProjectedLSTM.projection is {self.projection}; accepted: 1 to hidden_size, which is "
                f"{self.hidden_size}"
            )

    @property
    def output_size(self) -> int:
        return -(-self.hidden_size // 2) if self.projection is None else self.projection

    def init(self, key: Key, input_size: int) -> Params:
        """As `Cell.init`, plus ``"v": {gate: (H, P)}`` and ``"p": (P, H)``, normal, of variance 1 / P and 1 / H."""
        key, *keys = jax.random.split(key, 2 + len(self.gates))
        params = super().init(key, input_size)
        if self.bias:
            params["b"]["f"] += 1
        draw = jax.nn.initializers.variance_scaling(1.0, "fan_in", "normal", in_axis=1, out_axis=0)
        heard = (self.hidden_size, self.output_size)
        params["v"] = {g: draw(k, heard) for g, k in zip(self.gates, keys, strict=False)}
        return params | {"p": draw(keys[-1], heard[::-1])}

    def initial_state(self, params: Params) -> State:
        return {**super().initial_state(params), "h": super().initial_state(params)["h"][: self.output_size]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        u = {g: self._times(v, state["h"]) for g, v in params["v"].items()}
        i_t = sigmoid(z_t["i"] + u["i"])
        f_t = sigmoid(z_t["f"] + u["f"])
        g_t = jnp.tanh(z_t["g"] + u["g"])
        o_t = sigmoid(z_t["o"] + u["o"])
        c_t = f_t * state["c"] + i_t * g_t
        return {"c": c_t, "h": self._times(params["p"], o_t * jnp.tanh(c_t))}

    def _times(self, matrix: Float[Array, "M N"], vector: Float[Array, " N"]) -> Float[Array, " M"]:
        """The product in the compute dtype, as the dtype of `vector`."""
        return (vector.astype(matrix.dtype) @ matrix.T).astype(vector.dtype)
