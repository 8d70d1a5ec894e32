"""GRU for irregular series with missing values, GRU-D (Che et al. 2018). arXiv:1606.01865"""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import UsageError, brief, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class GRUD(Recurrent):
    """A feature of x_t that is NaN is missing: m_t is 0 there, else 1. With dt the time since the step before, 1 unless
    ``run(..., dt=...)`` says otherwise::

        d_t = age_tm1 + dt                                    Parameters  w.r w.z w.n, v.r v.z v.n  (H, I)
        age_t = (1 - m_t) * d_t                                           b.r b.z b.n  (H,)
        last_t = m_t * x_t + (1 - m_t) * last_tm1                         u.r u.z u.n  structure
        fade_x = exp(-max(0, decay.x * d_t + decay_b.x))                  decay.x decay_b.x  (I,)
        fade_h = exp(-max(0, decay.h d_t + decay_b.h))                    decay.h (H, I)  decay_b.h (H,)
        x = m_t * x_t + (1 - m_t) * (fade_x * last_t + (1 - fade_x) * means)
        h = fade_h * h_tm1                                    State       h (H,), zeros at first
        r_t = sigmoid(W_r x + V_r m_t + b_r + U_r h)                      age (I,), zeros at first
        i_t = sigmoid(W_z x + V_z m_t + b_z + U_z h)                      last (I,), `means` at first
        n_t = tanh(W_n x + V_n m_t + b_n + U_n (r_t * h))     Output      h
        h_t = (1 - i_t) * h + i_t * n_t

    As in the paper, whose d_1 is 0, which it is here with dt 0 at the first step; i_t is its z_t, and 1 - i_t of
    `GRUResetBefore`. The authors' code is another cell: it feeds 1 - m_t, lets missing features fade to 0, and has
    h_tm1 for h and 1 - i_t for i_t in the last line. decay and decay_b start at 0, as in that code: nothing fades."""

    gates = ("r", "z", "n")
    elementwise = False
    uses_dt = True

    structure: Structures = Dense()
    means: tuple[float, ...] = ()
    """What a missing feature fades to, its mean in the training data: one number for each feature (empty: zeros)."""

    def init(self, key: Key, input_size: int) -> Params:
        if len(self.means) not in (0, input_size):
            raise UsageError(
                f"GRUD.means is {brief(self.means)} for inputs of {input_size} features; accepted: as many numbers, or "
                "none"
            )
        key, v_key = jax.random.split(key)
        params = {**super().init(key, input_size), "v": super().init(v_key, input_size)["w"]}
        params["decay"] = {"x": jnp.zeros(input_size), "h": jnp.zeros((self.hidden_size, input_size))}
        if self.bias:
            params["decay_b"] = {"x": jnp.zeros(input_size), "h": jnp.zeros(self.hidden_size)}
        return params

    def prepare(self, params: Params) -> Params:
        fades = {name: params[name] for name in ("decay", "decay_b") if name in params}
        wide = jax.tree.map(lambda a: a.astype(jnp.promote_types(a.dtype, jnp.float32)), fades)
        return super().prepare(params) | wide

    def initial_state(self, params: Params) -> State:
        state = super().initial_state(params)
        means, dtype = self._means(params), state["h"].dtype
        return {**state, "last": means.astype(dtype), "age": jnp.zeros(means.shape, dtype)}

    def _means(self, params: Params) -> Float[Array, " I"]:
        """In the dtype of ages and decays."""
        decay = params["decay"]["x"]
        return jnp.array(self.means, decay.dtype) if self.means else jnp.zeros_like(decay)

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        x_t, dt = x_t[:-1], x_t[-1]
        seen = ~jnp.isnan(x_t)
        m_t = seen.astype(x_t.dtype)
        z_t = {g: m_t @ v.T for g, v in params["v"].items()}
        z_t = jax.tree.map(jnp.add, z_t, params["b"]) if self.bias else z_t
        return {**z_t, "x": jnp.where(seen, x_t, 0), "seen": m_t, "dt": dt}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        m_t, dtype = z_t["seen"], state["h"].dtype
        d_t = state["age"] + z_t["dt"]
        means, fade_x = self._means(params), self._fade(params, "x", params["decay"]["x"] * d_t)
        last = jnp.where(m_t > 0, z_t["x"], state["last"])
        x = jnp.where(m_t > 0, z_t["x"], fade_x * last + (1 - fade_x) * means)
        h = self._fade(params, "h", params["decay"]["h"] @ d_t) * state["h"]
        w = {g: (x.astype(w.dtype) @ w.T).astype(dtype) for g, w in params["w"].items()}
        a = recur({"r": h, "z": h})
        r_t, i_t = sigmoid(a["r"] + w["r"]), sigmoid(a["z"] + w["z"])
        n_t = jnp.tanh(recur({"n": r_t * h})["n"] + w["n"])
        return {"h": (1 - i_t) * h + i_t * n_t, "last": last, "age": jnp.where(m_t > 0, 0, d_t)}

    def _fade(self, params: Params, name: str, rate: Array) -> Array:
        # Not relu, whose derivative is 0 where decays start: they would stay there.
        return jnp.exp(-jnp.maximum(rate + params["decay_b"][name] if self.bias else rate, 0))
