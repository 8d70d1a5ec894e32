"""Hierarchically gated recurrent network, HGRN (Qin et al. 2023). arXiv:2311.04823"""

import jax.numpy as jnp
from jax.nn import sigmoid, silu

from rnnzoo.cells.base import Affine, Cell
from rnnzoo.spec import Fraction, UsageError, spec
from rnnzoo.structures.complex_diagonal import ComplexDiagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast


@spec
class HGRN(Affine):
    """H / 2 complex units, kept as H real numbers: h = [real parts, imaginary parts]::

        f_t = lower_bound + (1 - lower_bound) * sigmoid(W_f x_t + b_f)
        n_t = silu(W_n x_t + b_n)                             Parameters  w.f        (H / 2, I)
        h_t = f_t * exp(1j * theta) * h_tm1                               w.n w.o    (H, I)
              + (1 - f_t) * n_t                                           b.f theta  (H / 2,)
        y_t = silu(W_o x_t + b_o) * h_t                                   b.n b.o    (H,)
                                                              State       h (H,)     Output  y

    The paper's lambda_t and c_t are f_t and n_t, whose rows are [real parts, imaginary parts], too. theta is learned,
    10000**(-4 j / H) for unit j at first. The paper norms y_t and maps it with a matrix: here that is for the layers
    around. Without `gated`, y_t = h_t. In the paper a lower bound for each unit is learned for all layers together, 0
    in the first one and larger in each later one: here it is a number, to be set for each layer."""

    gates = ("f", "n", "o")

    lower_bound: Fraction = 0.0
    """Least f_t; below 1."""
    gated: bool = True
    """Whether the output is gated."""

    transition = ComplexDiagonal()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.transition.check(self.hidden_size)
        check_lower_bound(self, self.lower_bound)

    def init(self, key: Key, input_size: int) -> Params:
        params, size = super().init(key, input_size), self.hidden_size // 2
        for part in params.values():
            part["f"] = part["f"][:size]
        return params | {"theta": 10000.0 ** (-2 * jnp.arange(size) / size)}

    def prepare(self, params: Params) -> Params:
        theta = params["theta"].astype(jnp.promote_types(params["theta"].dtype, jnp.float32))
        rest = {name: value for name, value in params.items() if name != "theta"}
        return {**cast(rest, self.dtype), "turn": {"re": jnp.cos(theta), "im": jnp.sin(theta)}}

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        room = 1 - self.lower_bound
        f_t, rest = self.lower_bound + room * sigmoid(z_t["f"]), room * sigmoid(-z_t["f"])
        turn = params["turn"]
        return {"re": f_t * turn["re"], "im": f_t * turn["im"]}, jnp.tile(rest, 2) * silu(z_t["n"])

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return silu(z_t["o"]) * state["h"] if self.gated else state["h"]


def check_lower_bound(cell: Cell, value: float) -> None:
    """Raise `UsageError` if nothing could ever enter."""
    if value == 1:
        raise UsageError(f"{type(cell).__name__}.lower_bound is {value}; accepted: a number from 0 to less than 1")
