"""What tests of the Flax faces share: either face called with parameters of `cell.init`, and Flax's layout."""

from typing import Any

import jax.numpy as jnp
import pytest
from flax import linen as nn
from flax import nnx
from unroll_support import FEATURES
from zoo import HIDDEN

import rnnzoo.linen
import rnnzoo.nnx
from rnnzoo import cells, structures, unrolls
from rnnzoo.unrolls.base import Unroll

TIME, BATCH = 3, 2
LENGTHS = jnp.array([2, 0])
BANDED = cells.LSTM(hidden_size=HIDDEN, structure=structures.Banded(bandwidth=1))
ALL_FACES = pytest.mark.parametrize("face", ["linen", "nnx"])


def rows(xs):
    """(T, *B, I) as Flax has it, (*B, T, I); and back."""
    return jnp.moveaxis(xs, 0, -2)


def columns(ys):
    return jnp.moveaxis(ys, -2, 0)


def nnx_rnn(cell, params, kind: Any = rnnzoo.nnx.RNN, **options) -> Any:
    """An NNX module with these parameters."""
    module = kind(cell, FEATURES, rngs=nnx.Rngs(0), **options)
    rnnzoo.nnx.set_params(module, params)
    return module


def call(face, cell, params, xs, unroll: Unroll = unrolls.Scan(), **options) -> Any:  # noqa: B008
    """Carry and outputs of one of the faces' `RNN`, from parameters as `cell.init` makes them."""
    if face == "linen":
        return rnnzoo.linen.RNN(cell, unroll, return_carry=True).apply({"params": params}, xs, **options)
    return nnx_rnn(cell, params, unroll=unroll, return_carry=True)(xs, **options)


def flax_call(face, cell, params, xs, **options) -> Any:
    """The same of Flax's own RNN around our `RNNCell`."""
    if face == "linen":
        rnn = nn.RNN(rnnzoo.linen.RNNCell(cell), return_carry=True)
        return rnn.apply({"params": {"cell": params}}, xs, **options)
    return nnx.RNN(nnx_rnn(cell, params, rnnzoo.nnx.RNNCell), return_carry=True, rngs=False)(xs, **options)
