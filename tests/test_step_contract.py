"""What a step may do: everything the first edition's contract got wrong, with its right value.

The reference is a plain Python loop, `Loop`, or for a U that is read elsewhere a loop written out here."""

import functools
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from support import assert_close

import rnnzoo
from rnnzoo import cells, run, structures, unrolls, wrappers
from rnnzoo.base import Affine, Cell, MatrixMemory, Noisy, PerGate, Recurrent, Structures, Wrapper, spec
from rnnzoo.cells.recur import scoped
from rnnzoo.structures import Dense, Diagonal

KEY = jax.random.key(0)
SCANS = [unrolls.Scan(), unrolls.Chunked(chunk=2), unrolls.Truncated(steps=9), unrolls.ParallelBackward()]
EVERY = [unrolls.Loop(), *SCANS, unrolls.Newton()]
by_scan = pytest.mark.parametrize(  # Truncated shares its code with Chunked
    "unroll",
    [pytest.param(u, marks=pytest.mark.slow if u == unrolls.Truncated(steps=9) else ()) for u in SCANS],
    ids=lambda u: type(u).__name__,
)
by_every = pytest.mark.parametrize("unroll", EVERY, ids=lambda u: type(u).__name__)


@spec
class Plain(Recurrent):
    """An Elman network that subclasses change."""

    structure: Structures = Dense()

    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(recur(state["h"])["h"])}


def inputs(time: int = 5, batch: int = 2):
    return jax.random.normal(jax.random.key(1), (time, batch, 2))


def gradients(cell: Cell, unroll, **options):
    """Values, and gradients by parameters, inputs and the state before the first step."""
    params = cell.init(KEY, 2)
    params = jax.tree.map(lambda a: a + 0.1 * jax.random.normal(jax.random.key(5), a.shape, a.dtype), params)
    state = jax.tree.map(lambda a: a + 0.3, cell.initial_state(cell.prepare(params)))

    def loss(params, xs, state):
        ys, last = run(cell, params, xs, state, unroll=unroll, **options)
        return jnp.sin(ys).sum() + sum(jnp.cos(a).sum() for a in jax.tree.leaves(last))

    return jax.value_and_grad(loss, (0, 1, 2))(params, inputs(), state)


def agrees(cell: Cell, unroll, **options):
    tolerance = 1e-8 if isinstance(unroll, unrolls.Newton) else 1e-12
    assert_close(gradients(cell, unroll, **options), gradients(cell, unrolls.Loop(), **options), tolerance)


# ---- derivatives that were dropped or refused ----------------------------------------------------------------


@spec
class StartsFromU(Plain):
    def initial_state(self, params):
        return {"h": self.structure_of("h").matvec(params["u"]["h"], jnp.ones(self.hidden_size))}


@by_scan
@pytest.mark.parametrize("structure", [Dense(), Diagonal()], ids=str)
def test_an_initial_state_that_reads_u_has_its_gradient_at_resets(x64, unroll, structure):
    cell = StartsFromU(hidden_size=3, structure=structure)
    resets = jnp.zeros((5, 2), bool).at[1, 0].set(True).at[3].set(True)
    agrees(cell, unroll, resets=resets)
    params, xs = cell.init(KEY, 2), inputs()
    ones = jax.tree.map(jnp.ones_like, params)
    slopes = [
        jax.jvp(lambda p, u=u: run(cell, p, xs, resets=resets, unroll=u)[0], (params,), (ones,))[1]
        for u in (unroll, unrolls.Loop())
    ]
    assert_close(*slopes)


@jax.custom_vjp
def spike(a):
    return (a > 0).astype(a.dtype)


spike.defvjp(lambda a: (spike(a), a), lambda a, g: (g / (1 + jnp.abs(a)) ** 2,))


@spec
class Branches(Plain):
    def step(self, params, state, z_t, recur):
        a = recur(state["h"])["h"]
        return {"h": lax.cond(a.sum() > 0, jnp.tanh, jnp.sin, a)}


@spec
class Switches(Plain):
    def step(self, params, state, z_t, recur):
        a = recur(state["h"])["h"]
        return {"h": lax.switch(jnp.int32(a.sum() > 0) + jnp.int32(a[0] > 0), [jnp.tanh, jnp.sin, jnp.arctan], a)}


@spec
class Spikes(Plain):
    def step(self, params, state, z_t, recur):
        return {"h": 0.9 * state["h"] + recur(spike(state["h"] - 0.1))["h"]}


@spec
class Compiles(Plain):
    def step(self, params, state, z_t, recur):
        return {"h": jax.jit(jnp.tanh)(recur(state["h"])["h"])}


@spec
class Remembers(Plain):
    def step(self, params, state, z_t, recur):
        return {"h": jax.checkpoint(jnp.tanh)(recur(jax.checkpoint(jnp.sin)(state["h"]))["h"])}


@spec
class Twice(Plain):
    """U applied twice, the second time to its own product."""

    def step(self, params, state, z_t, recur):
        once = recur(jnp.sin(state["h"]))["h"]
        return {"h": jnp.tanh(recur(once)["h"])}


@spec
class TwiceTheSame(Plain):
    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(recur(state["h"])["h"] + recur(state["h"])["h"] ** 2)}


@spec
class Never(Plain):
    """One gate whose U and W x nothing uses."""

    gates = ("h", "idle")

    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(recur({"h": state["h"]})["h"])}


@spec
class NotAtAll(Plain):
    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(state["h"])}


@spec
class Elsewhere(Plain):
    """U applied to what is no vector of the state, and a parameter of its own."""

    def init(self, key, input_size):
        return super().init(key, input_size) | {"e": jnp.linspace(0.1, 1.0, self.hidden_size)}

    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(recur(params["e"] + 0 * state["h"])["h"] * state["h"])}


KINDS = [Branches, Switches, Compiles, Remembers, Twice, TwiceTheSame, Never, NotAtAll, Elsewhere]


@by_scan
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_step_may_use_all_of_jax(x64, kind, unroll):
    agrees(kind(hidden_size=3), unroll)
    if isinstance(unroll, unrolls.Scan):
        agrees(kind(hidden_size=3, structure=Diagonal()), unroll)


@pytest.mark.parametrize("unroll", SCANS[:3], ids=lambda u: type(u).__name__)
def test_a_custom_vjp_has_reverse_mode(x64, unroll):
    agrees(Spikes(hidden_size=3), unroll)


def test_a_custom_vjp_has_no_forward_mode():
    """JAX's own rule, said in the documentation of `Scan`; unrolls that need it refuse the cell."""
    cell = Spikes(hidden_size=3)
    params = cell.init(KEY, 2)
    with pytest.raises(TypeError, match="custom_vjp"):
        jax.jvp(lambda p: run(cell, p, inputs())[0], (params,), (params,))
    for unroll in (unrolls.ParallelBackward(), unrolls.Newton()):
        with pytest.raises(rnnzoo.UsageError, match="step of Spikes has no forward mode"):
            run(cell, params, inputs(), unroll=unroll)


@spec
class Counts(Plain):
    """An integer in the state: its derivatives are of another type."""

    carries = ("h", "n")

    def initial_state(self, params):
        return {"h": jnp.zeros(self.hidden_size, jnp.result_type(float)), "n": jnp.int32(0)}

    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(recur(state["h"])["h"] / (1 + state["n"])), "n": state["n"] + 1}


@pytest.mark.parametrize("unroll", SCANS[:2], ids=lambda u: type(u).__name__)
def test_states_of_integers_take_the_plain_derivative(x64, unroll):
    cell = Counts(hidden_size=3)
    params = cell.init(KEY, 2)
    grads = [
        jax.grad(lambda p, u=u: run(cell, p, inputs(), unroll=u)[0].sum())(params) for u in (unroll, unrolls.Loop())
    ]
    assert_close(*grads)


# ---- what is refused, by every unroll alike ------------------------------------------------------------------


def inside(transform):
    @spec
    class Inside(Plain):
        def step(self, params, state, z_t, recur):
            return {"h": transform(lambda h: jnp.tanh(recur(h)["h"]))(state["h"])}

    return Inside(hidden_size=3)


INSIDE = {
    "cond": lambda f: lambda h: lax.cond(h.sum() > 0, f, jnp.sin, h),
    "switch": lambda f: lambda h: lax.switch(0, [f, jnp.sin], h),
    "scan": lambda f: lambda h: lax.scan(lambda c, _: (f(c), None), h, None, 2)[0],
    "jit": jax.jit,
    "checkpoint": jax.checkpoint,
    "vmap": lambda f: lambda h: jax.vmap(f)(h[None])[0],
}


@by_every
@pytest.mark.parametrize("name", INSIDE)
def test_recur_inside_control_flow_is_refused_with_the_reason(name, unroll):
    cell = inside(INSIDE[name])
    params = cell.init(KEY, 2)
    with pytest.raises(rnnzoo.UsageError, match=r"step of Inside calls recur inside lax\.cond, lax\.scan, jax\.jit"):
        jax.grad(lambda p: run(cell, p, inputs(), unroll=unroll)[0].sum())(params)


def returning(state, carries=("c", "h"), readout=None):
    @spec
    class Typo(Plain):
        def initial_state(self, params):
            return {name: jnp.zeros(self.hidden_size) for name in carries}

        def step(self, params, s, z_t, recur):
            return state(recur(s[carries[-1]])["h"])

    return Typo(hidden_size=3)


WRONG = {
    "forgets": (lambda a: {"h": a}, r"step of Typo returned \['h'\]; accepted: \['c'\], \['h'\]"),
    "adds": (lambda a: {"h": a, "c": a, "d": a}, r"step of Typo returned \['c'\], \['d'\], \['h'\]; accepted"),
    "shape": (
        lambda a: {"h": a[:2], "c": a},
        r"returned state\['h'\] as float32 of \(2,\); accepted: float32 of \(3,\)",
    ),
    "dtype": (lambda a: {"h": a > 0, "c": a}, r"state\['h'\] as bool of \(3,\); accepted: float32 of \(3,\)"),
    "no dict": (lambda a: (a, a), "step of Typo returned tuple; accepted: a dict of c, h"),
}


@by_every
@pytest.mark.parametrize("case", WRONG)
def test_a_step_that_returns_another_state_is_refused(case, unroll):
    state, message = WRONG[case]
    cell = returning(state)
    with pytest.raises(rnnzoo.UsageError, match=message):
        run(cell, cell.init(KEY, 2), inputs(), unroll=unroll)


def test_a_state_without_h_needs_a_readout():
    cell = returning(lambda a: {"c": a}, ("c",))
    with pytest.raises(rnnzoo.UsageError, match="state of Typo has c, and no h; accepted: an entry h, or a readout"):
        run(cell, cell.init(KEY, 2), inputs())


@by_every
def test_reading_a_leaf_that_recur_adds_is_refused(unroll):
    @spec
    class Reads(Plain):
        def step(self, params, state, z_t, recur):
            return {"h": jnp.tanh(recur(state["h"])["h"] + z_t["h"])}

    cell = Reads(hidden_size=3)
    with pytest.raises(rnnzoo.UsageError, match=r"step of Reads reads z_t\['h'\], which recur adds to U v"):
        run(cell, cell.init(KEY, 2), inputs(), unroll=unroll)


@pytest.mark.parametrize(
    ("heard", "message"),
    [
        ({"hh": jnp.ones(3)}, "calls recur for 'hh'; did you mean h"),
        (jnp.ones((3, 1)), "gives recur float32 of \\(3, 1\\) for 'h'; accepted: a vector of real numbers"),
        (jnp.ones(3, bool), "gives recur bool of \\(3,\\) for 'h'"),
        (3.0, "gives recur float for 'h'"),
    ],
    ids=["gate", "shape", "dtype", "number"],
)
def test_recur_says_what_it_takes(heard, message):
    @spec
    class Asks(Plain):
        def step(self, params, state, z_t, recur):
            return {"h": jnp.tanh(recur(heard)["h"])}

    cell = Asks(hidden_size=3)
    with pytest.raises(rnnzoo.UsageError, match=message):
        run(cell, cell.init(KEY, 2), inputs())


def test_a_cell_without_u_has_nothing_to_call():
    @spec
    class Linear(Affine):
        transition = Diagonal()

        def affine(self, params, z_t):
            return jnp.ones(self.hidden_size), z_t["h"]

        def step(self, params, state, z_t, recur):
            return {"h": recur(state["h"])["h"]}

    cell = Linear(hidden_size=3)
    with pytest.raises(rnnzoo.UsageError, match="step of Linear calls recur, but the cell has no recurrent matrix"):
        run(cell, cell.init(KEY, 2), inputs())


def test_a_step_of_the_first_edition_is_refused_at_its_definition():
    with pytest.raises(rnnzoo.UsageError, match=r"Old\.step takes \(self, params, state, z_t\); accepted: .*recur\)"):

        class Old(Recurrent):
            def step(self, params, state, z_t):
                return state


# ---- gradients on padding, compilation, sharding -------------------------------------------------------------


@spec
class Logarithm(Plain):
    def project(self, params, x_t):
        return super().project(params, jnp.log(x_t))


@spec
class Decays(Plain):
    uses_dt = True

    def project(self, params, x_t):
        return {**super().project(params, x_t[:-1]), "rate": 1 / x_t[-1]}

    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(recur(state["h"])["h"] * z_t["rate"])}


@spec
class Normalises(Plain):
    def step(self, params, state, z_t, recur):
        a = recur(state["h"])["h"]
        return {"h": a / jnp.linalg.norm(a)}


@pytest.mark.parametrize("lengths", [[5, 2, 0], [0, 0, 0], [0, 5, 1]], ids=str)
@pytest.mark.parametrize("kind", [Logarithm, Decays, Normalises], ids=lambda kind: kind.__name__)
def test_padding_makes_no_gradient_nan(kind, lengths):
    cell = kind(hidden_size=4, bias=False)
    params, lengths = cell.init(KEY, 2), jnp.array(lengths)
    xs = jax.random.uniform(jax.random.key(1), (5, 3, 2), minval=0.5, maxval=2.0)
    counted = (jnp.arange(5)[:, None] < lengths)[..., None]
    dt: dict[str, Any] = {"dt": jnp.ones((5, 3))} if cell.uses_dt else {}
    found = [
        jax.grad(lambda p, xs=xs: (run(cell, p, xs, lengths=lengths, **dt)[0] ** 2).sum())(params)
        for xs in (xs, jnp.where(counted, xs, jnp.nan), jnp.where(counted, xs, 0))
    ]
    assert all(jnp.isfinite(a).all() for a in jax.tree.leaves(found))
    assert_close(found[0], found[1], 0)
    assert_close(found[0], found[2], 0)


def test_equal_eager_calls_compile_once():
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration_secs, **kwargs: compiled.append(event) if "backend_compile" in event else None
    )
    cell = cells.LSTM(hidden_size=6)
    params, xs = cell.init(KEY, 2), inputs(7)
    calls = {
        "run": lambda: run(cell, params, xs)[0],
        "gradient": lambda: jax.grad(lambda p: run(cell, p, xs)[0].sum())(params)["b"]["i"],
    }
    for name, call in calls.items():
        call()
        call()
        compiled.clear()
        for _ in range(3):
            jax.block_until_ready(call())
        assert not compiled, name


# ---- mask, all states, structure per gate, histories, inner cells --------------------------------------------


def held(cell, params, xs, active, resets=None):
    """A plain loop over the steps that count, one lane at a time: outputs, last states, all states."""
    outputs, lasts, every = [], [], []
    for lane in range(xs.shape[1]):
        state, ys, states = None, [], []
        for t in range(xs.shape[0]):
            if active[t, lane]:
                if resets is not None and resets[t, lane]:
                    state = None
                y, state = run(cell, params, xs[t : t + 1, lane], state, unroll=unrolls.Loop())
                ys.append(y[0])
            else:
                ys.append(jnp.zeros(cell.output_size))
            kept = cell.initial_state(cell.prepare(params)) if state is None else state
            states.append(kept)
        outputs.append(jnp.stack(ys))
        lasts.append(kept)
        every.append(jax.tree.map(lambda *a: jnp.stack(a), *states))
    stack = functools.partial(jax.tree.map, lambda *a: jnp.stack(a, 1))
    return stack(*outputs), jax.tree.map(lambda *a: jnp.stack(a), *lasts), stack(*every)


MASK = jnp.array([[0, 1, 0, 1, 1, 0], [1, 0, 0, 1, 0, 1], [0, 0, 0, 0, 0, 0]], bool).T
MASKED = [cells.LSTM(hidden_size=4), cells.MinGRU(hidden_size=4), wrappers.Dilated(cell=cells.GRU(hidden_size=4))]


@pytest.mark.parametrize("cell", MASKED, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("unroll", [unrolls.Loop(), unrolls.Scan(), unrolls.Chunked(chunk=2), unrolls.Newton(),
                                    unrolls.Associative(), unrolls.Auto()], ids=lambda u: type(u).__name__)  # fmt: skip
def test_a_masked_step_does_nothing(x64, cell, unroll):
    if unroll.refuses(cell):
        pytest.skip("not for this cell")
    params, xs = cell.init(KEY, 2), inputs(6, 3)
    resets = jnp.array([[1, 1, 1, 0, 0, 1], [0, 1, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1]], bool).T
    found = run(
        cell, params, jnp.where(MASK[..., None], xs, jnp.nan), mask=MASK, resets=resets, unroll=unroll, states=True
    )
    assert_close(found, held(cell, params, xs, np.asarray(MASK), np.asarray(resets)), 1e-8)


def test_lengths_are_a_mask_and_the_two_combine():
    cell = cells.GRU(hidden_size=4)
    params, xs, lengths = cell.init(KEY, 2), inputs(6, 3), [6, 2, 4]
    within = np.arange(6)[:, None] < np.array(lengths)
    assert_close(run(cell, params, xs, lengths=lengths), run(cell, params, xs, mask=within), 0)
    both = run(cell, params, xs, lengths=lengths, mask=MASK)
    assert_close(both, run(cell, params, xs, mask=MASK & within), 0)


@pytest.mark.parametrize("unroll", [*EVERY, unrolls.Auto()], ids=lambda u: type(u).__name__)
@pytest.mark.parametrize("reverse", [False, True])
def test_all_states_on_request(x64, unroll, reverse):
    cell = cells.LSTM(hidden_size=4)
    params, xs = cell.init(KEY, 2), inputs(6, 3)
    ys, last, states = run(cell, params, xs, states=True, unroll=unroll, reverse=reverse)
    assert_close((ys, last), run(cell, params, xs, reverse=reverse), 1e-8)
    assert_close(states["h"], ys)
    assert_close(jax.tree.map(lambda a: a[0 if reverse else -1], states), last)


def test_states_that_are_large_say_their_bytes(monkeypatch):
    monkeypatch.setattr(sys.modules["rnnzoo.run"], "LARGE", 100)
    cell = cells.GRU(hidden_size=4)
    with pytest.warns(UserWarning, match="states=True keeps 192 bytes: 6 steps of 32 bytes"):
        run(cell, cell.init(KEY, 2), inputs(6), states=True)


PER_GATE = cells.LSTM(
    hidden_size=4, structure={"i": Diagonal(), "f": Dense(), "g": Dense(), "o": structures.Banded(bandwidth=1)}
)


@by_scan
def test_a_structure_per_gate(x64, unroll):
    agrees(PER_GATE, unroll)


def test_what_a_structure_per_gate_is():
    cell = PER_GATE
    assert cell.structure_of("o") == structures.Banded(bandwidth=1) and hash(cell)
    assert rnnzoo.from_json(rnnzoo.to_json(cell)) == cell
    some = cells.LSTM(hidden_size=4, structure=PerGate.of({"i": Diagonal()}, default=Dense()))
    assert [type(some.structure_of(g)).__name__ for g in "ifgo"] == ["Diagonal", "Dense", "Dense", "Dense"]
    with pytest.raises(rnnzoo.UsageError, match=r"LSTM\.structure has none for f, g, o; accepted: one for each gate"):
        cells.LSTM(hidden_size=4, structure={"i": Diagonal()})
    with pytest.raises(rnnzoo.UsageError, match="LSTM has no gate 'x' with a recurrent matrix; known: f, g, i, o"):
        cells.LSTM(hidden_size=4, structure=PerGate.of({"x": Diagonal()}, default=Dense()))
    with pytest.raises(rnnzoo.UsageError, match="LSTM has no recurrent matrix 'ii'; did you mean i"):
        cell.structure_of("ii")


@spec
class Convolves(Recurrent):
    """z_t reads the last three inputs: a causal convolution in `project`, parallel over time."""

    history = 2
    structure: Structures = Dense()

    def init(self, key, input_size):
        return super().init(key, input_size) | {"kernel": jnp.array([0.5, -1.0, 2.0])}

    def initial_state(self, params):
        inputs = params["w"]["h"].shape[1]
        return {**super().initial_state(params), "x": 0.25 * jnp.ones((2, inputs), params["w"]["h"].dtype)}

    def project(self, params, x_t):
        return super().project(params, params["kernel"] @ x_t)

    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(recur(state["h"])["h"])}


@pytest.mark.parametrize(
    "unroll", [unrolls.Loop(), unrolls.Scan(), unrolls.Chunked(chunk=2)], ids=lambda u: type(u).__name__
)
def test_histories_of_inputs(x64, unroll):
    """One step after the other, each from the state before it, is the reference: resets, mask, any number of steps."""
    cell, xs = Convolves(hidden_size=4), inputs(6, 3)
    params = cell.init(KEY, 2)
    resets = jnp.array([[0, 0, 1, 0, 0, 1], [0, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]], bool).T
    for mask in (jnp.ones((6, 3), bool), MASK):
        found = run(cell, params, xs, resets=resets, mask=mask, states=True, unroll=unroll)
        assert_close(found, held(cell, params, xs, np.asarray(mask), np.asarray(resets)), 1e-12)
    whole = run(cell, params, xs, states=True, unroll=unroll)
    assert_close(whole, held(cell, params, xs, np.ones((6, 3), bool)), 1e-12)
    ys, state = run(cell, params, xs[:4], unroll=unroll)
    assert_close(jnp.concatenate([ys, run(cell, params, xs[4:], state, unroll=unroll)[0]]), whole[0], 1e-12)
    agrees(cell, unroll, resets=resets[:5, :2])


@spec
class SideBySide(Wrapper):
    """Two cells whose recurrent matrices are found by path."""

    cell: Cell = cells.GRU(hidden_size=3)

    @property
    def structures(self):
        return {f"{scope}.{gate}": s for scope in ("slow", "fast") for gate, s in self.cell.structures.items()}

    def init(self, key, input_size):
        slow, fast = jax.random.split(key)
        return {"slow": self.cell.init(slow, input_size), "fast": self.cell.init(fast, input_size)}

    def _both(self, function):
        return {scope: function(scope) for scope in ("slow", "fast")}

    def prepare(self, params):
        return self._both(lambda scope: self.cell.prepare(params[scope]))

    def project(self, params, x_t):
        return self._both(lambda scope: self.cell.project(params[scope], x_t))

    def initial_state(self, params):
        return self._both(lambda scope: self.cell.initial_state(params[scope]))

    def step(self, params, state, z_t, recur):
        def inner(scope):
            gates = tuple(self.cell.structures)
            return self.cell.step(params[scope], state[scope], z_t[scope], scoped(recur, scope, gates))

        return self._both(inner)

    def readout(self, params, state, z_t):
        return state["slow"]["h"] * state["fast"]["h"]


@by_scan
def test_matrices_of_inner_cells_are_found_by_path(x64, unroll):
    for inner in (cells.GRU(hidden_size=3), cells.LSTM(hidden_size=3, structure=Diagonal())):
        cell = SideBySide(cell=inner)
        agrees(cell, unroll)
        params, xs = cell.init(KEY, 2), inputs()
        slow, fast = (run(inner, params[scope], xs)[0] for scope in ("slow", "fast"))
        assert_close(run(cell, params, xs, unroll=unroll)[0], slow * fast, 1e-12)


@by_scan
def test_states_of_any_shape(x64, unroll):
    @spec
    class Outer(Recurrent):
        """A matrix (H, H) and a vector of another width in the state."""

        structure: Structures = Dense()

        def initial_state(self, params):
            h = super().initial_state(params)["h"]
            return {"h": h, "fast": jnp.outer(h, h), "nested": {"few": h[:2]}}

        def step(self, params, state, z_t, recur):
            h = jnp.tanh(recur(state["h"])["h"] + state["fast"] @ state["h"])
            few = state["nested"]["few"] + h[:2]
            return {"h": h, "fast": 0.9 * state["fast"] + jnp.outer(h, h), "nested": {"few": few}}

    agrees(Outer(hidden_size=3), unroll)


@spec
class GatedDelta(MatrixMemory):
    """Two heads of a gated delta rule: decay, erase what the key holds, write."""

    gates = ("q", "k", "v", "g", "beta")
    memory_shape = (2, 3, 3)

    def memory(self, params, z_t):
        q, k, v = (z_t[name].reshape(2, 3) for name in "qkv")
        k = k / jnp.linalg.norm(k, axis=-1, keepdims=True)
        g, beta = -jax.nn.softplus(z_t["g"]).reshape(2, 3)[:, :1], jax.nn.sigmoid(z_t["beta"]).reshape(2, 3)[:, :1]
        return {"q": q, "k": beta * k, "v": v, "g": g, "a": -beta * k, "b": jnp.exp(g) * k}


@by_scan
def test_matrix_memory(x64, unroll):
    cell = GatedDelta(hidden_size=6)
    agrees(cell, unroll)
    params, xs = cell.init(KEY, 2), inputs()
    ys, last, states = run(cell, params, xs, states=True, unroll=unroll)
    assert ys.shape == (5, 2, 6) and states["s"].shape == (5, 2, 2, 3, 3)
    s = np.zeros((2, 3, 3))
    for t in range(5):
        z = {g: np.asarray(params["w"][g] @ xs[t, 0] + params["b"][g]) for g in cell.gates}
        for n in range(2):
            q, k, v = (z[g][3 * n : 3 * n + 3] for g in "qkv")
            k, alpha = k / np.linalg.norm(k), 1 / (1 + np.exp(z["g"][3 * n]))
            beta = 1 / (1 + np.exp(-z["beta"][3 * n]))
            s[n] = alpha * (s[n] - beta * np.outer(k, k @ s[n])) + beta * np.outer(k, v)
            assert_close(ys[t, 0, 3 * n : 3 * n + 3], s[n].T @ q, 1e-12)
    assert_close(last["s"][0], s, 1e-12)


def test_noise_is_seen_through(x64):
    """The leaves that recur adds are those of z_t, with noise or without."""
    cell = wrappers.Zoneout(cell=cells.GRU(hidden_size=3))
    assert isinstance(cell, Noisy)
    agrees(cell, unrolls.Scan(), key=jax.random.key(7))
