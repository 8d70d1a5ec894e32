"""Lipschitz network, LipschitzRNN (Erichson et al. 2021). arXiv:2006.12070"""

from typing import Literal

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Positive, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.symmetric_skew import SymmetricSkew
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class LipschitzRNN(Recurrent):
    """One step in time of h' = f(h), with f(h) = U_a h + tanh(W_h x_t + b_h + U_h h)::

        "euler"     h_t = h_tm1 + epsilon * f(h_tm1)              Parameters  w.h (H, I)  b.h (H,)
        "midpoint"  h_t = h_tm1 + epsilon * f(m_t)                            u.a u.h structure
                    m_t = h_tm1 + epsilon / 2 * f(h_tm1)          State       h (H,)      Output  h

    The paper's A and W are U_a and U_h, each a `SymmetricSkew`, (1 - beta) (P + P^T) + beta (P - P^T) - gamma I: the
    structure holds beta and gamma, one each for both matrices unless ``structure={"a": ..., "h": ...}``. x_t stays for
    the whole step. As in the authors' code, whose choice for sequential MNIST the defaults are, all parameters of U_a
    and U_h start normal with standard deviation init_std / H."""

    recurrent_gates = ("a", "h")

    structure: Structures = SymmetricSkew()
    epsilon: Positive = 0.03
    """The step in time."""
    solver: Literal["euler", "midpoint"] = "euler"
    """The method: Euler's, or the second-order Runge-Kutta method with two products for each matrix."""
    init_std: Positive = 0.1
    """H times the standard deviation of the parameters of U at first; not used with a recurrent_init."""

    def init(self, key: Key, input_size: int) -> Params:
        key, own = jax.random.split(key)
        params = super().init(key, input_size)
        if self.recurrent_init is None:
            leaves, tree = jax.tree.flatten(params["u"])
            keys = jax.random.split(own, len(leaves) or 1)
            scale = self.init_std / self.hidden_size
            drawn = [scale * jax.random.normal(k, a.shape, a.dtype) for k, a in zip(keys, leaves, strict=False)]
            params["u"] = tree.unflatten(drawn)
        return params

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        def slope(h: Float[Array, " H"]) -> Float[Array, " H"]:
            a = recur(h)
            return a["a"] + jnp.tanh(a["h"])

        h_tm1 = state["h"]
        k_t = slope(h_tm1)
        if self.solver == "midpoint":
            k_t = slope(h_tm1 + self.epsilon / 2 * k_t)
        return {"h": h_tm1 + self.epsilon * k_t}
