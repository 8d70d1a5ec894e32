"""Legendre memory unit, LMU (Voelker et al. 2019). https://papers.nips.cc/paper/9689"""

import functools
import math
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Positive, Size, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class LMU(Recurrent):
    """A memory m of the last theta steps of one number u_t, as D Legendre coefficients::

        u_t = e_x . x_t + e_h . h_tm1 + e_m . m_tm1       Parameters  w.h (H, I)  u.h structure  w_m (H, D)
        m_t = A m_tm1 + B u_t                                         e.x (I,)  e.h (H,)  e.m (D,)
        h_t = tanh(W_h x_t + U_h h_tm1 + W_m m_t)         State       h (H,), m (D,)         Output  h

    A (D, D) and B (D,) are fixed: those of the paper's delay system, theta dm/dt = A' m + B' u, for steps of length 1::

        A'[i, j] = (2 i + 1) * (-1 if i < j else (-1)**(i - j + 1)),     B'[i] = (2 i + 1) * (-1)**i

    They are computed in float64 whatever the precision of the cell is. Encoders and kernels start as in the authors'
    code for the paper, e.m at 0, but for U, which starts as its structure does. With ``bias=True``, the paper's
    equations plus b.h."""

    carries = ("h", "m")
    elementwise = False

    bias: bool = False
    structure: Structures = Dense()
    order: Size = 8
    """Number of Legendre coefficients D."""
    theta: Positive = 100.0
    """Length of the window that the memory holds, in steps."""
    discretization: Literal["zoh", "euler"] = "zoh"
    """How A and B follow from the delay system: by a zero-order hold, or by Euler's method, which is stable only where
    theta is large beside the order."""

    def init(self, key: Key, input_size: int) -> Params:
        key, *keys = jax.random.split(key, 5)
        params = super().init(key, input_size)
        if self.kernel_init is None:
            params["w"] = {"h": jax.nn.initializers.glorot_normal(0, 1)(keys[0], (self.hidden_size, input_size))}
        encoders = {
            "x": _lecun_uniform(keys[1], input_size),
            "h": _lecun_uniform(keys[2], self.hidden_size),
            "m": jnp.zeros(self.order),
        }
        w_m = jax.nn.initializers.glorot_normal(0, 1)(keys[3], (self.hidden_size, self.order))
        return params | {"e": encoders, "w_m": w_m}

    def prepare(self, params: Params) -> Params:
        dtype = jnp.result_type(*jax.tree.leaves(params), jnp.float32)
        a, b = delay_system(self.order, self.theta, self.discretization)
        return {**super().prepare(params), "memory": {"a": jnp.asarray(a, dtype), "b": jnp.asarray(b, dtype)}}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {**super().project(params, x_t), "u": x_t @ params["e"]["x"]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        h, m, system = state["h"], state["m"], params["memory"]
        u_t = z_t["u"] + _times(params["e"]["h"], h) + _times(params["e"]["m"], m)
        m_t = jnp.matmul(system["a"], m, precision="highest") + system["b"] * u_t
        return {"h": jnp.tanh(recur(h)["h"] + _times(params["w_m"], m_t)), "m": m_t}

    def initial_state(self, params: Params) -> State:
        h = super().initial_state(params)["h"]
        return {"h": h, "m": jnp.zeros(self.order, h.dtype)}


def _times(matrix: Float[Array, "... N"], vector: Float[Array, " N"]) -> Float[Array, "..."]:
    """The product in the compute dtype, as the dtype of `vector`."""
    return (matrix @ vector.astype(matrix.dtype)).astype(vector.dtype)


def _lecun_uniform(key: Key, size: int) -> Float[Array, " N"]:
    bound = math.sqrt(3 / size)
    return jax.random.uniform(key, (size,), minval=-bound, maxval=bound)


@functools.lru_cache(maxsize=64)
def delay_system(order: int, theta: float, discretization: str) -> tuple[np.ndarray, np.ndarray]:
    """A (D, D) and B (D,) for steps of length 1, in float64."""
    i, j = np.arange(order)[:, None], np.arange(order)
    a = (2 * i + 1) * np.where(i < j, -1.0, (-1.0) ** (i - j + 1)) / theta
    b = ((2 * i + 1) * (-1.0) ** i)[:, 0] / theta
    if discretization == "euler":
        return np.eye(order) + a, b
    # exp([[A, B], [0, 0]]) = [[exp(A), the integral of exp(s A) B over s from 0 to 1], [0, 1]]
    held = _exponential(np.block([[a, b[:, None]], [np.zeros((1, order + 1))]]))
    return held[:order, :order], held[:order, order]


def _exponential(a: np.ndarray) -> np.ndarray:
    """exp(A), by a Taylor series of A / 2**n and n squarings."""
    halvings = max(0, math.ceil(math.log2(max(np.linalg.norm(a, 1), 1e-300))) + 2)
    small = a / 2**halvings
    term = total = np.eye(len(a))
    for k in range(1, 19):
        term = term @ small / k
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total
