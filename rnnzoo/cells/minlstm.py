"""Minimal LSTM without a recurrent matrix, minLSTM (Feng et al. 2024). arXiv:2410.01201"""

from jax.nn import log_sigmoid, sigmoid

from rnnzoo.cells.base import Affine
from rnnzoo.cells.mingru import positive
from rnnzoo.spec import spec
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Params, PyTree


@spec
class MinLSTM(Affine):
    """Minimal LSTM without a recurrent matrix, minLSTM::

        f_t = sigmoid(W_f x_t + b_f)                          Parameters  w.f w.i w.n  (H, I)
        i_t = sigmoid(W_i x_t + b_i)                                      b.f b.i b.n  (H,)
        n_t = positive(W_n x_t + b_n)                         State       h (H,)       Output  h
        h_t = (f_t * h_tm1 + i_t * n_t) / (f_t + i_t)

    The paper's final form: its gates are normalised to add up to 1, which keeps the scale of h independent of the
    length, and its candidates are positive (`rnnzoo.cells.mingru.positive`). f_t / (f_t + i_t) is computed as
    sigmoid(log f_t - log i_t), which stays finite where both gates vanish. As for `MinGRU`, the state starts at h
    itself rather than at positive(h_0)."""

    gates = ("f", "i", "n")

    transition = Diagonal()

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        odds_t = log_sigmoid(z_t["f"]) - log_sigmoid(z_t["i"])
        return sigmoid(odds_t), sigmoid(-odds_t) * positive(z_t["n"])
