"""What Flax's own tests ask of its recurrent layers and cells (tests/linen/linen_recurrent_test.py, linen_test.py,
linen_transforms_test.py, summary_test.py; tests/nnx/nn/recurrent_test.py, linear_test.py), asked of the faces.

Each case runs on our `RNN` and on Flax's own around our `RNNCell`. Where an answer differs from Flax's, `docs/faces.md`
says so, and the test asserts what is said there."""

import functools
import math
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax import nnx
from support import assert_close, inputs
from unroll_support import eager
from zoo import is_carry_varied, parameters

import rnnzoo.flax_conventions
import rnnzoo.linen
import rnnzoo.nnx
from rnnzoo import cells, convert, structures, unrolls, wrappers
from rnnzoo.cells.base import Recurrent
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures

B, T, F, H = 2, 4, 3, 5  # batch, time, features, hidden units
XS = inputs(B, (T,), F)  # (B, T, F)
LENGTHS = [3, 1]
CELLS = {
    "LSTM": cells.LSTM(hidden_size=H, structure=structures.Dense()),
    "GRU": cells.GRU(hidden_size=H, structure=structures.Dense()),
    "Elman": cells.Elman(hidden_size=H),
}
FLAX_CELLS: dict[str, Any] = {
    "LSTM": (nn.LSTMCell, nnx.LSTMCell),
    "GRU": (nn.GRUCell, nnx.GRUCell),
    "Elman": (nn.SimpleCell, nnx.SimpleCell),
}
each_face = pytest.mark.parametrize("face", ["linen", "nnx"])
each_rnn = pytest.mark.parametrize("kind", ["ours", "flax"])  # our RNN, or Flax's RNN around our RNNCell
each_cell = parameters("cell", list(CELLS.values()), is_carry_varied)


@pytest.fixture
def unchecked(monkeypatch):
    """`rnnzoo.run` without the check of annotations that tests add: its own messages are to be seen, and inputs of
    several feature axes."""
    places = (("rnnzoo.flax_conventions", "run"), ("rnnzoo.run", "run_prepared"), ("rnnzoo.unrolls.base", "layer"))
    for module, name in places:
        found = getattr(sys.modules[module], name)
        monkeypatch.setattr(sys.modules[module], name, getattr(found, "__wrapped__", found))
    return rnnzoo.flax_conventions.run


def params_of(cell, size: Any = F):
    return cell.init(jax.random.key(0), size)


def with_params(module, params):
    rnnzoo.nnx.set_params(module, params)
    return module


def make_rnn(face, kind, cell, params, *, size: Any = F, **fields: Any) -> Any:
    """A function of inputs and of the options of a call."""
    if face == "linen" and kind == "ours":
        return functools.partial(rnnzoo.linen.RNN(cell, carry="flax", **fields).apply, {"params": params})
    if face == "linen":
        rnn = nn.RNN(rnnzoo.linen.RNNCell(cell, carry="flax"), **fields)
        return functools.partial(rnn.apply, {"params": {"cell": params}})
    make: Any = rnnzoo.nnx.RNN if kind == "ours" else rnnzoo.nnx.RNNCell
    own = fields if kind == "ours" else {}
    module = with_params(make(cell, size, rngs=nnx.Rngs(0), carry="flax", **own), params)
    return module if kind == "ours" else nnx.RNN(module, rngs=False, **fields)


def make_cell(face, cell, params) -> Any:
    """One step, and the first carry from the shape of its input."""
    if face == "linen":
        module: Any = rnnzoo.linen.RNNCell(cell, carry="flax")
        first = functools.partial(module.initialize_carry, jax.random.key(0))
        return functools.partial(module.apply, {"params": params}), first
    module = with_params(rnnzoo.nnx.RNNCell(cell, F, rngs=nnx.Rngs(0), carry="flax"), params)
    return module, lambda shape: module.initialize_carry(shape, nnx.Rngs(0))


def loop(face, cell, params, xs):
    """Carries (a list of T) and outputs (*B, T, O) of steps in a Python loop."""
    step, first = make_cell(face, cell, params)
    carry, carries, ys = first((*xs.shape[:-2], F)), [], []
    for t in range(xs.shape[-2]):
        carry, y = step(carry, xs[..., t, :])
        carries.append(carry)
        ys.append(y)
    return carries, jnp.stack(ys, -2)


def last_of(carries, lengths):
    """The carry of each sequence after its last step."""
    rows = [jax.tree.map(lambda a, b=b: a[b], carries[length - 1]) for b, length in enumerate(lengths)]
    return jax.tree.map(lambda *a: jnp.stack(a), *rows)


# ---- shapes and dtypes -----------------------------------------------------------------------------------


@each_cell
@each_rnn
@each_face
@pytest.mark.parametrize("batch", [(), (1,), (2, 3)])
def test_any_batch_axes_and_both_layouts_abstractly(face, kind, cell, batch):
    """A batch of another size needs no other module."""

    def outputs(params, xs, time_major):
        return make_rnn(face, kind, cell, params, return_carry=True)(xs, time_major=time_major)

    for time_major, shape in ((False, (*batch, T)), (True, (T, *batch))):
        call = functools.partial(outputs, time_major=time_major)
        carry, ys = jax.eval_shape(call, params_of(cell), jnp.ones((*shape, F)))
        assert ys.shape == (*shape, H)
        assert isinstance(carry, tuple) == (cell is CELLS["LSTM"])
        assert all(leaf.shape == (*batch, H) for leaf in jax.tree.leaves(carry))


@each_cell
def test_parameters_are_named_as_by_the_cell_abstractly(cell):
    like = jax.tree.map(jnp.shape, params_of(cell))
    cell_module = rnnzoo.linen.RNNCell(cell, carry="flax")
    carry = cell_module.initialize_carry(jax.random.key(0), (B, F))
    found = jax.eval_shape(cell_module.init, jax.random.key(0), carry, XS[:, 0])["params"]
    assert jax.tree.map(jnp.shape, found) == like
    flax: Any = nn.RNN(cell_module, variable_axes={}, variable_broadcast="params", split_rngs={"params": False})
    found = jax.eval_shape(flax.init, jax.random.key(0), XS)["params"]["cell"]
    assert jax.tree.map(jnp.shape, found) == like


@each_cell
@each_face
def test_a_step(face, cell):
    """The output is h of the new carry; the first carry is zeros, whatever the key."""
    step, first = make_cell(face, cell, params_of(cell))
    carry = first((B, F))
    assert not any(leaf.any() for leaf in jax.tree.leaves(carry))
    carry, y = step(carry, XS[:, 0])
    assert_close(jax.tree.leaves(carry)[-1], y, 0)
    again, _ = step(carry, XS[:, 1])
    assert jax.tree.map(jnp.shape, again) == jax.tree.map(jnp.shape, carry)


@each_cell
def test_the_first_carry_may_be_drawn(cell):
    module = rnnzoo.nnx.RNNCell(cell, F, rngs=nnx.Rngs(0), carry="flax")
    carry = module.initialize_carry((1, F), nnx.Rngs(0), carry_init=nnx.initializers.ones)
    assert all(leaf.shape == (1, H) and (leaf == 1).all() for leaf in jax.tree.leaves(carry))
    assert len(jax.tree.leaves(carry)) == len(cell.carries)


@each_cell
@each_rnn
@each_face
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_abstractly(face, kind, cell, dtype):
    """Documented: the carry is in float32, parameters in any precision."""
    half = type(cell)(hidden_size=H, dtype=dtype)
    full = params_of(half)
    for params in (full, jax.tree.map(lambda a: a.astype(dtype), full)):
        outputs = lambda params, xs: make_rnn(face, kind, half, params, return_carry=True)(xs)  # noqa: E731
        for xs in (XS.astype(dtype), XS.astype(int)):
            carry, ys = jax.eval_shape(outputs, params, xs)
            assert ys.dtype == dtype
            assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(carry))


@each_cell
@each_rnn
@each_face
@eager
def test_integers_and_booleans_are_numbers(face, kind, cell):
    rnn = make_rnn(face, kind, cell, params_of(cell))
    numbers = jnp.arange(B * T * F).reshape(B, T, F) % 7
    assert_close(rnn(numbers), rnn(numbers.astype(jnp.float32)), 0)
    assert_close(rnn(numbers > 2), rnn((numbers > 2).astype(jnp.float32)), 0)


@each_cell
@each_face
def test_complex_inputs_are_refused(face, cell):
    """Documented: Flax takes them."""
    with pytest.raises(rnnzoo.UsageError, match="inputs is complex64; accepted: floating point"):
        make_rnn(face, "ours", cell, params_of(cell))(XS.astype(jnp.complex64))


@spec
class FlaxNeedsPicture(Recurrent):
    """An Elman network that reads and returns arrays of two axes."""

    feature_axes = 2
    structure: Structures = structures.Dense()

    def init(self, key, input_size: Any):
        return super().init(key, math.prod(input_size))

    def project(self, params, x_t):
        return super().project(params, x_t.reshape(-1))

    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(recur(state["h"])["h"])}

    def readout(self, params, state, z_t):
        return state["h"].reshape(2, -1)


@each_rnn
@each_face
@eager
def test_inputs_of_several_feature_axes(unchecked, face, kind):
    cell, size = FlaxNeedsPicture(hidden_size=6), (2, 3)
    params, xs = params_of(cell, size), inputs(B, (T, 2), 3)
    expected, last = unchecked(cell, params, xs.swapaxes(0, 1), lengths=LENGTHS)
    rnn = make_rnn(face, kind, cell, params, size=size, return_carry=True)
    carry, ys = rnn(xs, seq_lengths=jnp.array(LENGTHS))
    assert ys.shape == (B, T, 2, 3) and carry.shape == (B, 6)
    assert_close((carry, ys[:, 0]), (last["h"], expected[0]), 1e-6)
    _, ys = rnn(xs.swapaxes(0, 1), time_major=True, reverse=True, keep_order=True)
    assert_close(ys, unchecked(cell, params, xs.swapaxes(0, 1), reverse=True)[0], 1e-6)
    if kind == "ours":
        states = rnn(xs, states=True, mask=np.ones((B, T), bool), resets=np.zeros((B, T), bool))[-1]
        assert states.shape == (B, T, 6)


# ---- numbers ---------------------------------------------------------------------------------------------


@each_cell
@each_face
def test_numbers_are_those_of_flax_cells(face, cell):
    """In its own RNN, with its own weights: the same outputs and the same carry, to the container."""
    name = type(cell).__name__
    linen, nnx_cell = FLAX_CELLS[name]
    if face == "linen":
        theirs: Any = nn.RNN(linen(H), return_carry=True)
        (carry, ys), variables = theirs.init_with_output(jax.random.key(0), XS, seq_lengths=jnp.array(LENGTHS))
    else:
        layer = nnx_cell(F, H, rngs=nnx.Rngs(0))
        variables = nnx.state(layer, nnx.Param)
        rnn: Any = nnx.RNN(layer, return_carry=True)
        carry, ys = rnn(XS, seq_lengths=jnp.array(LENGTHS))
    params = jax.tree.map(jnp.asarray, convert.from_flax(cell, variables).params)
    ours, got = make_rnn(face, "ours", cell, params, return_carry=True)(XS, seq_lengths=LENGTHS)
    assert_close(ours, carry, 1e-5)
    within = jnp.arange(T) < jnp.array(LENGTHS)[:, None]
    assert_close(got, jnp.where(within[..., None], ys, 0), 1e-5)


@each_cell
@each_rnn
@each_face
@eager
def test_a_loop_over_steps_gives_the_same(face, kind, cell):
    """In both orders, with the carry given or not, and in two calls as in one."""
    params = params_of(cell)
    rnn = make_rnn(face, kind, cell, params, return_carry=True)
    carries, expected = loop(face, cell, params, XS)
    assert_close(rnn(XS), (carries[-1], expected), 1e-6)
    first = make_cell(face, cell, params)[1]((B, F))
    carry, ys = rnn(XS[:, :2], initial_carry=first)
    carry, rest = rnn(XS[:, 2:], initial_carry=carry)
    assert_close((carry, jnp.concatenate([ys, rest], 1)), (carries[-1], expected), 1e-6)
    carries, expected = loop(face, cell, params, XS[:, ::-1])
    assert_close(rnn(XS, reverse=True), (carries[-1], expected), 1e-6)
    assert_close(rnn(XS, reverse=True, keep_order=True), (carries[-1], expected[:, ::-1]), 1e-6)
    fixed = make_rnn(face, kind, cell, params, return_carry=True, reverse=True, keep_order=True, time_major=True)
    assert_close(fixed(XS.swapaxes(0, 1)), (carries[-1], expected[:, ::-1].swapaxes(0, 1)), 1e-6)


@each_cell
@each_rnn
@each_face
@eager
def test_a_loop_over_steps_gives_the_same_with_lengths(face, kind, cell):
    """The carry is that of each last step. Documented: outputs of padding are zero, where Flax computes them."""
    params = params_of(cell)
    rnn = make_rnn(face, kind, cell, params, return_carry=True)
    carries, expected = loop(face, cell, params, XS)
    carry, ys = rnn(XS, seq_lengths=jnp.array(LENGTHS))
    assert_close(carry, last_of(carries, LENGTHS), 1e-6)
    padding = np.arange(T) >= np.array(LENGTHS)[:, None]
    assert_close(ys[~padding], expected[~padding], 1e-6)
    assert bool(ys[padding].any()) == (kind == "flax")


@each_cell
@each_rnn
@each_face
@eager
def test_sequences_do_not_depend_on_their_batch(face, kind, cell):
    rnn = make_rnn(face, kind, cell, params_of(cell), return_carry=True)
    carry, ys = rnn(XS)
    for b in range(B):
        alone = rnn(XS[b : b + 1])
        assert_close(alone, jax.tree.map(lambda a, b=b: a[b : b + 1], (carry, ys)), 1e-6)
        assert_close(rnn(XS[b]), jax.tree.map(lambda a, b=b: a[b], (carry, ys)), 1e-6)


@each_cell
@eager
def test_linen_and_nnx_agree(cell):
    params = params_of(cell)
    linen, other = (make_rnn(face, "ours", cell, params, return_carry=True) for face in ("linen", "nnx"))
    assert_close(linen(XS, seq_lengths=LENGTHS), other(XS, seq_lengths=LENGTHS), 0)


@each_face
@eager
def test_unroll(unchecked, face):
    """Documented: ours takes a specification, Flax's the number of steps in one iteration of a loop."""
    cell = CELLS["LSTM"]
    expected = make_rnn(face, "ours", cell, params_of(cell))(XS)
    for kind, unroll in (("ours", unrolls.Loop()), ("flax", 2)):
        assert_close(make_rnn(face, kind, cell, params_of(cell), unroll=unroll)(XS), expected, 1e-6)
    with pytest.raises(rnnzoo.UsageError, match=r"unroll is 2; accepted: a specification, such as"):
        make_rnn(face, "ours", cell, params_of(cell), unroll=2)(XS)


# ---- both directions -------------------------------------------------------------------------------------


def make_bidirectional(face, kind, cell, is_shared=False, **fields: Any) -> Any:
    if face == "linen":
        make = lambda: rnnzoo.linen.RNNCell(cell, carry="flax")  # noqa: E731
        if kind == "ours":
            make_one = lambda _: rnnzoo.linen.RNN(cell, carry="flax")  # noqa: E731
            one = make_one(None)
            two = one if is_shared else make_one(None)
        else:
            shared = make()
            one, two = (nn.RNN(shared if is_shared else make()) for _ in range(2))
        both: Any = nn.Bidirectional(one, two, **fields)
        variables = both.init(jax.random.key(0), XS)
        assert len(variables["params"]) == (1 if is_shared else 2)
        return functools.partial(both.apply, variables)
    kinds: Any = {"ours": rnnzoo.nnx.RNN, "flax": rnnzoo.nnx.RNNCell}[kind]
    one, two = (kinds(cell, F, rngs=nnx.Rngs(seed), carry="flax") for seed in (0, 1))
    if kind == "flax":
        one, two = nnx.RNN(one, rngs=False), nnx.RNN(two, rngs=False)
    return nnx.Bidirectional(one, one if is_shared else two, **fields)


@each_cell
@each_rnn
@each_face
@pytest.mark.parametrize("is_shared", [False, True])
def test_bidirectional(face, kind, cell, is_shared):
    both = make_bidirectional(face, kind, cell, is_shared, return_carry=True)
    (one, two), ys = both(XS, seq_lengths=jnp.array(LENGTHS))
    assert ys.shape == (B, T, 2 * H)
    assert jax.tree.map(jnp.shape, one) == jax.tree.map(jnp.shape, two)
    assert isinstance(one, tuple) == (cell is CELLS["LSTM"])
    assert_close(ys[:, 0, H:], jax.tree.leaves(two)[-1], 0)  # the backward direction ends at the first step
    again = both(XS, initial_carry=(one, two))[1]
    assert again.shape == ys.shape and not np.allclose(again, ys)


@each_rnn
@each_face
def test_bidirectional_merges_as_it_is_told(face, kind):
    both = make_bidirectional(face, kind, CELLS["Elman"], merge_fn=lambda a, b: a + b, time_major=True)
    assert both(XS.swapaxes(0, 1)).shape == (T, B, H)


# ---- transformations -------------------------------------------------------------------------------------


@each_cell
@eager
def test_scans_over_steps(cell):
    """`nn.scan`, `nn.remat`, and `lax.scan` over either face's cell."""
    params = params_of(cell)
    carries, expected = loop("linen", cell, params, XS)
    step, first = make_cell("linen", cell, params)
    scan = functools.partial(nn.scan, variable_broadcast="params", split_rngs={"params": False}, in_axes=1, out_axes=1)
    for target in (rnnzoo.linen.RNNCell, nn.remat(rnnzoo.linen.RNNCell)):
        scanned: Any = scan(target)(cell, carry="flax")
        got = scanned.apply({"params": params}, first((B, F)), XS)
        assert_close(got, (carries[-1], expected), 1e-6)
    other, _ = make_cell("nnx", cell, params)
    for one in (step, other):
        carry, ys = jax.lax.scan(one, first((B, F)), XS.swapaxes(0, 1))
        assert_close((carry, ys.swapaxes(0, 1)), (carries[-1], expected), 1e-6)


def test_nnx_scan_over_steps():
    cell = CELLS["LSTM"]
    params = params_of(cell)
    module, first = make_cell("nnx", cell, params)
    scan = nnx.scan(lambda m, c, x: m(c, x), in_axes=(None, nnx.Carry, 1), out_axes=(nnx.Carry, 1))
    carries, expected = loop("nnx", cell, params, XS)
    assert_close(scan(module, first((B, F)), XS), (carries[-1], expected), 1e-6)


class Lifted(nn.Module):
    """A scan over steps inside a compact method."""

    cell: Any

    @nn.compact
    def __call__(self, xs):
        carry = rnnzoo.linen.RNNCell(self.cell).initialize_carry(jax.random.key(0), xs[:, 0].shape)
        scan = nn.scan(
            rnnzoo.linen.RNNCell, variable_broadcast="params", split_rngs={"params": False}, in_axes=1, out_axes=1
        )
        return scan(self.cell)(carry, xs)


def test_a_table_of_a_lifted_scan():
    module = Lifted(CELLS["Elman"])
    with jax.check_tracer_leaks(True):
        table = module.tabulate(
            jax.random.key(0), XS, console_kwargs={"width": 240}, compute_flops=True, compute_vjp_flops=True
        )
    assert "ScanRNNCell_0" in table and f"{H * F + H + H * H} " in table


@each_cell
@each_rnn
@each_face
def test_jit_grad_and_vmap(face, kind, cell):
    """Gradients of inputs and of the carry given, and a map over a batch axis that the module does not see."""
    params = params_of(cell)
    first = make_cell(face, cell, params)[1]((B, F))

    @jax.jit
    def outputs_and_gradients(params, xs, carry):
        ys = make_rnn(face, kind, cell, params)(xs)  # made here: NNX does not scan over a module of another trace
        mapped = jax.vmap(functools.partial(mapped_rnn, params))
        return ys, mapped(xs, carry), jax.grad(lambda *a: (mapped(*a) ** 2).sum(), (0, 1))(xs, carry)

    def mapped_rnn(params, xs, carry):
        return make_rnn(face, kind, cell, params)(xs, initial_carry=carry)

    ys, mapped, found = outputs_and_gradients(params, XS, first)
    assert_close(ys, mapped, 1e-6)

    def by_run(xs, carry):
        state: Any = dict(zip(("c", "h") if isinstance(carry, tuple) else ("h",), jax.tree.leaves(carry), strict=True))
        return (rnnzoo.run(cell, params, xs.swapaxes(0, 1), state)[0] ** 2).sum()

    assert_close(found, jax.grad(by_run, (0, 1))(XS, first), 1e-5)


@each_cell
@pytest.mark.parametrize("make", [rnnzoo.nnx.RNN, rnnzoo.nnx.RNNCell], ids=["RNN", "RNNCell"])
def test_nnx_split_and_merge(cell, make):
    """Modules of one specification have one graph, whatever the numbers; only parameters are in the state."""
    one, two = (make(cell, F, rngs=nnx.Rngs(seed), carry="flax") for seed in (0, 1))
    graph, state = nnx.split(one)
    assert graph == nnx.graphdef(two) and hash(graph) == hash(nnx.graphdef(two))
    assert all(isinstance(leaf, nnx.Param) for _, leaf in nnx.to_flat_state(state))
    nnx.update(two, state)
    args = (XS,) if make is rnnzoo.nnx.RNN else (one.initialize_carry((B, F)), XS[:, 0])
    assert_close(two(*args), one(*args), 0)
    assert_close(nnx.merge(graph, state)(*args), one(*args), 0)


def test_initializers_belong_to_the_specification():
    """Documented: Flax's graphs do not hold them."""
    other = cells.Elman(hidden_size=H, kernel_init=rnnzoo.initializers.Orthogonal())
    one, two = (nnx.graphdef(rnnzoo.nnx.RNN(c, F, rngs=nnx.Rngs(0))) for c in (CELLS["Elman"], other))
    assert one != two


# ---- noise -----------------------------------------------------------------------------------------------


@each_face
@eager
def test_recurrent_dropout(face):
    """One key a call, whatever the number of steps; the next call draws another mask. Documented: the stream is
    "dropout", and a module holds no stream."""
    cell = wrappers.VariationalDropout(cell=CELLS["LSTM"], rate=0.5)
    params = params_of(cell)
    rnn = make_rnn(face, "ours", cell, params)
    if face == "linen":
        one, again, two = (rnn(XS, rngs={"dropout": jax.random.key(seed)}) for seed in (0, 0, 1))
        assert_close(one, again, 0)
    else:
        rngs = nnx.Rngs(0, dropout=1)
        assert rngs.dropout.count[...] == 0
        one = rnn(XS, rngs=rngs)
        assert rngs.dropout.count[...] == 1 and rngs.default.count[...] == 0
        two = rnn(XS, rngs=rngs)
        assert not jax.tree.leaves(nnx.state(rnn, nnx.RngState))
    assert not np.allclose(one, two)
    assert_close(one[:, 0], rnn(XS)[:, 0], 1e-6)  # the state before the first step is zero: its product, too
