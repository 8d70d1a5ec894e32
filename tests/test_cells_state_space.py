"""What SCRN, LMU, S4D, Mamba, PDSSM and SLiCE promise beyond their equations, and what their states ask of unrolls."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, random_like
from unroll_support import arguments, quick, values_and_gradients

import rnnzoo.linen
from rnnzoo import cells, run, structures, unrolls
from rnnzoo.cells.lmu import delay_system
from rnnzoo.counts import nonzeros_of

PARALLEL = (unrolls.Associative(), unrolls.ChunkedAssociative(chunk=3))


def start(cell, features=3, seed=0):
    return cell.init(jax.random.key(seed), features)


# ---- SCRN ----


def test_scrn_context_keeps_a_constant_input(x64):
    """s is an average of B x, which it reaches where x is constant, however slowly."""
    cell = cells.SCRN(hidden_size=4, context=3)
    params, xs = start(cell), jnp.ones((600, 3))
    ys, last = run(cell, params, xs)
    assert ys.shape == (600, 7) and cell.output_size == 7
    assert_close(last["s"], params["b_in"].sum(1), 1e-10)
    assert_close(ys[9, 4:], (1 - 0.95**10) * params["b_in"].sum(1), 1e-12)


def test_scrn_hears_the_new_context(x64):
    cell = cells.SCRN(hidden_size=4, context=3, alpha=0.0)
    params = start(cell)
    params |= {"w": {"h": jnp.zeros((4, 3))}}
    x = inputs(1, (), 3)
    assert_close(run(cell, params, x)[0][0, :4], jax.nn.sigmoid(params["p"] @ params["b_in"] @ x[0]), 1e-12)


def test_scrn_refuses_no_context():
    with pytest.raises(rnnzoo.UsageError, match=r"SCRN\.context is 0; accepted: an integer >= 1"):
        cells.SCRN(hidden_size=4, context=0)


# ---- LMU ----


def legendre(order, positions):
    """Shifted Legendre polynomials at positions from 0 to 1, (order, positions)."""
    return np.stack([np.polynomial.legendre.Legendre.basis(k)(2 * positions - 1) for k in range(order)])


def test_lmu_memory_holds_the_window(x64):
    """The coefficients give back the input of theta' steps ago, for all theta' up to theta."""
    cell = cells.LMU(hidden_size=2, order=12, theta=200.0)
    params = jax.tree.map(jnp.zeros_like, start(cell, 1))
    params["e"]["x"] = jnp.ones(1)
    signal = np.sin(np.arange(1000) / 40)
    m = run(cell, params, jnp.asarray(signal)[:, None])[1]["m"]
    ago = np.arange(0, 200, 10)
    assert_close(legendre(12, (ago + 0.5) / 200).T @ np.asarray(m), signal[999 - ago], 0.01)


@pytest.mark.parametrize(("order", "theta"), [(6, 50.0), (64, 300.0), (256, 784.0)])
def test_lmu_zero_order_hold_is_stable_and_keeps_a_constant(order, theta):
    a, b = delay_system(order, theta, "zoh")
    assert np.abs(np.linalg.eigvals(a)).max() < 1
    kept = np.linalg.solve(np.eye(order) - a, b)  # of the input 1: the polynomial that is 1
    assert_close(kept, np.eye(order)[0], 1e-8)


def test_lmu_euler_nears_the_hold_for_long_windows():
    gaps = [np.abs(delay_system(4, theta, "zoh")[0] - delay_system(4, theta, "euler")[0]).max() for theta in (1e2, 1e3)]
    assert 50 < gaps[0] / gaps[1] < 200  # of second order in 1 / theta


def test_lmu_memory_is_wide_in_low_precision():
    low, high = (cells.LMU(hidden_size=2, dtype=dtype) for dtype in ("bfloat16", None))
    params = jax.tree.map(jnp.zeros_like, start(high, 1))
    states = [run(c, params, jnp.zeros((300, 1)), {"h": jnp.zeros(2), "m": jnp.ones(8)})[1]["m"] for c in (low, high)]
    assert_close(states[0], states[1], 1e-6)


def test_lmu_starts_as_in_the_authors_code():
    params = cells.LMU(hidden_size=3000, structure=structures.Diagonal()).init(jax.random.key(0), 3)
    bound = (3 / 3000) ** 0.5
    assert not params["e"]["m"].any() and 0.9 * bound < abs(params["e"]["h"]).max() <= bound and "b" not in params


# ---- S4D ----


@pytest.mark.parametrize("frequencies", ["lin", "inv", "legs"])
def test_s4d_starts_stable(frequencies):
    cell = cells.S4D(hidden_size=100, pairs=8, frequencies=frequencies)
    params = start(cell)
    assert_close(np.exp(params["a_re"]), np.full((100, 8), 0.5), 1e-6)
    assert np.log(0.001) <= params["step"].min() < params["step"].max() <= np.log(0.1)
    a = cell.prepare(params)["a"]
    assert (np.hypot(a["re"], a["im"]) < 1).all() and a["re"].shape == (800,)
    n = np.arange(8)
    exact = {"lin": np.pi * n, "inv": 16 / np.pi * (16 / (2 * n + 1) - 1)}
    if frequencies in exact:
        assert_close(params["a_im"][3], exact[frequencies].astype(np.float32), 1e-5)


def test_s4d_legs_is_the_normal_part_of_hippo(x64):
    """V diag(A) V* with B as in the same basis is HiPPO-LegS and a term of rank 1, whose powers meet B."""
    params = start(cells.S4D(hidden_size=1, pairs=4, frequencies="legs"))
    a, b = -np.exp(params["a_re"][0]) + 1j * np.asarray(params["a_im"][0]), np.asarray(params["b_re"][0])
    root = np.sqrt(2 * np.arange(8) + 1)
    hippo = -np.tril(np.outer(root, root), -1) - np.diag(np.arange(8) + 1.0)
    normal = hippo + np.outer(root, root) / 2
    assert_close(np.sort(a.imag), np.sort(np.linalg.eigvals(normal).imag)[4:], 1e-9)
    for power in range(4):
        moment = root @ np.linalg.matrix_power(normal, power) @ root
        assert_close(2 * ((a**power) * b**2).sum().real, moment, 1e-8)


def test_s4d_discretizations_agree_for_short_steps(x64):
    params, xs = start(cells.S4D(hidden_size=3, pairs=2)), inputs(50, (), 3)
    gaps = []
    for step in (-4.0, -5.0):
        params["step"] = jnp.full(3, step)
        cases = [cells.S4D(hidden_size=3, pairs=2, discretization=how) for how in ("zoh", "bilinear")]
        ys = [run(cell, params, xs)[0] for cell in cases]
        gaps.append(float(abs(ys[0] - ys[1]).max()))
    assert gaps[1] < 0.3 * gaps[0] < 0.1


def test_s4d_in_elapsed_time(x64):
    """A step of length 2 is two steps of length 1 for an input that is held."""
    cell = cells.S4D(hidden_size=3, pairs=2, elapsed=True)
    params, xs = start(cell), inputs(6, (), 3)
    once, last = run(cell, params, xs, dt=jnp.full(6, 2.0))
    twice, also = run(cell, params, jnp.repeat(xs, 2, 0), dt=jnp.ones(12))
    assert_close((once, last), (twice[1::2], also), 1e-12)
    assert_close(run(cell, params, xs), run(cells.S4D(hidden_size=3, pairs=2), params, xs), 1e-12)


@pytest.mark.parametrize("cell", [cells.S4D, cells.Mamba])
def test_steps_in_the_wrong_order_are_refused(cell):
    with pytest.raises(rnnzoo.UsageError, match=r"\.step_min is 0\.2; accepted: up to step_max, which is 0\.1"):
        cell(hidden_size=4, step_min=0.2)


# ---- Mamba ----


def test_mamba_starts_as_in_the_authors_code():
    params = cells.Mamba(hidden_size=500).init(jax.random.key(0), 3)
    step = np.log1p(np.exp(np.asarray(params["step"]["b"], float)))
    assert 0.00099 < step.min() < 0.0012 and 0.09 < step.max() < 0.1001
    assert_close(np.exp(params["a_log"][7]), np.arange(1.0, 17.0), 1e-5)
    assert params["step"]["w"].shape == (500, 16) and (params["d"] == 1).all()
    high = cells.Mamba(hidden_size=500, step_min=1e-6, step_max=1e-5, step_floor=1e-3).init(jax.random.key(0), 3)
    assert_close(np.log1p(np.exp(np.asarray(high["step"]["b"], float))), np.full(500, 1e-3), 1e-7)


def test_mamba_forgets_at_large_steps_and_keeps_at_small_ones(x64):
    cell = cells.Mamba(hidden_size=2, states=3)
    params, xs, state = start(cell), inputs(4, (), 3), {"h": jnp.ones(6)}
    params["step"]["w"] *= 0
    for shift, kept in ((-40.0, 1.0), (60.0, 0.0)):
        params["step"]["b"] = jnp.full(2, shift)
        params["v"]["b"] *= 0
        assert_close(run(cell, params, xs, state)[1]["h"], jnp.full(6, kept), 1e-12)


def test_mamba_with_one_number_a_channel_is_a_gated_leak(x64):
    """Its decay exp(-softplus(z)) is 1 - sigmoid(z), as in theorem 1 of the paper."""
    cell = cells.Mamba(hidden_size=1, states=1)
    params, xs = start(cell, 1), inputs(6, (), 1)
    params |= {"w": {"h": jnp.ones((1, 1))}, "a_log": jnp.zeros((1, 1))}
    u = np.asarray(xs[:, 0])
    z = float(params["step"]["w"][0, 0] * params["v"]["r"][0, 0]) * u + float(params["step"]["b"][0])
    h, expected = 0.0, []
    for t in range(6):
        g = 1 / (1 + np.exp(-z[t]))
        h = (1 - g) * h + np.log1p(np.exp(z[t])) * u[t] * float(params["v"]["b"][0, 0]) * u[t]
        expected.append(h)
    assert_close(run(cell, params, xs, states=True)[2]["h"][:, 0], np.array(expected), 1e-12)


# ---- PDSSM ----


@pytest.mark.slow
def test_pdssm_can_permute_forever(x64):
    """With abs(D) = 1 in the limit, a cyclic choice is a permutation: the state comes back after N steps."""
    cell = cells.PDSSM(hidden_size=10, choices=1)
    params = jax.tree.map(jnp.zeros_like, start(cell))
    params["dictionary"] = jnp.roll(jnp.eye(5), 1, 0)[None]
    params["magnitude"]["b"], params["phase"]["b"] = jnp.full(5, 50.0), jnp.full(5, -50.0)
    state = {"h": jnp.arange(10.0)}
    for unroll in (unrolls.Scan(), *PARALLEL):
        states = run(cell, params, jnp.zeros((10, 3)), state, states=True, unroll=unroll)[2]["h"]
        assert_close(states[-1], state["h"], 1e-12)
        assert_close(states[0], jnp.roll(state["h"].reshape(2, 5), 1, 1).reshape(-1), 1e-12)


def test_pdssm_is_stable(x64):
    """abs(D) < 1 in all columns, so that the 1-norm of the complex state does not grow without inputs."""
    cell = cells.PDSSM(hidden_size=12)
    params, xs = random_like(jax.random.key(1), start(cell)), inputs(30, (), 3)
    params["w"]["h"] *= 0
    states = run(cell, params, xs, {"h": jnp.arange(12.0)}, states=True)[2]["h"]
    norms = np.hypot(states[:, :6], states[:, 6:]).sum(1)
    assert (np.diff(norms) < 0).all()


@pytest.mark.parametrize("unroll", [unrolls.Scan(), *PARALLEL], ids=lambda unroll: type(unroll).__name__)
def test_pdssm_gradient_is_that_of_a_softmax_in_place_of_the_choice(x64, unroll):
    """By the score M: the derivative of the loss by the matrix P, which is dense, through softmax(M)."""
    cell = cells.PDSSM(hidden_size=6, choices=1)
    params, xs, state = arguments(cell, 5, ())
    n, weights = 3, jnp.cos(jnp.arange(6.0))
    p = cell.prepare(params)
    zs = jax.vmap(cell.project, (None, 0))(p, xs)

    def dense(ps):
        re, im, total = state["h"][:n], state["h"][n:], 0.0
        for t in range(5):
            d_re, d_im = zs["a"]["re"][t], zs["a"]["im"][t]
            re, im = ps[t] @ (d_re * re - d_im * im) + zs["h"][t, :n], ps[t] @ (d_re * im + d_im * re) + zs["h"][t, n:]
            total += (weights * jnp.concatenate([re, im]) ** 2).sum()
        return total

    chosen = jnp.stack([jnp.zeros((n, n)).at[zs["a"]["row"][t], jnp.arange(n)].set(1) for t in range(5)])
    value, by_p = jax.value_and_grad(dense)(chosen)
    score = params["dictionary"][0]
    expected = jax.vjp(lambda m: jax.nn.softmax(m, 0), score)[1](by_p.sum(0))[0]

    def loss(dictionary):
        states = run(cell, params | {"dictionary": dictionary}, xs, state, states=True, unroll=unroll)[2]["h"]
        return (weights * states**2).sum()

    found, gradient = jax.value_and_grad(loss)(params["dictionary"])
    assert_close((found, gradient[0]), (value, expected), 1e-10)
    assert abs(expected).max() > 1e-3


def test_pdssm_choices_are_wide_in_low_precision():
    low, high = (cells.PDSSM(hidden_size=40, dtype=dtype) for dtype in ("bfloat16", None))
    params = start(high)
    x = jnp.asarray(inputs(20, (), 3), jnp.bfloat16)
    rows = [jax.vmap(cell.project, (None, 0))(cell.prepare(params), x)["a"]["row"] for cell in (low, high)]
    np.testing.assert_array_equal(*rows)


def test_pdssm_refuses_odd_sizes():
    with pytest.raises(rnnzoo.UsageError, match="does not fit hidden_size 5; accepted: an even number"):
        cells.PDSSM(hidden_size=5)


def test_products_of_one_number_in_each_column_take_no_scores():
    """In a parallel prefix only rows and values are composed: O(H), not O(H^2)."""
    structure = structures.OnePerColumn()
    u = structure.init(jax.random.key(0), 7)
    a = structure.bare(structure.materialize(u))
    assert sum(leaf.size for leaf in jax.tree.leaves(structure.compose(a, a))) == 14
    for cell in (cells.PDSSM(hidden_size=64), cells.LRU(hidden_size=64), cells.S4D(hidden_size=64)):
        assert unrolls.Auto().choose(cell, 1000, 8, "gpu")[0] == unrolls.Associative()


# ---- SLiCE ----


@pytest.mark.parametrize("block", [1, 2])
def test_slice_starts_from_its_first_input(x64, block):
    cell = cells.SLiCE(hidden_size=4, block=block)
    params, xs = start(cell), inputs(5, (2,), 3)
    first = cell.start(params, xs[0])
    assert_close(first["h"][1], params["start"]["w"] @ xs[0, 1] + params["start"]["b"])
    y, _ = run(cell, params, xs[1:2], first)
    h, matrix = first["h"][0], np.zeros((4, 4))
    entries = np.asarray(params["w"]["a"] @ xs[1, 0] + params["b"]["a"]).reshape(-1, block, block)
    for k in range(4 // block):
        matrix[k * block : (k + 1) * block, k * block : (k + 1) * block] = entries[k]
    assert_close(y[0, 0], h + matrix @ h / 40, 1e-12)


def test_slice_without_a_state_given_starts_from_a_learned_one(x64):
    cell = cells.SLiCE(hidden_size=4)
    params, xs = start(cell), inputs(5, (2,), 3)
    learned = cell.start(params, jnp.zeros((2, 3)))
    assert_close(run(cell, params, xs), run(cell, params, xs, learned), 0)
    resets = jnp.zeros((5, 2), bool).at[3].set(True)
    ys, _ = run(cell, params, xs, resets=resets)
    assert_close(ys[3:], run(cell, params, xs[3:])[0], 1e-12)
    gradient = jax.grad(lambda p: run(cell, p, xs)[0].sum())(params)
    assert jnp.abs(gradient["start"]["b"]).min() > 0


def test_slice_is_linear_in_the_state_and_inputs_add_nothing(x64):
    cell = cells.SLiCE(hidden_size=4, block=2)
    params, xs = start(cell), inputs(5, (), 3)
    assert not run(cell, params, xs, {"h": jnp.zeros(4)})[0].any()
    one, two = (run(cell, params, xs, {"h": scale * jnp.arange(4.0)})[0] for scale in (1, -3))
    assert_close(-3 * one, two, 1e-12)


def test_slice_blocks_of_one_are_the_diagonal(x64):
    cell = cells.SLiCE(hidden_size=4)
    assert cell.transition == structures.Diagonal()
    with pytest.raises(rnnzoo.UsageError, match="does not fit hidden_size 4; accepted: block of 1, 2 or 4"):
        cells.SLiCE(hidden_size=4, block=3)


# ---- states of other sizes ----


FIELDS = [cells.S4D(hidden_size=3, pairs=2, elapsed=True), cells.SLiCE(hidden_size=6, block=3)]


@pytest.mark.parametrize("cell", FIELDS, ids=lambda cell: type(cell).__name__)
def test_parallel_over_time_with_lengths_and_resets(x64, cell):
    args = arguments(cell)
    options = {"lengths": jnp.array([4, 0, 2]), "resets": jnp.zeros((4, 3), bool).at[jnp.array([0, 2])].set(True)}
    if cell.uses_dt:
        options["dt"] = jnp.linspace(0.5, 2.0, 12).reshape(4, 3)
    got = quick(functools.partial(values_and_gradients, cell, unrolls.Associative(), **options))(args)
    assert_close(got, values_and_gradients(cell, unrolls.Loop(), args, **options))


def test_a_state_with_many_numbers_a_unit_is_counted_as_such():
    assert nonzeros_of(cells.Mamba(hidden_size=4)) == 64
    assert nonzeros_of(cells.S4D(hidden_size=4)) == 2 * 256
    assert not cells.Mamba(hidden_size=4).elementwise and cells.LRU(hidden_size=4).elementwise


def test_a_learned_state_is_the_first_carry_of_flax(x64):
    """Before there are parameters, that of new ones, drawn from the key."""
    cell, key = cells.SLiCE(hidden_size=4), jax.random.key(3)
    carry = rnnzoo.linen.RNNCell(cell=cell).initialize_carry(key, (2, 3))
    assert_close(carry, cell.start(cell.init(key, 3), jnp.zeros((2, 3))))
