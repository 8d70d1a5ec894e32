"""Every cell, structure and unroll is lowered for GPUs and TPUs, gradients too, on a machine that has neither."""

import jax
import pytest
from jax import export
from unroll_support import arguments, loss
from zoo import CELLS, HIDDEN, OTHER_RUNS, UNROLLS, all_structures, cell_facts, parameters, representatives

from rnnzoo import cells, unrolls

PLATFORMS = ("cuda", "tpu")
QUICK = representatives(CELLS, cell_facts)
DENSE = [cells.Elman(hidden_size=HIDDEN, structure=structure) for structure in all_structures(HIDDEN)]
KINDS = (cells.LSTM(hidden_size=HIDDEN), cells.LRU(hidden_size=HIDDEN), cells.GLA(hidden_size=HIDDEN))


def lowered(cell, unroll) -> export.Exported:
    """The program of a loss and its gradient, for all platforms at once."""
    params, xs, state = jax.eval_shape(lambda: arguments(cell))

    def gradient(params, xs, state):
        return jax.value_and_grad(lambda params: loss(cell, unroll, params, xs, state, {})[0], allow_int=True)(params)

    return export.export(jax.jit(gradient), platforms=PLATFORMS)(params, xs, state)


@parameters("cell", CELLS, lambda cell: cell in QUICK)
def test_cells(cell):
    assert lowered(cell, unrolls.Scan()).platforms == PLATFORMS


@parameters("cell", DENSE, lambda cell: False)
def test_structures(cell):
    assert lowered(cell, unrolls.Scan()).platforms == PLATFORMS


@parameters(("cell", "unroll"), [(c, u) for c in KINDS for u in UNROLLS if u.refuses(c) is None])
def test_unrolls(cell, unroll):
    assert lowered(cell, unroll).platforms == PLATFORMS


@parameters(("cell", "unroll"), OTHER_RUNS, lambda *run: False)
def test_products(cell, unroll):
    assert lowered(cell, unroll).platforms == PLATFORMS


@pytest.mark.parametrize("unroll", [unroll for unroll in UNROLLS if unroll.refuses(KINDS[0]) is not None], ids=str)
def test_what_cannot_be_lowered_says_why(unroll):
    with pytest.raises(ValueError, match=r"LSTM (is|does|on)|of LSTM is|runs LSTM on"):
        lowered(KINDS[0], unroll)
