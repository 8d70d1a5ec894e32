"""Orthogonal network with modReLU: expRNN, scoRNN and their kin (Arjovsky et al. 2016; Helfrich et al. 2018;
Lezcano-Casado & Martinez-Rubio 2019).

arXiv:1511.06464, arXiv:1707.09520, arXiv:1901.08428
"""

import math

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.expm import Expm
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class ModReLURNN(Recurrent):
    """Orthogonal network with modReLU: expRNN, scoRNN and their kin::

        a_t = W_h x_t + U_h h_tm1                                 Parameters  w.h (H, I)  b.h (H,)  u.h structure
        h_t = sign(a_t) * relu(abs(a_t) + b_h)                    State       h (H,)      Output    h

    U_h is orthogonal by its structure, and the papers differ in that::

        expRNN                      Expm()             U = exp(A), A skew-symmetric, drawn as in its code
        scoRNN                      Cayley()           U = (I + A)^-1 (I - A), without the paper's fixed signs D
        EUNN, in real numbers       Givens(layers=L)   L layers of rotations of pairs
        uRNN: reflections alone     Householder()      without its Fourier transforms and phases, which are complex

    The modReLU is that of real numbers, as expRNN and scoRNN have it; with ``bias=False`` it is the identity, and the
    norm of the state is kept exactly. b starts uniform in (-0.01, 0.01) and W normal with variance 2 / I, as in
    expRNN's code; scoRNN's has b = 0 and W uniform in (-0.01, 0.01), which is ``kernel_init=Uniform(limit=0.01)``."""

    structure: Structures = Expm()

    def init(self, key: Key, input_size: int) -> Params:
        key, w_key, b_key = jax.random.split(key, 3)
        params = super().init(key, input_size)
        if self.kernel_init is None:
            params["w"]["h"] = jax.random.normal(w_key, (self.hidden_size, input_size)) * math.sqrt(2 / input_size)
        if self.bias:
            params["b"]["h"] = jax.random.uniform(b_key, (self.hidden_size,), minval=-0.01, maxval=0.01)
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """W_h x_t. The bias belongs to modReLU."""
        return {"h": x_t @ params["w"]["h"].T}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a_t = recur(state["h"])["h"]
        return {"h": modrelu(a_t, params["b"]["h"]) if self.bias else a_t}


def modrelu(a: Float[Array, " H"], b: Float[Array, " H"]) -> Float[Array, " H"]:
    """A relu of the modulus, with a threshold -b, that keeps the sign. Its derivative is 0 where a is."""
    return jnp.sign(a) * jax.nn.relu(jnp.abs(a) + b.astype(a.dtype))
