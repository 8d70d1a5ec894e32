"""LSTM with a time gate that opens periodically, Phased LSTM (Neil et al. 2016). arXiv:1610.09513"""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Fraction, NonNegative, Positive, UsageError, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class PhasedLSTM(Recurrent):
    """With dt the time since the step before, 1 unless ``run(..., dt=...)`` says otherwise::

        t = t_tm1 + dt                                             Parameters  w.i w.f w.g w.o  (H, I)
        q = ((t + s) mod abs(tau)) / abs(tau)                                  b.i b.f b.g b.o  (H,)
        k_t = 2 q / abs(r)        for q up to abs(r) / 2                       u.i u.f u.g u.o  structure
            = 2 - 2 q / abs(r)    from there to abs(r)                         p.i p.f p.o      (H,)
            = leak * q            otherwise                                    tau s r          (H,)
        i_t = sigmoid(W_i x_t + b_i + U_i h_tm1 + p_i * c_tm1)     State       h, c, t (H,)
        f_t = sigmoid(W_f x_t + b_f + U_f h_tm1 + p_f * c_tm1)     Output      h
        v_t = f_t * c_tm1 + i_t * tanh(W_g x_t + b_g + U_g h_tm1)
        o_t = sigmoid(W_o x_t + b_o + U_o h_tm1 + p_o * v_t)
        c_t = k_t * v_t + (1 - k_t) * c_tm1
        h_t = k_t * o_t * tanh(v_t) + (1 - k_t) * h_tm1

    The cell keeps the time t since the start, the same number for every unit. As in the authors' code, which adds the
    shift s that the paper subtracts, and starts tau uniform in (10, 100), s in (0, 1000), r at 0.05, b.f at 2 and the
    peepholes p normal with a standard deviation of 0.1. In evaluation that code sets `leak` to 0. Times and periods
    are kept in float32 or wider whatever `dtype` is, but dt has the precision of the inputs."""

    gates = ("i", "f", "g", "o")
    carries = ("c", "h", "t")
    uses_dt = True

    structure: Structures = Dense()
    leak: NonNegative = 1e-3
    """How far the gate opens while it is closed, so that gradients pass; the paper's alpha."""
    shortest: Positive = 10.0
    """Shortest period tau at first."""
    longest: Positive = 100.0
    """Longest period tau at first."""
    ratio: Fraction = 0.05
    """The part r of its period for which the gate is open at first."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shortest > self.longest:
            raise UsageError(
                f"PhasedLSTM.shortest is {self.shortest}; accepted: a number up to longest, which is {self.longest}"
            )
        if not self.ratio:
            raise UsageError(f"PhasedLSTM.ratio is {self.ratio}; accepted: a number > 0 and <= 1")

    def init(self, key: Key, input_size: int) -> Params:
        key, p_key, tau_key, s_key = jax.random.split(key, 4)
        params, shape = super().init(key, input_size), (self.hidden_size,)
        if self.bias:
            params["b"]["f"] += 2
        keys = zip("ifo", jax.random.split(p_key, 3), strict=True)
        params["p"] = {g: 0.1 * jax.random.normal(k, shape) for g, k in keys}
        params["tau"] = jax.random.uniform(tau_key, shape, minval=self.shortest, maxval=self.longest)
        params["s"] = jax.random.uniform(s_key, shape, maxval=1000.0)
        return params | {"r": jnp.full(shape, self.ratio)}

    def prepare(self, params: Params) -> Params:
        times = {name: params[name] for name in ("tau", "s", "r")}
        return super().prepare(params) | {
            n: a.astype(jnp.promote_types(a.dtype, jnp.float32)) for n, a in times.items()
        }

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {**super().project(params, x_t[:-1]), "dt": x_t[-1]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a, p, c_tm1, h_tm1 = recur(state["h"]), params["p"], state["c"], state["h"]
        t = state["t"] + z_t["dt"].astype(state["t"].dtype)
        k_t = self._time_gate(params, t)
        i_t = sigmoid(a["i"] + p["i"] * c_tm1)
        f_t = sigmoid(a["f"] + p["f"] * c_tm1)
        v_t = f_t * c_tm1 + i_t * jnp.tanh(a["g"])
        o_t = sigmoid(a["o"] + p["o"] * v_t)
        return {"c": k_t * v_t + (1 - k_t) * c_tm1, "h": k_t * o_t * jnp.tanh(v_t) + (1 - k_t) * h_tm1, "t": t}

    def _time_gate(self, params: Params, t: Float[Array, " H"]) -> Float[Array, " H"]:
        """How far the gate is open at a time."""
        tau, r = jnp.abs(params["tau"]), jnp.abs(params["r"])
        q = jnp.mod(t + params["s"], tau) / tau
        return jnp.where(q <= r / 2, 2 * q / r, jnp.where(q <= r, 2 - 2 * q / r, self.leak * q))
