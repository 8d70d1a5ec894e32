"""Minimal GRU that turns planes, RotationMinGRU (Santiago 2026, after Feng et al. 2024, arXiv:2410.01201).

https://pypi.org/project/mingru-scans
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.nn import sigmoid

from rnnzoo.cells.base import Affine
from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.structures.block_diagonal import BlockDiagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree

_PER_PLANE = ("theta", "u")


@spec
class RotationMinGRU(Affine):
    """H / 2 planes; units 2 j and 2 j + 1 are the two coordinates of plane j::

        i_t = sigmoid(W_z x_t + b_z)                          Parameters  w.z w.n      (H, I)
        n_t = W_n x_t + b_n                                               w.theta w.u  (H / 2, I)
        theta_t = snap(W_theta x_t + b_theta)                             b.z b.n      (H,)
        u_t = tanh(W_u x_t + b_u)                                         b.theta b.u  (H / 2,)
        R_t = [[cos theta_t, -sin theta_t],                   State       h (H,)       Output  h
               [sin theta_t,  cos theta_t]]
        h_t = R_t diag(1, u_t) h_tm1 + i_t * n_t

    i_t is called z_t there. Turns and reflections of a plane do not commute, so that a unit can keep track of
    permutations of three things. snap rounds the angle of plane j to a multiple of 2 pi / k, half to even, where the
    planes take the k of `snap` in turn; its derivative is taken as 1. The package learns its first state: here it is
    zeros, as in all cells, unless `run` is given another. Without the package's decay by elapsed time, off by
    default."""

    gates = ("z", "n", "theta", "u")

    snap: tuple[Size, ...] | None = (2, 3, 4, 6)
    """Numbers of angles that planes can be turned by (None: any angle)."""

    transition = BlockDiagonal(block=2)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.transition.check(self.hidden_size)
        if self.snap == ():
            raise UsageError(f"RotationMinGRU.snap is {self.snap}; accepted: None, or at least one number of angles")

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        for part in params.values():
            part.update({g: part[g][: self.hidden_size // 2] for g in _PER_PLANE})
        return params

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        theta, u = self._snapped(z_t["theta"]), jnp.tanh(z_t["u"])
        cos, sin = jnp.cos(theta), jnp.sin(theta)
        rows = jnp.stack([cos, -sin * u], -1), jnp.stack([sin, cos * u], -1)
        return jnp.stack(rows, -2), sigmoid(z_t["z"]) * z_t["n"]

    def _snapped(self, theta: Float[Array, " N"]) -> Float[Array, " N"]:
        if self.snap is None:
            return theta
        step = jnp.asarray(np.resize(2 * np.pi / np.array(self.snap), theta.size), theta.dtype)
        return theta + lax.stop_gradient(jnp.round(theta / step) * step - theta)
