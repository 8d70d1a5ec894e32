"""Antisymmetric network, AntisymmetricRNN (Chang et al. 2019). arXiv:1902.09689"""

import jax.numpy as jnp

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Positive, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.skew import Skew
from rnnzoo.typing import Params, PyTree, State


@spec
class AntisymmetricRNN(Recurrent):
    """Antisymmetric network, AntisymmetricRNN::

        h_t = h_tm1 + epsilon * tanh(W_h x_t + b_h + U_h h_tm1)   Parameters  w.h (H, I)  b.h (H,)  u.h structure
                                                                  State       h (H,)      Output    h

    The paper's U_h is A - A^T - gamma I, which `Skew` is; the structure holds gamma. `SkewBlocks` is the same in
    another basis of units, at a cost of H. Any other structure gives a residual network without the stability that
    the paper is about; with `Diagonal` no unit hears another."""

    structure: Structures = Skew(gamma=0.01)
    epsilon: Positive = 0.01
    """The step in time."""

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        return {"h": state["h"] + self.epsilon * jnp.tanh(recur(state["h"])["h"])}
