"""State space with one number in each column of its transitions, PD-SSM (Terzic et al. 2025). arXiv:2509.22284"""

import math

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Affine
from rnnzoo.spec import Size, spec
from rnnzoo.structures.complex_one_per_column import ComplexOnePerColumn
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast


@spec
class PDSSM(Affine):
    """N = H / 2 complex units, kept as H real numbers: h = [real parts, imaginary parts]::

        M_t = sum_k softmax(selector x_t)[k] dictionary[k]            Parameters  dictionary (K, N, N)  selector (K, I)
        P_t[i, j] = 1 if i = argmax(M_t[:, j]) else 0                             magnitude.w phase.w  (N, I)
        D_t = sigmoid(magnitude.w x_t + magnitude.b)                              magnitude.b phase.b  (N,)
              * exp(2 pi j sigmoid(phase.w x_t + phase.b))                        w.h = [Re B, Im B]   (H, I)
        h_t = P_t (D_t * h_tm1) + B x_t                                           c   = [Re C, -Im C]  (O, H)
        y_t = Re(C h_t) + d x_t                                                   d   (O, I)
                                                          State       h (H,)      Output  y (O,)

    As in the authors' JAX code, whose gradient takes softmax(M_t[:, j]) for the choice of a row in column j. That code
    has a diagonal d for O = I; here it is a full matrix, so that O and I may differ, drawn so that d x_t has the same
    variance. With ``bias=True``, B x_t + b.h in place of B x_t. The transition is computed in float32 or wider whatever
    `dtype` is; even so, inputs in low precision may choose another row where two are close."""

    bias: bool = False
    features: Size | None = None
    """Number of outputs O (None: hidden_size)."""
    choices: Size = 6
    """Number of matrices K in the dictionary."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.transition.check(self.hidden_size)

    transition = ComplexOnePerColumn()

    @property
    def output_size(self) -> int:
        return self.hidden_size if self.features is None else self.features

    def init(self, key: Key, input_size: int) -> Params:
        key, w_key, *keys = jax.random.split(key, 10)
        params, n = super().init(key, input_size), self.hidden_size // 2

        def normal(k: Key, shape: tuple[int, ...], variance: float) -> Array:
            return jax.random.normal(k, shape) * math.sqrt(variance)

        if self.kernel_init is None:
            params["w"]["h"] = normal(w_key, (2 * n, input_size), 1 / (2 * input_size))
        return params | {
            "dictionary": normal(keys[0], (self.choices, n, n), 1 / n),
            "selector": normal(keys[1], (self.choices, input_size), 1.0),
            "magnitude": {"w": normal(keys[2], (n, input_size), 1 / input_size), "b": normal(keys[3], (n,), 1 / n)},
            "phase": {"w": normal(keys[4], (n, input_size), 1 / input_size), "b": normal(keys[5], (n,), 1 / n)},
            "c": normal(keys[6], (self.output_size, 2 * n), 1 / n),
            "d": normal(keys[7], (self.output_size, input_size), 1 / input_size),
        }

    def prepare(self, params: Params) -> Params:
        wide = {name: params[name] for name in ("dictionary", "selector", "magnitude", "phase")}
        wide = jax.tree.map(lambda a: a.astype(jnp.promote_types(a.dtype, jnp.float32)), wide)
        return {**cast({name: value for name, value in params.items() if name not in wide}, self.dtype), **wide}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        wide = x_t.astype(params["selector"].dtype)
        weights = jax.nn.softmax(params["selector"] @ wide)
        magnitude, phase = (sigmoid(params[name]["w"] @ wide + params[name]["b"]) for name in ("magnitude", "phase"))
        transition = {
            "score": jnp.tensordot(weights, params["dictionary"], 1),
            "re": magnitude * jnp.cos(2 * math.pi * phase),
            "im": magnitude * jnp.sin(2 * math.pi * phase),
        }
        return {**super().project(params, x_t), "y": x_t @ params["d"].T, "a": self.transition.materialize(transition)}

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        return z_t["a"], z_t["h"]

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return state["h"].astype(params["c"].dtype) @ params["c"].T + z_t["y"]
