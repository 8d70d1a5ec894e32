import jax
import pytest
from support import assert_close, inputs

from rnnzoo import cells, run, structures, unrolls


@pytest.mark.parametrize("structure", [structures.Dense(), structures.Diagonal()], ids=str)
def test_scan_has_the_derivatives_of_the_loop(x64, structure):
    cell = cells.LSTM(hidden_size=5, structure=structure)
    params = cell.init(jax.random.key(0), 4)

    def loss(params, xs, unroll):
        ys, last = run(cell, params, xs, unroll=unroll)
        return (ys**2).sum() + sum((leaf**3).sum() for leaf in last.values())

    scan, loop = ((jax.value_and_grad(loss, (0, 1)))(params, inputs(), u) for u in (unrolls.Scan(), unrolls.Loop()))
    assert_close(scan, loop)
