"""Hierarchically gated recurrent network in real numbers, HGRN (Qin et al. 2023). arXiv:2311.04823"""

from jax.nn import sigmoid, silu

from rnnzoo.cells.base import Affine
from rnnzoo.cells.hgrn import check_lower_bound
from rnnzoo.spec import Fraction, spec
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Params, PyTree, State


@spec
class RealHGRN(Affine):
    """Hierarchically gated recurrent network in real numbers, HGRN::

        f_t = lower_bound + (1 - lower_bound) * sigmoid(W_f x_t + b_f)
        n_t = silu(W_n x_t + b_n)                             Parameters  w.f w.n w.o  (H, I)
        h_t = f_t * h_tm1 + (1 - f_t) * n_t                               b.f b.n b.o  (H,)
        y_t = silu(W_o x_t + b_o) * h_t                       State       h (H,)       Output  y

    `HGRN` without its rotation: the real form in the authors' code (hgru-pytorch), and that of flash-linear-attention,
    which has no biases. Both norm h_t before the gate and map y_t after it: the layers around may do so. Without
    `gated`, y_t = h_t. `lower_bound` is as for `HGRN`."""

    gates = ("f", "n", "o")

    lower_bound: Fraction = 0.0
    """Least f_t; below 1."""
    gated: bool = True
    """Whether the output is gated."""

    transition = Diagonal()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_lower_bound(self, self.lower_bound)

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        room = 1 - self.lower_bound
        return self.lower_bound + room * sigmoid(z_t["f"]), room * sigmoid(-z_t["f"]) * silu(z_t["n"])

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return silu(z_t["o"]) * state["h"] if self.gated else state["h"]
