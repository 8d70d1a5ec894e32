"""Matrix memories in chunks against the step loop: every form of transition, extreme decays, what `run` promises."""

import functools
import warnings
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, random_like
from unroll_support import quick
from zoo import marked

from rnnzoo import run, unrolls
from rnnzoo.base import MatrixMemory, spec
from rnnzoo.spec import Size
from rnnzoo.unrolls.decays import even, heard, products
from rnnzoo.unrolls.memory_chunk import unit_lower_inverse

HEADS, KEYS, VALUES = 2, 4, 3
Form = Literal["diagonal", "delta", "general"]


@spec
class MemoryProbe(MatrixMemory):
    """Any transition that the contract allows, drawn from the inputs."""

    gates = ()
    memory_shape = (HEADS, KEYS, VALUES)

    form: Form = "diagonal"
    by_key: bool = False
    """A decay for each key, or one for each head."""
    decay: float = 1.0
    """How strong decays are: up to exp(-decay) a step."""
    beta: float = 1.0
    """How much of what a key holds is erased."""
    alike: bool = False
    """All keys equal."""
    writes: Size = 1
    start: float = 0.0
    """What the initial state is filled with."""

    def init(self, key, input_size):
        rows = self.writes * HEADS * (4 * KEYS + VALUES + 1)
        return {"w": jax.random.normal(key, (rows, input_size))}

    def project(self, params, x_t):
        return {"all": params["w"] @ x_t}

    def memory(self, params, z_t):
        shape = (HEADS,) if self.writes == 1 else (self.writes, HEADS)
        sizes = (KEYS, KEYS, VALUES, KEYS, KEYS, 1)
        q, k, v, g, u, i = jnp.split(z_t["all"].reshape(*shape, -1), np.cumsum(sizes)[:-1], -1)
        q, u = (q, u) if self.writes == 1 else (q[0], u[0])
        k = k * 0 + jnp.arange(1.0, KEYS + 1) if self.alike else k
        k = k * jax.lax.rsqrt((k**2).sum(-1, keepdims=True) + 1e-6)
        g = -self.decay * jax.nn.sigmoid(3 * (g if self.by_key else g[..., :1]))
        found = {"q": q, "k": k, "v": v, "g": g}
        if self.form != "diagonal":
            found |= {"k": self.beta * k, "b": jnp.exp(g) * k}
        if self.form == "general":
            found["a"] = -0.7 * self.beta * k
        if self.reads_first:
            found["u"] = u
        if self.stabilised:
            found["i"] = 10 * i
        return found

    def initial_state(self, params):
        return jax.tree.map(lambda a: a + self.start, super().initial_state(params))


@spec
class ReadingFirst(MemoryProbe):
    """Reads before it writes."""

    reads_first = True


@spec
class Forgetful(MemoryProbe):
    """Forgets what some keys hold at some steps, altogether."""

    def memory(self, params, z_t):
        found = super().memory(params, z_t)
        return {**found, "g": jnp.where(found["q"] > 1, -jnp.inf, found["g"] / self.decay)}


@spec
class Stabilised(MemoryProbe):
    """Writes with strengths exp(i), and normalises by the last value."""

    stabilised = True

    def output(self, params, read, z_t):
        y = read["y"]
        return (y[:, :-1] / jnp.maximum(jnp.abs(y[:, -1:]), jnp.exp(-read["m"])[:, None])).reshape(-1)

    output_size = HEADS * (VALUES - 1)


CELLS = [
    *(MemoryProbe(hidden_size=1, form=f, by_key=k) for f in ("diagonal", "delta", "general") for k in (False, True)),
    MemoryProbe(hidden_size=1, by_key=True, decay=40.0),
    MemoryProbe(hidden_size=1, form="general", by_key=True, decay=40.0),
    MemoryProbe(hidden_size=1, form="delta", decay=0.0, beta=2.0, alike=True),
    MemoryProbe(hidden_size=1, form="delta", by_key=True, writes=2, start=0.3),
    MemoryProbe(hidden_size=1, form="general", writes=3),
    ReadingFirst(hidden_size=1, by_key=True, start=0.5),
    ReadingFirst(hidden_size=1),
    ReadingFirst(hidden_size=1, form="delta", by_key=True),
    Stabilised(hidden_size=1, decay=3.0),
    Stabilised(hidden_size=1, decay=40.0, start=0.5),
]
TIME, LOOP = 37, unrolls.Loop()


def by_chunks(size):
    """Unrolls in chunks of that size: some of them at once, and all."""
    return unrolls.ChunkedMemory(chunk=size, together=2), unrolls.AssociativeMemory(chunk=size)


LENGTHS = jnp.array([37, 0, 20])


def controls(name):
    rng = np.random.default_rng(0)
    resets = rng.random((TIME, 3)) < 0.1
    resets[[0, 16, 32]] |= np.array([[1, 0, 1]], bool)  # at borders of chunks, too
    masked = {"mask": jnp.asarray(rng.random((TIME, 3)) < 0.7), "resets": jnp.asarray(resets)}
    return {"plain": {}, "lengths": {"lengths": LENGTHS}, "resets and mask": masked}[name]


def results(cell, unroll, **options):
    params = random_like(jax.random.key(0), cell.init(jax.random.key(0), 3), 1.0)
    xs = inputs(TIME, (3,), 3) - 0.5
    state = random_like(jax.random.key(1), jax.tree.map(lambda a: jnp.zeros((3, *a.shape)), cell.initial_state(params)))

    def loss(params, xs, state):
        ys, last = run(cell, params, xs, state, unroll=unroll, **options)
        weights = jnp.cos(jnp.arange(ys.size, dtype=ys.dtype)).reshape(ys.shape)
        return (weights * ys).sum() + sum((jnp.tanh(leaf) ** 2).sum() for leaf in last.values()), (ys, last)

    return quick(jax.value_and_grad(loss, (0, 1, 2), has_aux=True))(params, xs, state)


@pytest.mark.parametrize("cell", marked(CELLS, lambda cell: cell in CELLS[1::2]))
def test_every_form_is_the_loop(x64, cell):
    options = controls("resets and mask")
    expected = results(cell, unrolls.Scan(), **options)
    for unroll in by_chunks(16):
        assert_close(results(cell, unroll, **options), expected, 1e-11)


@pytest.mark.parametrize("size", [5, 9, 11, 13, 18])
def test_chunks_that_are_filled_up(x64, size):
    """Inside a chunk the number of steps is rounded up; from chunk to chunk it is not."""
    cell = MemoryProbe(hidden_size=1, writes=2)
    params, xs = cell.init(jax.random.key(0), 3), inputs(TIME, (2,), 3)
    expected, *found = (
        quick(functools.partial(run, cell, unroll=u))(params, xs) for u in (unrolls.Scan(), *by_chunks(size))
    )
    for each in found:
        assert_close(each, expected, 1e-11)


@pytest.mark.parametrize("cell", [CELLS[5], CELLS[11]], ids=str)
def test_lengths(x64, cell):
    options = controls("lengths")
    expected = results(cell, unrolls.Scan(), **options)
    for unroll in by_chunks(3):
        assert_close(results(cell, unroll, **options), expected, 1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("options", ["plain", "lengths", "resets and mask"])
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_every_form_in_chunks_of_every_size(x64, cell, options):
    expected = results(cell, unrolls.Scan(), **controls(options))
    for unroll in [u for size in (1, 3, 13, 16, TIME, 64) for u in by_chunks(size)]:
        assert_close(results(cell, unroll, **controls(options)), expected, 1e-11)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_float32_is_about_as_close_as_the_loop(cell):
    with jax.enable_x64(True):
        exact = np.asarray(outputs(cell, unrolls.Scan()))
    found = [np.asarray(outputs(cell, unroll)) for unroll in (unrolls.Scan(), *by_chunks(8))]
    assert {ys.dtype for ys in found} == {np.dtype(np.float32)}
    loop, *errors = [np.abs(ys - exact).max() / np.abs(exact).max() for ys in found]
    assert max(errors) < max(2 * loop, 1e-5 if cell.decay > 10 else 1e-6), (loop, errors)


def outputs(cell, unroll):
    """Outputs from the same numbers in any precision."""
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(lambda: cell.init(jax.random.key(0), 3))
    params = jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape).astype(np.float32), float), shapes)
    xs = jnp.asarray(rng.normal(size=(TIME, 3, 3)).astype(np.float32), float)
    return run(cell, params, xs, unroll=unroll)[0]


@pytest.mark.parametrize("kind", [MemoryProbe, Forgetful])
def test_a_decay_to_nothing_is_no_nan(x64, kind):
    """exp(-inf) is 0 in a loop, and infinity minus infinity would be NaN in a chunk."""
    cell = kind(hidden_size=1, form="general", by_key=True, decay=1e300)
    options = controls("resets and mask")
    expected = results(cell, unrolls.Scan(), **options)[0]
    for unroll in by_chunks(8):
        assert_close(results(cell, unroll, **options)[0], expected, 1e-11)


def test_no_steps():
    for cell in CELLS[-4:]:
        params = cell.init(jax.random.key(0), 3)
        ys, last = run(cell, params, jnp.zeros((0, 2, 3)), unroll=unrolls.AssociativeMemory())
        assert ys.shape == (0, 2, cell.output_size)
        assert_close(last, run(cell, params, jnp.zeros((0, 2, 3)))[1])


def test_all_states_on_request():
    cell, unroll = CELLS[2], unrolls.ChunkedMemory(chunk=4)
    params, xs = cell.init(jax.random.key(0), 3), inputs(9, (2,), 3)
    assert_close(run(cell, params, xs, unroll=unroll, states=True), run(cell, params, xs, states=True), 1e-6)


@pytest.mark.parametrize("unroll", marked(by_chunks(2), lambda unroll: unroll == by_chunks(2)[0]))
@pytest.mark.parametrize(
    "order", ["forward over reverse", pytest.param("reverse over forward", marks=pytest.mark.slow)]
)
def test_forward_mode_and_second_derivatives(x64, unroll, order):
    cell = MemoryProbe(hidden_size=1, form="general", by_key=True)
    params, xs = cell.init(jax.random.key(0), 3), inputs(5, (), 3)

    def total(unroll, scale):
        return (run(cell, params, scale * xs, unroll=unroll)[0] ** 2).sum()

    outer, inner = (jax.jacfwd, jax.jacrev) if order == "forward over reverse" else (jax.jacrev, jax.jacfwd)
    derivative = outer(inner(total, 1), 1)
    found, expected = (quick(derivative, static_argnums=0)(u, 0.9) for u in (unroll, LOOP))
    assert_close(found, expected, 1e-11)


@pytest.mark.parametrize("size", [1, 3, 5, 12, 16])
def test_what_is_heard(x64, size):
    """By halves, as by its definition, where some decays are 0."""
    rng = np.random.default_rng(size)
    x, y = rng.normal(size=(2, 2, size, 3))
    e = rng.uniform(size=(2, size, 3)) * (rng.random((2, size, 3)) > 0.1)
    between = [[np.prod(e[:, s + 1 : t + 1], 1) * (s <= t) for s in range(size)] for t in range(size)]
    expected = np.einsum("btk,bsk,tsbk->bts", x, y, np.array(between))
    assert_close(heard(jnp.asarray(x), jnp.asarray(y), products(jnp.asarray(e))), expected, 1e-11)


def test_chunks_are_filled_up_by_at_most_a_quarter():
    for count in range(1, 300):
        filled = even(count)
        assert count <= filled <= 1.25 * count and even(filled) == filled
        while filled % 2 == 0:
            filled //= 2
        assert filled <= 7


@pytest.mark.parametrize("size", [1, 2, 3, 8, 13, 64])
def test_unit_lower_inverse(x64, size):
    a = jnp.tril(jax.random.normal(jax.random.key(size), (3, size, size)), -1) / np.sqrt(size)
    assert_close(unit_lower_inverse(a), np.linalg.inv(np.eye(size) - np.asarray(a)), 1e-11)
    tangent = jnp.tril(jax.random.normal(jax.random.key(0), a.shape), -1)
    step = 1e-6
    numeric = (unit_lower_inverse(a + step * tangent) - unit_lower_inverse(a - step * tangent)) / (2 * step)
    assert_close(jax.jvp(unit_lower_inverse, (a,), (tangent,))[1], numeric, 1e-5)


def test_a_loop_says_how_many_bytes_it_keeps():
    cell, xs = MemoryProbe(hidden_size=1), jax.ShapeDtypeStruct((100_000, 150, 3), jnp.float32)
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), 3))

    def traced(unroll):
        jax.eval_shape(lambda params, xs: run(cell, params, xs, unroll=unroll), params, xs)

    with pytest.warns(UserWarning, match=r"Scan keeps 1,440,000,000 bytes of MemoryProbe.*ChunkedMemory, Auto"):
        traced(unrolls.Scan())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for unroll in (*by_chunks(64), unrolls.Auto(), unrolls.Chunked()):
            traced(unroll)


def test_who_is_refused():
    from rnnzoo import cells

    for cell in (cells.LSTM(hidden_size=4), cells.MinGRU(hidden_size=4)):
        for unroll in by_chunks(64):
            said = unroll.refuses(cell)
            assert said is not None and type(cell).__name__ in said and type(unroll).__name__ in said


@pytest.mark.parametrize("cell", [CELLS[9], CELLS[11], CELLS[14]], ids=str)
def test_no_sequences(cell):
    """An empty batch, in chunks of which there are several, and with writes that are put in line."""
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), 3))
    for unroll in (*by_chunks(2), unrolls.Auto()):

        def ran(params, unroll=unroll):
            return run(cell, params, jnp.zeros((5, 0, 3)), unroll=unroll, resets=jnp.zeros((5, 0), bool))

        assert jax.eval_shape(ran, params)[0].shape == (5, 0, cell.output_size)
