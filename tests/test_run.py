import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs

import rnnzoo
from rnnzoo import cells, run, structures, unrolls, wrappers


@pytest.mark.parametrize("structure", [structures.Dense(), structures.Diagonal()], ids=str)
def test_scan_has_the_derivatives_of_the_loop(x64, structure):
    cell = cells.LSTM(hidden_size=5, structure=structure)
    params = cell.init(jax.random.key(0), 4)

    def loss(params, xs, unroll):
        ys, last = run(cell, params, xs, unroll=unroll)
        return (ys**2).sum() + sum((leaf**3).sum() for leaf in last.values())

    scan, loop = ((jax.value_and_grad(loss, (0, 1)))(params, inputs(), u) for u in (unrolls.Scan(), unrolls.Loop()))
    assert_close(scan, loop)


def test_numpy_arrays_are_taken():
    cell = cells.LSTM(hidden_size=5)
    params = cell.init(jax.random.key(0), 4)
    xs, lengths, resets = inputs(), jnp.array([7, 3, 0]), inputs()[..., 0] > 1
    ours, _ = run(cell, params, np.asarray(xs), lengths=np.asarray(lengths), resets=np.asarray(resets))
    assert_close(ours, run(cell, params, xs, lengths=lengths, resets=resets)[0], 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"xs": jnp.ones(4)}, r"xs has shape \(4,\); accepted: \(T, I\) or \(T, batch..., I\)"),
        ({"xs": jnp.ones((7, 3, 4), jnp.int32)}, "xs is int32; accepted: floating point"),
        ({"xs": jnp.ones((7, 3, 0))}, "xs has no features"),
        ({"xs": jnp.ones((7, 3, 5))}, r"\['w'\]\['f'\] of LSTM.* has shape \(5, 4\); with xs of 5 features"),
        ({"params": {}}, "lack"),
        ({"lengths": jnp.array([7, 3])}, r"lengths is int32 of \(2,\); accepted: integers of \(3,\)"),
        ({"lengths": jnp.array([8, 3, 0])}, "lengths has values from 0 to 8; accepted: 0 to 7"),
        ({"lengths": jnp.array([-1, 3, 0])}, "lengths has values from -1 to 3"),
        ({"resets": jnp.ones((7, 2), bool)}, r"resets is bool of \(7, 2\); accepted: True and False of \(7, 3\)"),
        ({"state": {"h": jnp.zeros(5)}}, "accepted: a dict of c, h"),
        ({"state": {"h": jnp.zeros((2, 5)), "c": jnp.zeros(5)}}, r"state\['h'\] of LSTM has shape \(2, 5\)"),
        ({"state": {"h": jnp.zeros(5), "c": jnp.zeros(5, complex)}}, r"state\['c'\] of LSTM is complex"),
        ({"lengths": [7, 3]}, r"lengths is int.* of \(2,\); accepted: integers of \(3,\)"),
        ({"unroll": unrolls.Scan}, "unroll is <class .*Scan.>; accepted: a specification"),
        ({"cell": cells.LSTM}, "cell is <class .*LSTM'>; accepted: a specification"),
        ({"cell": wrappers.Zoneout(cell=cells.LSTM(hidden_size=5)), "key": 0}, "key is 0; accepted: one key"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_is_accepted(change, message):
    from rnnzoo.run import run as unchecked

    cell = cells.LSTM(hidden_size=5)
    given = {"cell": cell, "params": cell.init(jax.random.key(0), 4), "xs": inputs()} | change
    plain = getattr(unchecked, "__wrapped__", unchecked)  # without the annotations' own check
    with pytest.raises(rnnzoo.UsageError, match=message):
        plain(**given)
