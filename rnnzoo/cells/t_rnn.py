"""Strongly typed recurrent network, T-RNN (Balduzzi & Ghifary 2016). arXiv:1602.02218"""

from jax.nn import sigmoid

from rnnzoo.cells.base import Affine
from rnnzoo.spec import spec
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree


@spec
class TRNN(Affine):
    """Strongly typed recurrent network, T-RNN::

        n_t = W_n x_t                                         Parameters  w.n w.f  (H, I)
        f_t = sigmoid(W_f x_t + b_f)                                      b.f      (H,)
        h_t = f_t * h_tm1 + (1 - f_t) * n_t                   State       h (H,)   Output  h

    n_t is the paper's z_t, a name that z_t has taken here; its W_f is called V. h_t is an average of the inputs so far,
    and so of their type: n_t has no bias and no nonlinearity, and the network gets those from the layers around it."""

    gates = ("n", "f")

    transition = Diagonal()

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            del params["b"]["n"]
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        return {**z_t, "f": z_t["f"] + params["b"]["f"]} if self.bias else z_t

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        return sigmoid(z_t["f"]), sigmoid(-z_t["f"]) * z_t["n"]
