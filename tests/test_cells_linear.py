"""Linear and nearly linear cells: what their papers promise beyond the equations."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, random_like

import rnnzoo
from rnnzoo import cells, run, structures
from rnnzoo.cells.mingru import positive
from rnnzoo.cells.rg_lru import root

KEY = jax.random.key(0)


def affine_at_first(cell, features=3, dt=1.0):
    """A_t as a dense matrix, and b_t, of a fresh cell at one input."""
    params = cell.prepare(cell.init(KEY, features))
    x_t = jax.random.normal(jax.random.key(1), (features,))
    x_t = jnp.append(x_t, dt) if cell.uses_dt else x_t
    a_t, b_t = cell.affine(params, cell.project(params, x_t))
    return jax.vmap(cell.transition.matvec, (None, 0), 1)(a_t, jnp.eye(cell.hidden_size)), b_t


def moduli(cell, **options):
    return abs(np.linalg.eigvals(np.asarray(affine_at_first(cell, **options)[0])))


def refused(message, kind, **fields):
    with pytest.raises(rnnzoo.UsageError, match=message):
        kind(**fields)


# ---- T-RNN, SRU, GILR-LSTM -------------------------------------------------------------------------------


def test_trnn_averages_its_inputs_and_only_its_gate_has_a_bias(x64):
    cell = cells.TRNN(hidden_size=4)
    params = cell.init(KEY, 3)
    assert params["b"].keys() == {"f"}
    x = jnp.array([0.3, -2.0, 1.0])
    n = params["w"]["n"] @ x
    ys, _ = run(cell, params, jnp.tile(x, (200, 1)))
    assert (jnp.abs(ys) <= jnp.abs(n)).all()
    assert_close(ys[-1], n, 1e-12)


def sru(**fields):
    cell = cells.SRU(**fields)
    return cell, random_like(KEY, cell.init(KEY, 3), 0.8)


def test_sru_without_v_is_a_trnn(x64):
    cell, params = sru(hidden_size=4)
    params["u"] = {g: jnp.zeros(4) for g in "fr"}
    xs = inputs(9, (2,), 3)
    plain = cells.TRNN(hidden_size=4)
    averaged = {"w": {g: params["w"][g] for g in "nf"}, "b": {"f": params["b"]["f"]}}
    c, last = run(plain, averaged, xs)
    ys, state = run(cell, params, xs)
    assert_close(state["c"], last["h"], 1e-14)
    r = jax.nn.sigmoid(xs @ params["w"]["r"].T + params["b"]["r"])
    assert_close(ys, r * c + (1 - r) * (xs @ params["skip"].T), 1e-13)


@pytest.mark.parametrize("rescale", [False, True])
def test_sru_passes_inputs_of_its_own_size_on(x64, rescale):
    cell = cells.SRU(hidden_size=3, highway_bias=-2.0, rescale=rescale)
    params = cell.init(KEY, 3)
    assert "skip" not in params and (params["b"]["r"] == -2).all()
    params["b"]["r"] -= 800  # the highway takes all
    xs = inputs(5, (2,), 3)
    scale = np.sqrt(1 + 2 * np.exp(-2)) if rescale else 1
    assert_close(run(cell, params, xs)[0], scale * xs, 1e-13)


def test_sru_without_skip_is_0_where_its_gate_is_shut():
    cell = cells.SRU(hidden_size=3, skip=False)
    params = cell.init(KEY, 3)
    params["b"]["r"] -= 200
    assert abs(run(cell, params, inputs(5, (2,), 3))[0]).max() < 1e-6
    assert "skip" not in cells.SRU(hidden_size=4, skip=False).init(KEY, 3)


def test_sru_starts_at_the_variances_of_its_code():
    size, features = 500, 300
    params = cells.SRU(hidden_size=size).init(KEY, features)
    variances = {g: float(w.var()) * features for g, w in params["w"].items()}
    assert variances == pytest.approx({"n": 1, "f": 0.5, "r": 0.5}, rel=0.02)
    assert float(params["skip"].var()) * features == pytest.approx(3, rel=0.02)
    for u in params["u"].values():
        assert float(u.var()) == pytest.approx(0.5, rel=0.15) and abs(u).max() <= np.sqrt(1.5)
    assert not jnp.array_equal(params["u"]["f"], params["u"]["r"])
    dense = cells.SRU(hidden_size=6, structure=structures.Dense())
    expected = structures.Dense().init(KEY, 6)
    assert dense.init(KEY, 3)["u"]["f"].shape == expected.shape


def test_gilr_gates(x64):
    """s is a convex mix of its past and an impulse in (-1, 1); both gates shut keep the state as it is."""
    cell = cells.GILRLSTM(hidden_size=4)
    params = cell.init(KEY, 3)
    assert (params["b"]["f"] == 5).all() and not params["b"]["i"].any()
    xs = 30 * inputs(50, (2,), 3)
    ys, last = run(cell, params, xs)
    assert jnp.isfinite(ys).all() and abs(last["s"]).max() <= 1
    params["w"] = jax.tree.map(jnp.zeros_like, params["w"])
    params["u"] = jax.tree.map(jnp.zeros_like, params["u"])
    params["b"] |= {"g": jnp.full(4, 800.0), "f": jnp.full(4, 800.0), "i": jnp.full(4, -800.0)}
    state = {"s": jnp.full((2, 4), 0.3), "c": jnp.full((2, 4), -2.0)}
    ys, last = run(cell, params, xs, state)
    assert_close(last, state, 1e-14)
    assert_close(ys, jnp.full((50, 2, 4), -1.0), 1e-14)  # o is a half, and there is no tanh


def test_gilr_surrogate_hears_inputs_alone(x64):
    cell = cells.GILRLSTM(hidden_size=4)
    params = random_like(KEY, cell.init(KEY, 3))
    xs, other = inputs(7, (2,), 3), cells.TRNN(hidden_size=4)
    changed = params | {"u": random_like(jax.random.key(5), params["u"])}
    (ys, last), (zs, same) = run(cell, params, xs), run(cell, changed, xs)
    assert_close(last["s"], same["s"], 0)
    assert abs(ys - zs).max() > 1e-3
    state = other.initial_state(params)["h"]
    for x in xs:
        g = jax.nn.sigmoid(x @ params["w"]["g"].T + params["b"]["g"])
        state = g * state + (1 - g) * jnp.tanh(x @ params["w"]["j"].T + params["b"]["j"])
    assert_close(last["s"], state, 1e-14)


# ---- minimal GRUs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_mingru_is_its_scan_in_logarithms(x64, scale):
    """The form of the paper's appendix B (Heinsen 2023), for a positive first state."""
    cell = cells.MinGRU(hidden_size=4)
    params = random_like(KEY, cell.init(KEY, 3), scale)
    xs, h_0 = inputs(12, (), 3), jnp.array([0.1, 0.5, 2.0, 40.0])
    z, n = (xs @ params["w"][g].T + params["b"][g] for g in "zn")
    decay = jnp.cumsum(-jax.nn.softplus(z), 0)
    values = -jax.nn.softplus(-z) + jnp.log(jax.vmap(positive)(n))
    total = jax.lax.cumlogsumexp(jnp.concatenate([jnp.log(h_0)[None], values - decay]))
    assert_close(run(cell, params, xs, {"h": h_0})[0], jnp.exp(decay + total[1:]), 1e-10)


@pytest.mark.parametrize("coupled", [False, True])
def test_signed_mingru_counts_parity_unless_coupled(x64, coupled):
    cell = cells.SignedMinGRU(hidden_size=1, coupled=coupled)
    params = jax.tree.map(jnp.zeros_like, cell.init(KEY, 1))
    params["w"]["s"], params["b"]["s"] = jnp.array([[-80.0]]), jnp.array([40.0])  # flips at 1, stays at 0
    bits = jax.random.bernoulli(KEY, shape=(200, 1)).astype(float)
    expected = 1 - 2 * (jnp.cumsum(bits, 0) % 2)
    ys, _ = run(cell, params, bits, {"h": jnp.ones(1)})
    scale = 0.5 ** jnp.arange(1, 201)[:, None] if coupled else 1  # i is a half, and so is what a unit keeps
    assert_close(ys, scale * expected, 1e-12)


def rotation(**fields):
    cell = cells.RotationMinGRU(**fields)
    params = random_like(KEY, cell.init(KEY, 3))
    return cell, params


def test_rotations_are_multiples_of_their_step(x64):
    cell, params = rotation(hidden_size=16)
    z_t = cell.project(params, jnp.array([0.2, -3.0, 1.5]))
    a_t, _ = cell.affine(params, z_t)
    angles = np.arctan2(a_t[:, 1, 0], a_t[:, 0, 0])
    steps = 2 * np.pi / np.tile([2, 3, 4, 6], 2)
    turns = angles / steps
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-12)
    assert np.abs(angles - np.angle(np.exp(1j * np.asarray(z_t["theta"])))).max() > 0.01
    np.testing.assert_allclose(np.linalg.det(a_t), np.tanh(z_t["u"]), atol=1e-12)


def test_rotations_have_the_derivative_of_the_angle_before_it_is_snapped(x64):
    cell, params = rotation(hidden_size=2, snap=(4,))
    params["w"] = jax.tree.map(jnp.zeros_like, params["w"])
    params["b"] = {"z": jnp.full(2, -800.0), "n": jnp.zeros(2), "u": jnp.full(1, 800.0), "theta": jnp.full(1, 1.4)}

    def first(theta):
        ys, _ = run(cell, params | {"b": params["b"] | {"theta": theta}}, jnp.zeros((1, 3)), {"h": jnp.array([1.0, 0])})
        return ys[0]

    assert_close(first(jnp.array([1.4])), jnp.array([0.0, 1.0]), 1e-14)  # a quarter
    assert_close(jax.jacobian(first)(jnp.array([1.4]))[:, 0], jnp.array([-1.0, 0.0]), 1e-14)


def test_rotations_keep_norms_and_do_not_commute(x64):
    cell, params = rotation(hidden_size=6, snap=None)
    params["b"] |= {"z": params["b"]["z"] - 900, "u": params["b"]["u"] + 900}
    xs, h_0 = inputs(30, (), 3), jnp.arange(6.0)
    ys, _ = run(cell, params, xs, {"h": h_0})
    planes = jnp.linalg.norm(ys.reshape(30, 3, 2), axis=-1)
    assert_close(planes, jnp.tile(jnp.linalg.norm(h_0.reshape(3, 2), axis=-1), (30, 1)), 1e-12)
    cell, params = rotation(hidden_size=6)
    a, b = (cell.affine(params, cell.project(params, x))[0] for x in xs[:2])
    assert abs(a @ b - b @ a).max() > 0.01


# ---- RG-LRU ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{}, {"complex": True}, {"r_min": 0.5, "r_max": 0.6, "c": 2.0}], ids=str)
def test_rglru_decay_starts_in_its_range(fields):
    cell = cells.RGLRU(hidden_size=4000, heads=1000, **fields)
    params = cell.init(KEY, 1)
    low, high = cell.r_min, cell.r_max
    decay = np.exp(-cell.c * jax.nn.softplus(params["lambda"]))  # the paper's a**c
    assert low - 1e-4 <= decay.min() < low + 0.01 * (high - low) + 1e-4
    assert high - 0.01 * (high - low) - 1e-4 < decay.max() <= high + 1e-4
    assert abs(decay.mean() - (low + high) / 2) < 0.03 * (high - low)
    if cell.complex:
        assert params["theta"].min() >= 0 and 0.09 * np.pi < params["theta"].max() <= 0.1 * np.pi
    assert float(params["v"]["a"].var()) * 4 == pytest.approx(1, rel=0.1)


def test_rglru_keeps_the_variance_of_what_it_hears(x64):
    """The factors of past and present are a point on the circle."""
    for cell in (cells.RGLRU(hidden_size=6), cells.RGLRU(hidden_size=6, complex=True)):
        params = cell.init(KEY, 3)
        prepared = cell.prepare(params)
        z_t = cell.project(prepared, jnp.array([0.4, -1.0, 2.0]))
        a_t, b_t = cell.affine(prepared, z_t | {"i": z_t["i"] * 0 + 900})
        square = a_t["re"] ** 2 + a_t["im"] ** 2 if cell.complex else a_t**2
        gain = (b_t / z_t["h"])[: square.size]
        assert_close(square + gain**2, jnp.ones_like(square), 1e-12)


def test_rglru_first_step_and_reset_are_those_of_a_zero_state(x64):
    """The authors' code has 1 in place of the root there."""
    cell = cells.RGLRU(hidden_size=4)
    params = cell.init(KEY, 3)
    xs = inputs(3, (1,), 3)
    ys, _ = run(cell, params, xs, resets=jnp.array([[False], [False], [True]]))
    assert_close(ys[2], run(cell, params, xs[2:])[0][0], 1e-14)
    u = xs[2, 0] @ params["w"]["h"].T
    r, i = (jax.nn.sigmoid(params["v"][g][0] @ u) for g in "ai")
    theirs = i * u
    square = jnp.exp(-2 * cell.c * jax.nn.softplus(params["lambda"]) * r)
    assert_close(ys[2, 0], jnp.sqrt(1 - square) * theirs, 1e-13)


def test_rglru_blocks_of_gates_hear_their_own_inputs(x64):
    cell = cells.RGLRU(hidden_size=6, heads=3)
    params = cell.init(KEY, 6)
    params["w"]["h"] = jnp.eye(6)
    gates = jax.jacobian(lambda x: cell.project(params, x)["a"])(jnp.ones(6))
    heard = np.kron(np.eye(3), np.ones((2, 2)))
    assert ((gates != 0) == (heard != 0)).all()


def test_root_has_a_bounded_derivative(x64):
    x = jnp.array([0.0, 1e-9, 0.25, 1.0])
    assert_close(root(x), jnp.sqrt(x), 0)
    expected = jnp.array([1000.0, 1000.0, 1.0, 0.5])
    assert_close(jax.grad(lambda x: root(x).sum())(x), expected, 1e-14)
    assert_close(jax.jvp(root, (x,), (jnp.ones(4),))[1], expected, 1e-14)


def test_rglru_gradients_are_finite_where_nothing_is_forgotten():
    cell = cells.RGLRU(hidden_size=4)
    params = cell.init(KEY, 3)
    params["lambda"] -= 100
    grads = jax.grad(lambda p: run(cell, p, inputs(5, (), 3))[0].sum())(params)
    assert all(jnp.isfinite(g).all() for g in jax.tree.leaves(grads))


# ---- HGRN ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [cells.HGRN, cells.RealHGRN])
@pytest.mark.parametrize("bound", [0.0, 0.7])
def test_hgrn_forgets_no_more_than_its_bound_allows(x64, kind, bound):
    cell = kind(hidden_size=6, lower_bound=bound)
    params = random_like(KEY, cell.init(KEY, 3), 20.0)
    for x in inputs(20, (), 3):
        a_t, _ = cell.affine(cell.prepare(params), cell.project(cell.prepare(params), x))
        f_t = a_t if kind is cells.RealHGRN else jnp.hypot(a_t["re"], a_t["im"])
        assert (bound <= f_t + 1e-14).all() and (f_t <= 1 + 1e-14).all()


def test_hgrn_without_rotation_is_two_real_ones(x64):
    cell, real = cells.HGRN(hidden_size=6), cells.RealHGRN(hidden_size=6)
    params = random_like(KEY, cell.init(KEY, 3))
    params["theta"] = jnp.zeros(3)
    both = {p: v | {"f": jnp.concatenate([v["f"], v["f"]])} for p, v in params.items() if p != "theta"}
    xs = inputs(6, (2,), 3)
    assert_close(run(cell, params, xs), run(real, both, xs), 1e-14)


def test_hgrn_phases_start_as_positions_of_transformers_do():
    theta = cells.HGRN(hidden_size=8).init(KEY, 3)["theta"]
    np.testing.assert_allclose(theta, 10000.0 ** (-2 / 4 * np.arange(4)), rtol=1e-6)


# ---- state spaces ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        cells.LRU(hidden_size=16),
        cells.LRU(hidden_size=16, r_min=0.99, r_max=0.999),
        cells.S5(hidden_size=16),
        cells.S5(hidden_size=16, blocks=4, discretization="bilinear", dt_min=0.5, dt_max=3.0),
    ],
    ids=str,
)
def test_state_spaces_start_stable(cell):
    assert moduli(cell).max() < 1


def test_s5_starts_as_hippo_n(x64):
    """In the basis of its eigenvectors the start is the dense system with the normal part of HiPPO-LegS."""
    cell = cells.S5(hidden_size=8, features=2)
    params = cell.init(KEY, 3)
    n = np.arange(8)
    hippo = -np.tril(np.sqrt(np.outer(2 * n + 1, 2 * n + 1)), -1) - np.diag(n + 1.0)
    normal = hippo + np.outer(np.sqrt(n + 0.5), np.sqrt(n + 0.5))
    eigenvalues = np.linalg.eigvals(normal)
    found = np.concatenate([params["re"] + 1j * params["im"], params["re"] - 1j * params["im"]])
    np.testing.assert_allclose(np.sort(np.imag(found)), np.sort(eigenvalues.imag), atol=1e-10)
    np.testing.assert_allclose(np.real(found), -0.5)
    # The response of the pairs is that of the whole system, whose B is real.
    b = params["w"]["h"][:4] + 1j * params["w"]["h"][4:]
    modes = found[:4]
    lifted = np.stack([normal_vector(normal, m) for m in modes], 1)
    dense = 2 * np.real(lifted @ np.asarray(b))
    np.testing.assert_allclose(2 * np.real(lifted @ (modes[:, None] * b)), normal @ dense, atol=1e-8)


def normal_vector(matrix, eigenvalue):
    """The unit eigenvector of a normal matrix, its first entry positive."""
    _, _, rows = np.linalg.svd(matrix - eigenvalue * np.eye(len(matrix)))
    vector = rows[-1].conj()
    return vector * np.exp(-1j * np.angle(vector[0]))


def test_s5_steps_start_log_uniform():
    step = np.exp(cells.S5(hidden_size=4000, blocks=1000, features=1, dt_min=0.01, dt_max=1.0).init(KEY, 1)["step"])
    assert 0.01 <= step.min() < 0.011 and 0.9 < step.max() <= 1
    assert abs(np.log(step).mean() - np.log(0.1)) < 0.1


@pytest.mark.parametrize("discretization", ["zoh", "bilinear"])
def test_s5_times_multiply_its_steps(x64, discretization):
    cell = cells.S5(hidden_size=6, discretization=discretization)
    params = cell.init(KEY, 3)
    xs = inputs(5, (2,), 3)
    slow = params | {"step": params["step"] + jnp.log(0.3)}
    assert_close(run(cell, params, xs, dt=jnp.full((5, 2), 0.3)), run(cell, slow, xs), 1e-13)


def test_s5_hold_is_exact_for_inputs_that_stay(x64):
    """Two half steps with one input are one step."""
    cell = cells.S5(hidden_size=6)
    params = cell.init(KEY, 3)
    x = inputs(1, (), 3)
    _, once = run(cell, params, x)
    _, twice = run(cell, params, jnp.tile(x, (2, 1)), dt=jnp.full(2, 0.5))
    assert_close(once, twice, 1e-13)


def test_s5_hold_keeps_its_digits_at_short_steps():
    """(exp(lambda step) - 1) / lambda, where the difference would be lost in float32; and its limit at lambda = 0."""
    cell = cells.S5(hidden_size=2)
    params = {"re": jnp.array([-1e-4]), "im": jnp.array([1e-4]), "step": jnp.log(jnp.array([1e-3]))}
    z_t = {"h": jnp.array([1.0, 0.0]), "dt": jnp.float32(1)}
    for rates in (params, params | {"re": jnp.zeros(1), "im": jnp.zeros(1)}):
        _, b_t = cell.affine(cell.prepare(rates), z_t)
        np.testing.assert_allclose(b_t[0], 1e-3, rtol=1e-5)

    def total(rates):
        return cell.affine(cell.prepare(rates), z_t)[1].sum()

    grads = jax.grad(total)(params | {"re": jnp.zeros(1), "im": jnp.zeros(1)})
    assert all(jnp.isfinite(g).all() for g in jax.tree.leaves(grads))


def test_s5_clips_what_would_grow():
    for clip in (False, True):
        cell = cells.S5(hidden_size=4, clip=clip)
        params = cell.init(KEY, 3) | {"re": jnp.array([0.5, -0.5])}
        a_t, _ = cell.affine(cell.prepare(params), cell.project(cell.prepare(params), jnp.ones(4)))
        assert (float(jnp.hypot(a_t["re"], a_t["im"]).max()) < 1) == clip


@pytest.mark.parametrize("size", [4, 16])
def test_linoss_energy(x64, size):
    """IM loses energy; IMEX keeps it: all eigenvalues on the unit circle. D-LinOSS starts on the ring it says."""
    im = moduli(cells.LinOSS(hidden_size=size))
    assert im.max() < 1 and im.min() > 0.5
    np.testing.assert_allclose(moduli(cells.LinOSS(hidden_size=size, discretization="imex")), 1, atol=1e-7)
    damped = moduli(cells.LinOSS(hidden_size=size, discretization="imex", damping=True))
    assert 0.9 - 1e-6 <= damped.min() and damped.max() < 1
    assert damped.max() - damped.min() > 0.001


def test_linoss_stays_stable_whatever_is_learned(x64):
    for fields in ({}, {"discretization": "imex", "damping": True}):
        cell = cells.LinOSS(hidden_size=60, **fields)
        params = cell.init(KEY, 1)
        params |= {n: 3 * jax.random.normal(jax.random.key(i), v.shape) for i, (n, v) in enumerate(params.items())
                   if n in ("a", "step", "g")}  # fmt: skip
        prepared = cell.prepare(params)
        a_t, _ = cell.affine(prepared, cell.project(prepared, jnp.ones(2)))
        dense = jax.vmap(cell.transition.matvec, (None, 0), 1)(a_t, jnp.eye(60))
        assert abs(np.linalg.eigvals(np.asarray(dense))).max() < 1 + 1e-9


def test_linoss_of_complex_numbers_is_pairs_of_oscillators(x64):
    fields = {"discretization": "imex", "damping": True, "bias": True}
    cell, real = cells.LinOSS(hidden_size=8, complex=True, **fields), cells.LinOSS(hidden_size=8, **fields)
    params = cell.init(KEY, 3)
    pairs = params | {name: jnp.tile(params[name], 2) for name in ("a", "step", "g")}
    assert params["a"].shape == (2,)
    xs = inputs(6, (2,), 3)
    assert_close(run(cell, params, xs), run(real, pairs, xs), 1e-14)


def test_linoss_without_friction_swings(x64):
    """One oscillator, left alone: the frequency is that of the equation, and IMEX comes back to where it was."""
    cell = cells.LinOSS(hidden_size=2, discretization="imex", features=1)
    params = cell.init(KEY, 1)
    params |= {"a": jnp.array([1.0]), "step": jnp.array([-4.0]), "c": jnp.ones((1, 1))}
    step = jax.nn.sigmoid(-4.0)
    time = round(2 * np.pi / float(step))
    ys, _ = run(cell, params, jnp.zeros((time, 1)), {"h": jnp.array([0.0, 1.0])})
    assert abs(ys[-1, 0] - 1) < 0.01 and abs(ys[time // 2, 0] + 1) < 0.01


@pytest.mark.parametrize("damping", [False, True])
def test_linoss_times_multiply_its_steps(x64, damping):
    cell = cells.LinOSS(hidden_size=4, discretization="imex", damping=damping)
    params = cell.init(KEY, 3)
    x_t, dt = jnp.ones(3), 0.25
    prepared = cell.prepare(params)
    a_t, _ = cell.affine(prepared, cell.project(prepared, jnp.append(x_t, dt)))
    slow = prepared | {"step": dt * prepared["step"]}
    assert_close(a_t, cell.affine(slow, cell.project(slow, jnp.append(x_t, 1.0)))[0], 1e-14)


# ---- refusals --------------------------------------------------------------------------------------------


def test_what_cannot_be_is_refused():
    odd = functools.partial(refused, r"hidden_size 5; accepted: an even number")
    odd(cells.HGRN, hidden_size=5)
    odd(cells.S5, hidden_size=5)
    odd(cells.RGLRU, hidden_size=5, complex=True)
    refused("5", cells.RotationMinGRU, hidden_size=5)
    refused(r"RotationMinGRU.snap is \(\); accepted: None", cells.RotationMinGRU, hidden_size=4, snap=())
    refused("snap", cells.RotationMinGRU, hidden_size=4, snap=(2, 0))
    refused("RGLRU.heads is 4; accepted: a divisor of 6", cells.RGLRU, hidden_size=6, heads=4)
    refused("RGLRU.heads is 2; accepted: a divisor of 3", cells.RGLRU, hidden_size=6, heads=2, complex=True)
    refused(r"RGLRU.r_min is 0.9 and r_max is 0.5; accepted: 0 < r_min", cells.RGLRU, hidden_size=6, r_max=0.5)
    refused("HGRN.lower_bound is 1", cells.HGRN, hidden_size=6, lower_bound=1.0)
    refused("RealHGRN.lower_bound is 1", cells.RealHGRN, hidden_size=6, lower_bound=1.0)
    refused("SRU.highway_bias", cells.SRU, hidden_size=6, highway_bias=1.0)
    refused("S5.blocks is 2; accepted: a divisor of 3", cells.S5, hidden_size=6, blocks=2)
    refused(r"S5.dt_min is 1.0; accepted: a number up to dt_max", cells.S5, hidden_size=6, dt_min=1.0)
    refused("LinOSS.hidden_size is 5; accepted: an even number", cells.LinOSS, hidden_size=5)
    refused("LinOSS.hidden_size is 6; accepted: a number divisible by 4", cells.LinOSS, hidden_size=6, complex=True)
    refused("LinOSS.damping is True for discretization 'im'", cells.LinOSS, hidden_size=4, damping=True)
