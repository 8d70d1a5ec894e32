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
    """A feature of x_t that is NaN is missing. With m_t 1 where x_t was seen, else 0, last the value seen last (`means`
    before any), and age_t the time since then: dt, 1 unless ``run(..., dt=...)`` says otherwise, and at a feature that
    was missing at the step before its age_tm1 besides::

        x = m_t * x_t + (1 - m_t) * (fade_x * last + (1 - fade_x) * means)
        fade_x = exp(-max(0, decay.x * age_t + decay_b.x))
        fade_h = exp(-max(0, decay.h age_t + decay_b.h))      Parameters  w.r w.z w.n, v.r v.z v.n  (H, I)
        h = fade_h * h_tm1                                                b.r b.z b.n  (H,)
        r_t = sigmoid(W_r x + V_r m_t + b_r + U_r h)                      u.r u.z u.n  structure
        i_t = sigmoid(W_z x + V_z m_t + b_z + U_z h)                      decay.x decay_b.x  (I,)
        n_t = tanh(W_n x + V_n m_t + b_n + U_n (r_t * h))                 decay.h (H, I)  decay_b.h  (H,)
        h_t = (1 - i_t) * h + i_t * n_t                       State       h (H,), last age (I,)   Output  h

    i_t is the paper's z_t. As in the paper; its authors' code feeds 1 - m_t, lets missing values fade to 0, takes the
    h_tm1 that has not faded in the last line, and swaps i_t and 1 - i_t there. decay and decay_b start at 0, as in that
    code, so that nothing fades at first. The paper has an age of 0 at the first step: so it is here with dt 0 there."""

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
        age_t = state["age"] + z_t["dt"]
        means, fade_x = self._means(params), self._fade(params, "x", params["decay"]["x"] * age_t)
        last = jnp.where(m_t > 0, z_t["x"], state["last"])
        x = jnp.where(m_t > 0, z_t["x"], fade_x * last + (1 - fade_x) * means)
        h = self._fade(params, "h", params["decay"]["h"] @ age_t) * state["h"]
        w = {g: (x.astype(w.dtype) @ w.T).astype(dtype) for g, w in params["w"].items()}
        a = recur({"r": h, "z": h})
        r_t, i_t = sigmoid(a["r"] + w["r"]), sigmoid(a["z"] + w["z"])
        n_t = jnp.tanh(recur({"n": r_t * h})["n"] + w["n"])
        return {"h": (1 - i_t) * h + i_t * n_t, "last": last, "age": jnp.where(m_t > 0, 0, age_t)}

    def _fade(self, params: Params, name: str, rate: Array) -> Array:
        # Not relu, whose derivative is 0 where decays start: they would stay there.
        return jnp.exp(-jnp.maximum(rate + params["decay_b"][name] if self.bias else rate, 0))
