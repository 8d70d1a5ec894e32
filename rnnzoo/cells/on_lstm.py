"""LSTM with ordered neurons, ON-LSTM (Shen et al. 2019). arXiv:1810.09536"""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid, softmax

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class ONLSTM(Recurrent):
    """N = H / chunk chunks of units, whose memory gets longer from chunk to chunk::

        i_t = sigmoid(W_i x_t + b_i + U_i h_tm1)          Parameters  w.i w.f w.g w.o            (H, I)
        f_t = sigmoid(W_f x_t + b_f + U_f h_tm1)                      b.i b.f b.g b.o            (H,)
        g_t = tanh(W_g x_t + b_g + U_g h_tm1)                         u.i u.f u.g u.o            structure
        o_t = sigmoid(W_o x_t + b_o + U_o h_tm1)                      master.w.i master.w.f      (N, I)
        k_t = cumsum(softmax(M_f x_t + m_f + V_f h_tm1))              master.b.i master.b.f      (N,), with `bias`
        j_t = 1 - cumsum(softmax(M_i x_t + m_i + V_i h_tm1))          master.v.i master.v.f      (N, H)
        w_t = k_t * j_t                                   State       h, c (H,)
        c_t = (f_t * w_t + k_t - w_t) * c_tm1             Output      h
            + (i_t * w_t + j_t - w_t) * g_t
        h_t = o_t * tanh(c_t)

    k_t and j_t, the paper's master gates, have one number for each chunk, which all its units share; M, m and V are w,
    b and v of `master`. V is dense whatever the structure of U. The authors' code drops entries of U and V in training,
    as the wrapper `DropConnect` does for U."""

    gates = ("i", "f", "g", "o")
    carries = ("c", "h")
    elementwise = False  # the softmax, and V

    structure: Structures = Dense()
    chunk: Size = 1
    """Number of units in a chunk; divides hidden_size."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden_size % self.chunk:
            raise UsageError(
                f"ONLSTM.chunk is {self.chunk}; accepted: a divisor of hidden_size, which is {self.hidden_size}"
            )

    def init(self, key: Key, input_size: int) -> Params:
        """As `Recurrent.init`, plus ``"master": {"w", "b", "v"}``, V normal, of variance 1 / H."""
        key, *keys = jax.random.split(key, 5)
        params, chunks = super().init(key, input_size), self.hidden_size // self.chunk
        draw = self.kernel_init.kernel if self.kernel_init else jax.nn.initializers.glorot_uniform(0, 1)
        draw_v = jax.nn.initializers.variance_scaling(1.0, "fan_in", "normal", in_axis=1, out_axis=0)
        master = {
            "w": {g: draw(k, (chunks, input_size)) for g, k in zip("if", keys[:2], strict=True)},
            "v": {g: draw_v(k, (chunks, self.hidden_size)) for g, k in zip("if", keys[2:], strict=True)},
        }
        if self.bias:
            master["b"] = {g: jnp.zeros(chunks) for g in "if"}
        return params | {"master": master}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        master = {g: x_t @ w.T for g, w in params["master"]["w"].items()}
        if self.bias:
            master = jax.tree.map(jnp.add, master, params["master"]["b"])
        return {**super().project(params, x_t), "master": master}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a, h_tm1 = recur(state["h"]), state["h"]
        i_t, f_t, o_t = (sigmoid(a[gate]) for gate in "ifo")
        heard = {g: (h_tm1.astype(v.dtype) @ v.T).astype(h_tm1.dtype) for g, v in params["master"]["v"].items()}
        rising = {g: jnp.cumsum(softmax(z + heard[g])) for g, z in z_t["master"].items()}
        k_t, j_t = (jnp.repeat(gate, self.chunk) for gate in (rising["f"], 1 - rising["i"]))
        w_t = k_t * j_t
        c_t = (f_t * w_t + k_t - w_t) * state["c"] + (i_t * w_t + j_t - w_t) * jnp.tanh(a["g"])
        return {"c": c_t, "h": o_t * jnp.tanh(c_t)}
