"""Gated recurrent unit of DreamerV3, the core of its world model (Hafner et al. 2023). arXiv:2301.04104"""

from typing import Annotated

import jax
import jax.numpy as jnp
from jax import lax
from jax.nn import sigmoid, silu

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Range, Size, derived, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State

EPSILON = 1e-4  # of the norm, in the authors' code


@spec
class DreamerGRU(Recurrent):
    """With norm_s(a) = s * a / sqrt(mean(a**2) + 1e-4), over all entries of a::

        e_t = silu(norm_s.e(W_e x_t + b_e))                       Parameters  w.e (E, I)  v (E, H)  p q (H, E)
        d_t = silu(norm_s.d(V h_tm1 + b_d))                                   b.e b.d  (E,)   s.e s.d  (E,)
        l_t = silu(norm_s.l1(U_l1 h_tm1 + P d_t + Q e_t + b_l1))              b.l1 ... b.r b.n b.z  (H,)
        r_t = sigmoid(U_r l_t + b_r)                                          s.l1 ...              (H,)
        n_t = tanh(r_t * (U_n l_t + b_n))                                     u.l1 ... u.r u.n u.z  structure
        i_t = sigmoid(U_z l_t + b_z - 1)                          State       h (H,)   Output  h
        h_t = (1 - i_t) * h_tm1 + i_t * n_t

    With layers = 2, silu(norm_s.l2(U_l2 l_t + b_l2)) takes the place of l_t, and so on. The authors' code has
    ``structure=BlockDiagonal(block=H // 8)``, and units meet all the same: in the norms, and in V. There x_t has two
    parts, a sample and an action, each with a W_e and Q of its own; the action is scaled to at most 1 first. i_t is its
    update gate. W, V, P and Q start truncated normal with variance 1 / fan-in, P and Q counting U_l1's inputs too."""

    gates = derived(lambda self: ("e", "d", *self._hidden, "r", "n", "z"))
    recurrent_gates = derived(lambda self: (*self._hidden, "r", "n", "z"))
    elementwise = False

    structure: Structures = Dense()
    units: Size | None = None
    """Size E of what is made of the input and of the whole state (None: hidden_size)."""
    layers: Annotated[int, Range(low=1, high=64)] = 1
    """Number of layers before the gates."""

    @property
    def _hidden(self) -> tuple[str, ...]:
        return tuple(f"l{layer}" for layer in range(1, self.layers + 1))

    def init(self, key: Key, input_size: int) -> Params:
        key, w_key, v_key, p_key = jax.random.split(key, 4)
        params = super().init(key, input_size)
        size, units = self.hidden_size, self.units or self.hidden_size
        draw = jax.nn.initializers.variance_scaling(1.0, "fan_in", "truncated_normal", in_axis=1, out_axis=0)
        drawn = self.kernel_init.kernel if self.kernel_init else draw
        params["w"] = {"e": drawn(w_key, (units, input_size))}
        heard = draw(p_key, (size, size + 2 * units))
        widths = {"e": units, "d": units} | dict.fromkeys(self._hidden, size)
        if self.bias:
            params["b"] |= {gate: jnp.zeros(units) for gate in ("e", "d")}
        return params | {
            "v": draw(v_key, (units, size)),
            "p": heard[:, :units],
            "q": heard[:, units : 2 * units],
            "s": {gate: jnp.ones(width) for gate, width in widths.items()},
        }

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """Q e_t + b_l1, and the biases of all that is not computed from x_t."""
        e_t = x_t @ params["w"]["e"].T
        e_t = e_t + params["b"]["e"] if self.bias else e_t
        x = silu(_norm(e_t, params["s"]["e"])).astype(e_t.dtype) @ params["q"].T
        rest = {gate: b for gate, b in params["b"].items() if gate != "e"} if self.bias else {}
        return {**rest, "l1": x + rest["l1"] if self.bias else x}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        h_tm1, s = state["h"], params["s"]
        d_t = _times(params["v"], h_tm1)
        d_t = silu(_norm(d_t + z_t["d"] if self.bias else d_t, s["d"]))
        l_t = silu(_norm(recur({"l1": h_tm1})["l1"] + _times(params["p"], d_t), s["l1"]))
        for layer in self._hidden[1:]:
            l_t = silu(_norm(recur({layer: l_t})[layer], s[layer]))
        a = recur({"r": l_t, "n": l_t, "z": l_t})
        r_t, i_t = sigmoid(a["r"]), sigmoid(a["z"] - 1)
        n_t = jnp.tanh(r_t * a["n"])
        return {"h": (1 - i_t) * h_tm1 + i_t * n_t}


def _norm(a: Float[Array, " N"], scale: Float[Array, " N"]) -> Float[Array, " N"]:
    """a over the root of its mean square, in float32 or wider."""
    a = a.astype(jnp.promote_types(a.dtype, jnp.float32))
    return scale.astype(a.dtype) * a * lax.rsqrt(jnp.mean(a**2) + EPSILON)


def _times(matrix: Float[Array, "M N"], vector: Float[Array, " N"]) -> Float[Array, " M"]:
    """The product in the compute dtype, as the dtype of `vector`."""
    return (vector.astype(matrix.dtype) @ matrix.T).astype(vector.dtype)
