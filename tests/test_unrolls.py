"""All ways to compute the states agree: shapes for every (cell, structure, unroll), numbers for every pair.

The reference is `Loop`, operation by operation: compiling takes nearly all of the time of such small cases. What
it is compared with is compiled with little optimisation (`quick`), or not at all (`eager`).

Values and gradients are compared for every cell; other kinds of derivatives, and what only `run` and the unroll can
break, for every unroll with the cells of `zoo.VARIED`. The rest of the products is marked slow.
"""

import dataclasses
import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, random_like
from unroll_support import BATCH, FEATURES, LENGTHS, RESETS, arguments, eager, loss, quick, stack, values_and_gradients
from zoo import (
    OTHER_RUNS,
    PAIRS,
    UNROLLS,
    each_unroll,
    is_numeric,
    is_quick,
    is_traced,
    is_varied,
    parameters,
    varied_cell,
    varied_other,
)  # fmt: skip

import rnnzoo
from rnnzoo import cells, run, structures, unrolls
from rnnzoo.cells.base import Affine, Recurrent
from rnnzoo.cells.recur import matrices
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.typing import Control
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.recurrence import one
from rnnzoo.unrolls.uses import uses_of

# ---- every triple, abstractly ----------------------------------------------------------------------------


@parameters("cell", PAIRS, is_traced)  # the other pairs, about 2,500, take an hour: slow
def test_shapes_and_refusals_of_every_unroll(cell):
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), FEATURES))
    xs = jax.ShapeDtypeStruct((3, BATCH, FEATURES), jnp.float32)
    initial = jax.eval_shape(cell.initial_state, params)
    for unroll in UNROLLS:
        reason = unroll.refuses(cell)
        call = functools.partial(jax.eval_shape, functools.partial(run, cell, unroll=unroll), params, xs)
        if reason is not None:
            with pytest.raises(rnnzoo.UsageError) as caught:
                call()
            assert str(caught.value) == reason and type(cell).__name__ in reason
            continue
        ys, last = call()
        assert (ys.shape, ys.dtype) == ((3, BATCH, cell.output_size), jnp.float32)
        expected = jax.tree.map(lambda a: ((BATCH, *a.shape), a.dtype), initial)
        assert jax.tree.map(lambda a: (a.shape, a.dtype), last) == expected


@parameters("cell", PAIRS, is_numeric)
def test_who_is_refused(cell):
    assert unrolls.Loop().refuses(cell) is None
    assert unrolls.Scan().refuses(cell) is None
    for parallel in (unrolls.Associative(), unrolls.ChunkedAssociative()):
        assert (parallel.refuses(cell) is None) == isinstance(cell.recurrence, Affine)
        for outer in (unrolls.Chunked(inner=parallel), unrolls.Truncated(inner=parallel)):
            assert outer.refuses(cell) == parallel.refuses(cell)


# ---- every (cell, structure), and every (cell, unroll), in numbers ---------------------------------------


@parameters("cell", PAIRS, is_traced)
def test_scan_is_the_loop(x64, cell):
    args = arguments(cell)
    scan = quick(functools.partial(values_and_gradients, cell, unrolls.Scan()))
    assert_close(scan(args), values_and_gradients(cell, unrolls.Loop(), args))


@spec
class _Wrong(Unroll):
    """Right values; the gradient with respect to the initial state is 0.1 % too large."""

    def __call__(self, cell, params, state, zs, controls):
        state = jax.tree.map(lambda a: a + 0.001 * (a - jax.lax.stop_gradient(a)), state)
        return unrolls.Scan()(cell, params, state, zs, controls)


@varied_cell
def test_a_slightly_wrong_gradient_is_caught(x64, cell):
    args = arguments(cell)
    wrong = quick(functools.partial(values_and_gradients, cell, _Wrong()))(args)
    loop = values_and_gradients(cell, unrolls.Loop(), args)
    assert_close(wrong[0], loop[0])
    with pytest.raises(AssertionError, match="Mismatched elements"):
        assert_close(wrong[1], loop[1])


@each_unroll
def test_jitted_with_lengths_resets_and_reverse(x64, cell, unroll):
    args, options = arguments(cell), {"lengths": LENGTHS, "resets": RESETS, "reverse": True}
    jitted = quick(functools.partial(values_and_gradients, cell, unroll, **options))
    assert_close(jitted(args), values_and_gradients(cell, unrolls.Loop(), args, **options))


# ---- derivatives of other kinds --------------------------------------------------------------------------


@varied_other
@eager
def test_forward_mode_and_second_order(x64, cell, unroll):
    args = arguments(cell, 2, ())
    change = random_like(jax.random.key(7), args)

    def scalar(unroll, args):
        return loss(cell, unroll, *args, options={})[0]

    def slope(args):
        gradient = jax.grad(functools.partial(scalar, unroll))(args)
        return sum(jax.tree.leaves(jax.tree.map(jnp.vdot, gradient, change)))

    def derivatives(unroll):
        forward = jax.jvp(lambda args: loss(cell, unroll, *args, options={})[1], (args,), (change,))
        return forward, jax.jvp(jax.grad(functools.partial(scalar, unroll)), (args,), (change,))[1]

    got, expected = derivatives(unroll), derivatives(unrolls.Loop())
    assert_close(got, expected)
    assert_close(jax.grad(slope)(args), expected[1])


@varied_other
def test_seeds_by_vmap_over_params(x64, cell, unroll):
    params = [arguments(cell, seed=seed)[0] for seed in range(2)]
    _, xs, state = arguments(cell)

    def gradients(unroll, params):
        return values_and_gradients(cell, unroll, (params, xs, state))

    together = quick(jax.vmap(functools.partial(gradients, unroll)))(stack(params))
    assert_close(together, stack([gradients(unrolls.Loop(), p) for p in params]))


# ---- precision ---------------------------------------------------------------------------------------------

LOW = {"bfloat16": 0.05, "float16": 0.01}  # compute dtype -> how far results may be from those of float32


def low_precision(cell, dtype):
    return dataclasses.replace(cell, dtype=dtype)


@parameters(("cell", "unroll"), OTHER_RUNS, lambda cell, unroll: is_varied(cell) and is_quick(cell, unroll))
@eager
def test_low_precision_values(cell, unroll):
    """Outputs in the compute dtype, the state in float32 all the way; both near float32's."""
    args = arguments(cell)
    ys, last = run(cell, *args, unroll=unroll)
    assert {leaf.dtype for leaf in jax.tree.leaves((ys, last))} == {np.dtype("float32")}
    for dtype, tolerance in LOW.items():
        low_ys, low_last = run(low_precision(cell, dtype), *args, unroll=unroll)
        assert low_ys.dtype == dtype
        assert {leaf.dtype for leaf in jax.tree.leaves(low_last)} == {np.dtype("float32")}
        assert_close((low_ys.astype(jnp.float32), low_last), (ys, last), tolerance)


@varied_other
def test_low_precision_gradients(cell, unroll):
    """In the dtypes of the arguments, near float32's."""
    args = arguments(cell)
    low = quick(functools.partial(values_and_gradients, low_precision(cell, "bfloat16"), unroll))(args)[1]
    high = values_and_gradients(cell, unrolls.Loop(), args)[1]
    assert {leaf.dtype for leaf in jax.tree.leaves(low)} == {np.dtype("float32")}
    assert_close(low, high, 2 * LOW["bfloat16"])


# ---- what Scan finds out about a step ------------------------------------------------------------------------


@spec
class _Own(Recurrent):
    """Parameters of its own: `c` is added to one product, `d` to two, `a` to one and to something else, and `e` is in
    the vector that every U is applied to."""

    gates = ("p", "q", "r", "s", "t")
    structure: Structures = structures.Dense()

    def init(self, key, input_size):
        own = {name: jnp.full(self.hidden_size, 0.3) for name in "acde"}
        return super().init(key, input_size) | own

    def project(self, params, x_t):
        z_t = super().project(params, x_t)
        return {"t": z_t.pop("t")} | {f"x_{gate}": z for gate, z in z_t.items()}

    def step(self, params, state, z_t, recur):
        a = recur(params["e"] * state["h"])
        p_t = jnp.tanh(z_t["x_p"] * (a["p"] + params["c"]))
        q_t = jnp.tanh(z_t["x_q"] * (a["q"] + params["d"]) + params["d"] * a["r"] + z_t["x_r"])
        s_t = z_t["x_s"] * (a["s"] + params["a"]) + params["a"] * state["h"]
        return {"h": jnp.tanh(p_t + q_t + s_t + a["t"])}


@pytest.mark.parametrize("structure", [structures.Dense(), structures.Diagonal()], ids=str)
def test_parameters_of_a_cells_own(x64, structure):
    cell = _Own(hidden_size=24, structure=structure)  # large enough for dense products to be stored
    args, options = arguments(cell), {"lengths": LENGTHS, "resets": RESETS}
    scan = quick(functools.partial(values_and_gradients, cell, unrolls.Scan(), **options))
    assert_close(scan(args), values_and_gradients(cell, unrolls.Loop(), args, **options))
    us, rest = matrices(args[0], cell.gates)
    zs = jax.vmap(cell.project, (None, 0))(args[0], args[1][:, 0])
    seen = uses_of(cell, one, us, rest, None, cell.initial_state(args[0]), zs, Control())
    assert seen.read == ("a", "c", "d", "e") and seen.summands == ("t",) and seen.together == (cell.gates,)


@pytest.mark.parametrize("cell", [cells.GRU(hidden_size=6), cells.LSTM(hidden_size=6)], ids=lambda c: type(c).__name__)
def test_a_gradient_takes_no_product_of_all_steps_but_the_projections(cell):
    """Products U h of all steps at once would be those of the loop, taken again."""
    params, xs, _ = arguments(cell, 32)
    gradient = quick(jax.grad(lambda params: run(cell, params, xs)[0].sum()))
    text = gradient.lower(params).compile().as_text() or ""
    assert len(re.findall(rf"f32\[({32 * BATCH},6|6,{32 * BATCH})\]\S* dot\(", text)) == len(cell.gates)
