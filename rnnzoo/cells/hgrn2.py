"""Hierarchically gated recurrent network with state expansion, HGRN2 (Qin et al. 2024). arXiv:2404.07904"""

import math
from typing import Literal

import jax.numpy as jnp
from jax.nn import log_sigmoid, sigmoid, silu

from rnnzoo.cells.heads import HeadMemory
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import Fraction, UsageError, spec
from rnnzoo.typing import Array, Float, Params, PyTree


@spec
class HGRN2(HeadMemory):
    """N heads of K keys and V = H / N values, whose keys are what the decay leaves::

        o_t = sigmoid(W_o x_t + b_o)                          Parameters  w.o w.f  (N K, I)
        f_t = lower + (1 - lower) * sigmoid(W_f x_t + b_f)                w.i      (H, I)
        i_t = silu(W_i x_t + b_i)                                         b.o b.f  (N K,)
        S_t = f_t * S_tm1 + (1 - f_t) i_t^T                               b.i      (H,)
        y_t = S_t^T o_t                                       State       s  (N, K, V) = S
                                                              Output      y  (H,)

    In the paper `lower_bound` is learned, rises from layer to layer and is 0 in the first: here each cell is told its
    own. As in the first author's code. The authors' later layer has silu(W_o x_t) / sqrt(K) in place of o_t and
    W_i x_t in place of i_t: `query="silu"` and `value="identity"`, up to that factor, which its norm cancels. This
    norm and the output projection belong to the block around the cell."""

    gates = ("o", "f", "i")
    value_gates = ("i",)

    bias: bool = True
    lower_bound: Fraction = 0.0
    """Least f_t, less than 1."""
    query: Literal["sigmoid", "silu"] = "sigmoid"
    """What makes o_t of W_o x_t + b_o."""
    value: Literal["silu", "identity"] = "silu"
    """What makes i_t of W_i x_t + b_i."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lower_bound == 1:
            raise UsageError("HGRN2.lower_bound is 1.0; accepted: at least 0 and less than 1")

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        o_t, f_t, i_t = (self.per_head(z_t[gate]) for gate in self.gates)
        o_t = sigmoid(o_t) if self.query == "sigmoid" else silu(o_t)
        i_t = silu(i_t) if self.value == "silu" else i_t
        left = (1 - self.lower_bound) * sigmoid(-f_t)  # 1 - f_t, without its rounding
        return {"q": o_t, "k": left, "v": i_t, "g": self._log_decay(f_t)}

    def _log_decay(self, f_t: Float[Array, "N K"]) -> Float[Array, "N K"]:
        if self.lower_bound == 0:
            return log_sigmoid(f_t)
        return jnp.logaddexp(math.log(self.lower_bound), math.log1p(-self.lower_bound) + log_sigmoid(f_t))
