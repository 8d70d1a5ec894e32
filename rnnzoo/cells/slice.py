"""Structured linear controlled differential equation, SLiCE (Walker et al. 2025). arXiv:2505.17761"""

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Affine
from rnnzoo.spec import Positive, Size, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.block_diagonal import BlockDiagonal
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast


@spec
class SLiCE(Affine):
    """The inputs choose the transition, and add nothing to the state::

        A_t = W x_t + b                                   Parameters  w.a (H block, I)   b.a (H block,)
        h_t = h_tm1 + rate * A_t h_tm1                                start.w (H, I)     start.b (H,)
                                                          State       h (H,)             Output  h

    where A_t has H / block blocks of `block` units on its diagonal, each given row by row. b is the paper's channel of
    time, which is 1 at all steps; ``bias=False`` leaves it out. All as in the authors' code, but for its bound of 1e11
    on a change of the state. There h_0 is an affine map of x_0, is the first output, and x_0 has no other use: that is
    ``run(cell, params, xs[1:], cell.start(params, xs[0]))``. Without a state given to `run`, the state before the first
    step is learned: start.b, which is `start` for x_0 = 0. The paper's dense, sparse, low-rank and Walsh-Hadamard
    transitions are not here."""

    gates = ("a",)

    block: Size = 1
    """Number of units in a block, which divides hidden_size (1: A_t is diagonal)."""
    rate: Positive = 1 / 40
    """What inputs and time are multiplied by."""
    init_std: Positive = 1.0
    """Standard deviation of `start` at first, and of w.a and b.a times the square root of `block`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.transition.check(self.hidden_size)

    @property
    def transition(self) -> Algebra:
        return Diagonal() if self.block == 1 else BlockDiagonal(block=self.block)

    def init(self, key: Key, input_size: int) -> Params:
        keys = jax.random.split(key, 4)
        normal = jax.nn.initializers.normal(self.init_std)
        small = jax.nn.initializers.normal(self.init_std / self.block**0.5)
        draw, entries = self.kernel_init.kernel if self.kernel_init else small, self.hidden_size * self.block
        params: Params = {"w": {"a": draw(keys[0], (entries, input_size))}}
        if self.bias:
            params["b"] = {"a": small(keys[1], (entries,))}
        start = {"w": normal(keys[2], (self.hidden_size, input_size)), "b": normal(keys[3], (self.hidden_size,))}
        return params | {"start": start}

    def prepare(self, params: Params) -> Params:
        return {**cast(params, self.dtype), "start": params["start"]}

    def start(self, params: Params, x_0: Float[Array, "*B I"]) -> State:
        """The state to begin with, from the first input of a sequence or of each of a batch."""
        return {"h": x_0 @ params["start"]["w"].T + params["start"]["b"]}

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        change = self.rate * z_t["a"]
        if self.block > 1:
            change = change.reshape(-1, self.block, self.block)
        a_t = change + (1 if self.block == 1 else jnp.eye(self.block, dtype=change.dtype))
        return a_t, jnp.zeros(self.hidden_size, change.dtype)

    def initial_state(self, params: Params) -> State:
        """The learned state: `start` for inputs of 0."""
        b = params["start"]["b"]
        return {"h": b.astype(jnp.result_type(*jax.tree.leaves(params), jnp.float32))}
