"""Cells from differential equations, orthogonal matrices and highways: what is promised beyond their equations."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, random_like

import rnnzoo
from rnnzoo import cells, run, structures
from rnnzoo.cells.modrelu_rnn import modrelu

KEY = jax.random.key(0)


def drawn(cell, scale=1.0, features=3):
    return random_like(KEY, cell.init(KEY, features), scale)


def after(cell, params, state, x=None):
    """The state after one step with this input, or none."""
    x = jnp.zeros(3) if x is None else x
    return run(cell, params, x[None], state)[1]


def jacobian(cell, params, state, x=None):
    """Of one step, all vectors of the state put one after the other, in the order of `carries`."""

    def flat(h):
        parts = jnp.split(h, len(cell.carries))
        found = after(cell, params, dict(zip(cell.carries, parts, strict=True)), x)
        return jnp.concatenate([found[name] for name in cell.carries])

    return np.asarray(jax.jacobian(flat)(jnp.concatenate([state[name] for name in cell.carries])))


def norms(cell, params, h, time):
    return jnp.linalg.norm(run(cell, params, jnp.zeros((time, 3)), {"h": h})[0], axis=-1)


# ---- leaky ---------------------------------------------------------------------------------------------------


def test_a_leaky_network_that_keeps_nothing_is_an_elman_network(x64):
    leaky, elman = cells.LeakyRNN(hidden_size=5, leak=1.0), cells.Elman(hidden_size=5)
    params, xs = drawn(elman), inputs(6, (2,), 3)
    assert_close(run(leaky, params, xs), run(elman, params, xs), 1e-14)


def test_elapsed_time_multiplies_the_leak(x64):
    slow, fast = (cells.LeakyRNN(hidden_size=5, leak=leak) for leak in (0.2, 0.6))
    params, xs = drawn(slow), inputs(6, (2,), 3)
    assert_close(run(slow, params, xs, dt=jnp.full((6, 2), 3.0)), run(fast, params, xs), 1e-14)


def test_a_leaky_network_comes_to_rest_at_the_same_pace_in_small_and_large_steps(x64):
    cell = cells.LeakyRNN(hidden_size=1, leak=0.1, bias=False)
    params = jax.tree.map(jnp.zeros_like, cell.init(KEY, 1))
    ends = [
        run(cell, params, jnp.zeros((n, 1)), {"h": jnp.ones(1)}, dt=jnp.full(n, 10 / n))[1]["h"][0] for n in (100, 200)
    ]
    errors = [abs(end - np.exp(-1)) for end in ends]
    assert errors[0] < 2e-3 and 1.9 < errors[0] / errors[1] < 2.1


# ---- LEM -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step_size", [1.0, 0.3])
def test_lem_moves_to_one_no_faster_than_its_step(x64, step_size):
    cell = cells.LEM(hidden_size=8, step_size=step_size)
    xs = inputs(12, (16,), 3) * 100
    _, _, states = run(cell, drawn(cell), xs, states=True)
    most = 1 - (1 - step_size) ** jnp.arange(1, 13)
    for state in states.values():
        largest = jnp.abs(state).max((1, 2))
        assert (largest <= most + 1e-14).all() and largest[0] > 0.99 * step_size


def test_lem_starts_uniform():
    params = cells.LEM(hidden_size=64).init(KEY, 50)
    for gate in "pqcy":
        for name in "wb":
            assert 0.9 / 8 < jnp.abs(params[name][gate]).max() <= 1 / 8
    assert jnp.abs(params["w"]["p"] - params["w"]["q"]).max() > 0.1
    with_own = cells.LEM(hidden_size=64, kernel_init=rnnzoo.initializers.Uniform(limit=2.0)).init(KEY, 50)
    assert jnp.abs(with_own["w"]["p"]).max() > 1.9 and jnp.abs(with_own["b"]["p"]).max() <= 1 / 8


# ---- oscillators ---------------------------------------------------------------------------------------------


def test_an_overdamped_oscillator_stays_within_the_force_over_its_gamma(x64):
    cell = cells.CoRNN(hidden_size=8)  # epsilon**2 > 4 * gamma
    params = drawn(cell)
    ys, _ = run(cell, params, inputs(300, (4,), 3) * 1000)
    assert 0.2 / cell.gamma < jnp.abs(ys).max() <= 1 / cell.gamma
    ys, _ = run(cell, params, jnp.broadcast_to(inputs(1, (), 3) * 1000, (300, 3)))
    assert_close(jnp.abs(ys[-1]), jnp.full(8, 1 / cell.gamma), 1e-3)


def test_without_input_an_oscillator_is_the_damped_one_of_physics(x64):
    gamma, epsilon = 5.0, 1.0
    cell = cells.CoRNN(hidden_size=1, gamma=gamma, epsilon=epsilon, step_size=1.0, bias=False)
    params = jax.tree.map(jnp.zeros_like, cell.init(KEY, 1))
    start = {"v": jnp.zeros(1), "y": jnp.ones(1)}
    pace = np.sqrt(gamma - epsilon**2 / 4)
    exact = np.exp(-epsilon / 2) * (np.cos(pace) + epsilon / (2 * pace) * np.sin(pace))
    found = [run(cell, params, jnp.zeros((n, 1)), start, dt=jnp.full(n, 1 / n))[1]["y"][0] for n in (400, 800)]
    errors = [abs(y - exact) for y in found]
    assert errors[0] < 5e-3 and 1.9 < errors[0] / errors[1] < 2.1


def test_oscillators_of_their_own_that_are_alike_are_those_with_one_gamma(x64):
    alike = cells.CoRNN(hidden_size=5)
    own = dataclasses.replace(alike, gamma_range=0.0, epsilon_range=0.0)
    params = drawn(alike)
    both = params | {"gamma": jnp.full(5, alike.gamma), "epsilon": jnp.full(5, alike.epsilon)}
    assert jax.tree.structure(own.init(KEY, 3)) == jax.tree.structure(both)
    xs = inputs(6, (2,), 3)
    assert_close(run(own, both, xs), run(alike, params, xs), 1e-14)


def test_oscillators_of_their_own_start_within_their_range_and_ron_hears_no_velocity():
    cell = cells.CoRNN(hidden_size=2000, gamma=3.0, gamma_range=2.0, epsilon_range=0.5, hears_velocity=False)
    params = jax.eval_shape(lambda: cell.init(KEY, 1))
    assert set(params["u"]) == {"y"} and {"gamma", "epsilon"} <= set(params)
    small = dataclasses.replace(cell, structure=structures.Diagonal()).init(KEY, 1)
    for name, low, high in (("gamma", 2.0, 4.0), ("epsilon", 4.45, 4.95)):
        assert low <= small[name].min() < low + 0.01 and high - 0.01 < small[name].max() <= high
    with pytest.raises(rnnzoo.UsageError, match=r"CoRNN\.gamma_range is -1\.0; accepted: a finite number >= 0 or None"):
        cells.CoRNN(hidden_size=4, gamma_range=-1.0)


def test_what_oscillators_have_of_their_own_is_float32_in_low_precision():
    def last(cell, params):
        return run(cell, params, jnp.zeros((100, 3)), {"v": jnp.zeros(4), "y": jnp.ones(4)})[1]

    alike = cells.CoRNN(hidden_size=4, dtype="bfloat16")
    params = jax.tree.map(jnp.zeros_like, alike.init(KEY, 3))
    own = dataclasses.replace(alike, gamma_range=0.0)
    assert_close(last(own, params | {"gamma": jnp.full(4, alike.gamma)}), last(alike, params), 1e-6)
    low, high = (cells.UnICORNN(hidden_size=4, dtype=dtype) for dtype in ("bfloat16", None))
    params = jax.tree.map(jnp.zeros_like, high.init(KEY, 3)) | {"c": jnp.full(4, 0.777)}
    assert_close(last(low, params), last(high, params), 1e-6)


def test_the_energy_of_coupled_oscillators_grows_no_faster_than_time(x64):
    """The paper's bound y_n . y_n + v_n . v_n <= H t_n, for gamma = epsilon = 1, however hard the units push."""
    cell = cells.CoRNN(hidden_size=8, gamma=1.0, epsilon=1.0, step_size=0.1)
    params = drawn(cell, 10.0)
    excited = {**params, "u": {"y": 0 * params["u"]["y"], "v": 1e4 * jnp.eye(8)}}  # always in the direction of v
    for given in (params, excited):
        _, _, states = run(cell, given, inputs(2000, (4,), 3) * 100, states=True)
        energy = (states["y"] ** 2 + states["v"] ** 2).sum(-1)
        assert (energy <= 8 * 0.1 * jnp.arange(1, 2001)[:, None]).all() and energy.max() > 1


@pytest.mark.parametrize("structure", [structures.Diagonal(), structures.Dense()], ids=str)
def test_undamped_oscillators_keep_volume_and_can_be_undone(x64, structure):
    cell = cells.UnICORNN(hidden_size=4, structure=structure, alpha=2.0)
    params = drawn(cell)
    state, x = random_like(jax.random.key(1), cell.initial_state(params)), jnp.ones(3)
    found = after(cell, params, state, x)
    assert abs(np.linalg.det(jacobian(cell, params, state, x)) - 1) < 1e-12
    prepared = cell.prepare(params)
    y = found["y"] - prepared["s"] * found["v"]
    force = jnp.tanh(cell.project(prepared, x)["y"] + structure.matrix(params["u"]["y"], 4) @ y)
    v = found["v"] + prepared["s"] * (force + cell.alpha * y)
    assert_close({"v": v, "y": y}, state, 1e-12)


def test_undamped_oscillators_keep_their_energy_over_a_long_run(x64):
    """Under a constant input v . v / 2 + alpha y . y / 2 + sum(log(cosh(a)) / u), which a step changes by an amount of
    the order of its length, and never for good: the bound of the states that the paper is built on."""

    def energies(step_size):
        cell = cells.UnICORNN(hidden_size=4, alpha=2.0, step_size=step_size)
        params, xs = drawn(cell), jnp.ones((40_000, 3))
        _, _, states = run(cell, params, xs, random_like(KEY, cell.initial_state(params)), states=True)
        u, drive = params["u"]["y"], params["w"]["y"] @ xs[0] + params["b"]["y"]
        y, v = states["y"], states["v"]
        return (v**2 / 2 + cell.alpha * y**2 / 2 + jnp.log(jnp.cosh(u * y + drive)) / u).sum(-1)

    changes = []
    for step_size in (0.1, 0.05):
        energy = energies(step_size)
        changes.append(jnp.ptp(energy) / energy.mean())
        assert abs(energy[:20_000].mean() / energy[20_000:].mean() - 1) < 1e-3
        assert jnp.ptp(energy[20_000:]) < 1.05 * jnp.ptp(energy[:20_000])
    assert changes[0] < 0.2 and 1.8 < changes[0] / changes[1] < 2.2


def test_damped_oscillators_lose_volume(x64):
    cell = cells.CoRNN(hidden_size=4)
    params = drawn(cell, 0.1)
    state = random_like(jax.random.key(1), cell.initial_state(params))
    assert abs(np.linalg.det(jacobian(cell, params, state))) < 0.9


def test_unicornn_starts_as_its_code():
    params = cells.UnICORNN(hidden_size=1000).init(KEY, 10)
    assert params["u"]["y"].min() >= 0 and params["u"]["y"].max() <= 1 and abs(params["u"]["y"].mean() - 0.5) < 0.05
    assert 0.099 < jnp.abs(params["c"]).max() <= 0.1 and not params["b"]["y"].any()
    assert abs(params["w"]["y"].std() * np.sqrt(65 * 10 / 2) - 1) < 0.02
    dense = cells.UnICORNN(hidden_size=8, structure=structures.Dense()).init(KEY, 10)
    assert dense["u"]["y"].min() < 0


# ---- antisymmetric and Lipschitz -------------------------------------------------------------------------------


def rates(cell, params, h, x=None):
    """The eigenvalues of the network in continuous time, of which a step is one of Euler's."""
    return np.linalg.eigvals((jacobian(cell, params, {"h": h}, x) - np.eye(len(h))) / cell.epsilon)


@pytest.mark.parametrize("structure", [structures.Skew, structures.SkewBlocks])
def test_antisymmetric_networks_neither_grow_nor_fade_by_more_than_gamma(x64, structure):
    h, x = random_like(KEY, jnp.zeros(6)), jnp.ones(3)
    for gamma in (0.0, 0.3):
        cell = cells.AntisymmetricRNN(hidden_size=6, structure=structure(gamma=gamma))
        found = rates(cell, drawn(cell, 0.3), h, x)
        assert found.real.max() <= 1e-10 and found.real.min() >= -gamma - 1e-10
        assert np.abs(found.imag).max() > 0.1
        unforced = drawn(cell, 0.3) | {"b": {"h": jnp.zeros(6)}}
        assert_close(rates(cell, unforced, jnp.zeros(6)).real, np.full(6, -gamma), 1e-10)
    dense = cells.AntisymmetricRNN(hidden_size=6, structure=structures.Dense())
    assert rates(dense, drawn(dense), h, x).real.max() > 0.1


def test_an_open_gate_leaves_the_antisymmetric_network(x64):
    gated, plain = (c(hidden_size=4, epsilon=0.5) for c in (cells.GatedAntisymmetricRNN, cells.AntisymmetricRNN))
    params = drawn(gated)
    params["b"]["z"] += 100
    one = {"w": {"h": params["w"]["h"]}, "b": {"h": params["b"]["h"]}, "u": params["u"]}
    xs = inputs(6, (2,), 3)
    assert_close(run(gated, params, xs), run(plain, one, xs), 1e-12)
    params["b"]["z"] -= 200
    assert_close(run(gated, params, xs)[1]["h"], jnp.zeros((2, 4)), 1e-12)


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("midpoint", 2)])
def test_lipschitz_steps_have_the_order_of_their_method(x64, solver, order):
    def end(steps, solver=solver):
        cell = cells.LipschitzRNN(hidden_size=4, epsilon=1 / steps, solver=solver)
        xs = jnp.broadcast_to(jnp.ones(3), (steps, 3))
        return run(cell, drawn(cell, 0.5), xs, {"h": jnp.ones(4)})[1]["h"]

    exact = end(3000, "midpoint")
    errors = [jnp.linalg.norm(end(steps) - exact) for steps in (30, 60)]
    assert abs(np.log2(errors[0] / errors[1]) - order) < 0.1


def test_a_lipschitz_network_with_more_friction_than_gain_forgets_its_state(x64):
    friction = structures.SymmetricSkew(beta=1.0, gamma=2.0)
    cell = cells.LipschitzRNN(hidden_size=6, structure={"a": friction, "h": structures.Dense()}, epsilon=0.1)
    params = drawn(cell)
    params["u"]["a"] *= 0.5
    params["u"]["h"] *= 0.9 * friction.gamma / np.linalg.norm(params["u"]["h"], 2)  # Lipschitz constant below it
    xs = inputs(300, (), 3)
    one, other = (run(cell, params, xs, {"h": jnp.full(6, value)})[1]["h"] for value in (-5.0, 5.0))
    assert jnp.linalg.norm(one - other) < 1e-2 and jnp.linalg.norm(one) > 0.1
    free = structures.SymmetricSkew(beta=1.0, gamma=0.0)
    drift = dataclasses.replace(cell, structure={"a": free, "h": structures.Dense()})
    one, other = (run(drift, params, xs, {"h": jnp.full(6, value)})[1]["h"] for value in (-5.0, 5.0))
    assert jnp.linalg.norm(one - other) > 0.1


def test_lipschitz_networks_start_small():
    u = cells.LipschitzRNN(hidden_size=100, init_std=0.2).init(KEY, 3)["u"]
    for gate in "ah":
        assert abs(u[gate].std() / 0.002 - 1) < 0.05
    assert jnp.abs(u["a"] - u["h"]).max() > 1e-3
    given = cells.LipschitzRNN(hidden_size=100, recurrent_init=rnnzoo.initializers.Uniform(limit=3.0))
    assert jnp.abs(given.init(KEY, 3)["u"]["a"]).max() > 2.9


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.7, 1.0])
def test_between_symmetric_and_skew(x64, beta):
    structure = structures.SymmetricSkew(beta=beta, gamma=0.3)
    p = np.random.default_rng(0).normal(size=(5, 5))
    u = np.asarray(structure.matrix(jnp.asarray(p), 5))
    assert_close(u, (1 - beta) * (p + p.T) + beta * (p - p.T) - 0.3 * np.eye(5), 1e-14)
    middle = np.linalg.eigvalsh((u + u.T) / 2)
    real = np.linalg.eigvals(u).real
    assert middle.min() - 1e-12 <= real.min() and real.max() <= middle.max() + 1e-12
    assert_close(structure.matrix(structure.nearest(jnp.asarray(u)), 5), u, 1e-13)
    other = structure.matrix(structure.nearest(jnp.asarray(p)), 5)  # the projection: nothing is left along the family
    tangent = structure.matrix(jnp.asarray(p), 5) - u + structure.matrix(jnp.eye(5)[::-1], 5) + 0.3 * np.eye(5)
    assert abs(jnp.vdot(p - other, tangent)) < 1e-12


def test_numbers_of_a_skew_matrix_are_those_off_the_diagonal():
    for gamma, nonzeros in ((0.0, 20), (0.1, 25)):
        structure = structures.SymmetricSkew(beta=1.0, gamma=gamma)
        u = jax.random.normal(KEY, (5, 5))
        effects = jax.jacobian(lambda u, s=structure: s.matrix(u, 5))(u)
        assert structure.num_params(5) == jnp.any(effects != 0, (0, 1)).sum() == 20
        assert structure.nonzeros(5) == (structure.matrix(u, 5) != 0).sum() == nonzeros


# ---- highways ------------------------------------------------------------------------------------------------


def test_a_highway_of_depth_1_is_a_ugrnn(x64):
    highway, ugrnn = cells.RHN(hidden_size=5, depth=1), cells.UGRNN(hidden_size=5)
    params = drawn(highway)
    as_ugrnn = {name: {"n": p["n1"], "g": -p["t1"]} for name, p in params.items()}  # sigmoid(-a) is 1 - sigmoid(a)
    xs = inputs(6, (2,), 3)
    assert_close(run(highway, params, xs), run(ugrnn, as_ugrnn, xs), 1e-13)


def test_a_carry_gate_against_the_transform_gate_is_a_coupled_one(x64):
    apart, coupled = cells.RHN(hidden_size=5, coupled=False), cells.RHN(hidden_size=5)
    params = drawn(coupled)
    opposite = {
        name: p | {f"c{gate[1:]}": -value for gate, value in p.items() if gate[0] == "t"} for name, p in params.items()
    }
    assert jax.tree.structure(opposite) == jax.tree.structure(apart.init(KEY, 3))
    xs = inputs(6, (2,), 3)
    assert_close(run(apart, opposite, xs), run(coupled, params, xs), 1e-13)


def test_highways_start_open_and_hear_the_input_in_the_first_layer():
    params = cells.RHN(hidden_size=4, depth=2, coupled=False, transform_bias=-4.0).init(KEY, 3)
    assert set(params["w"]) == {"n1", "t1", "c1"}
    assert {g: float(b[0]) for g, b in params["b"].items()} == {"n1": 0, "t1": -4, "c1": 4, "n2": 0, "t2": -4, "c2": 4}
    cell = cells.RHN(hidden_size=4, transform_bias=-30.0)
    h = jnp.arange(4.0)
    assert_close(run(cell, cell.init(KEY, 3), inputs(9, (), 3), {"h": h})[1]["h"], h, 1e-6)


# ---- orthogonal ------------------------------------------------------------------------------------------------

ORTHOGONAL = [structures.Expm(), structures.Cayley(), structures.Givens(layers=5), structures.Householder()]


@pytest.mark.parametrize("structure", ORTHOGONAL, ids=str)
def test_orthogonal_networks_keep_the_norm(x64, structure):
    h = random_like(KEY, jnp.zeros(6))
    cell = cells.ModReLURNN(hidden_size=6, structure=structure, bias=False)
    assert_close(norms(cell, drawn(cell), h, 200), jnp.full(200, jnp.linalg.norm(h)), 1e-12)
    damped = dataclasses.replace(cell, bias=True)
    params = drawn(damped) | {"b": {"h": jnp.full(6, -0.1)}}
    assert norms(damped, params, h, 200)[-1] < 1e-12


@pytest.mark.slow
def test_unitary_networks_keep_the_norm_over_a_long_run(x64):
    h, time = random_like(KEY, jnp.zeros(6)), 10_000
    found = {}
    for structure in ORTHOGONAL:
        cell = cells.ModReLURNN(hidden_size=6, structure=structure, bias=False)
        found[str(structure)] = norms(cell, drawn(cell), h, time)
    goru = cells.GORU(hidden_size=6)  # that resets nothing and takes all of the new state
    params = drawn(goru, 0.3)
    params["b"] |= {"r": jnp.full(6, 1e3), "g": jnp.full(6, -1e3), "n": jnp.zeros(6)}
    found["goru"] = norms(goru, params, h, time)
    turning = cells.RotationMinGRU(hidden_size=6, snap=None)
    params = drawn(turning)
    params["b"] |= {"z": params["b"]["z"] - 900, "u": params["b"]["u"] + 900}
    found["rotation"] = norms(turning, params, h, time)
    for norm in found.values():
        assert_close(norm, jnp.full(time, jnp.linalg.norm(h)), 1e-10)


def test_orthogonal_networks_keep_the_norm_of_gradients(x64):
    cell = cells.ModReLURNN(hidden_size=6, bias=False)
    params, h = drawn(cell), random_like(KEY, jnp.zeros(6))
    pull = jax.vjp(lambda h: run(cell, params, jnp.zeros((100, 3)), {"h": h})[1]["h"], h)[1]
    assert_close(jnp.linalg.norm(pull(jnp.ones(6))[0]), jnp.sqrt(6.0), 1e-12)


def test_modrelu_keeps_signs_and_has_a_gradient_everywhere():
    a = jnp.array([-2.0, -0.5, 0.0, 0.5, 2.0])
    assert_close(modrelu(a, jnp.full(5, -1.0)), jnp.array([-1.0, 0, 0, 0, 1]), 0)
    assert_close(modrelu(a, jnp.full(5, 1.0)), jnp.array([-3.0, -1.5, 0, 1.5, 3]), 0)
    for b in (-1.0, 0.0, 1.0):
        slopes = jax.grad(lambda a, b: modrelu(a, b).sum(), (0, 1))(a, jnp.full(5, b))
        assert all(np.isfinite(slope).all() for slope in slopes)


def test_orthogonal_networks_start_as_exprnn():
    params = cells.ModReLURNN(hidden_size=1000, structure=structures.Householder()).init(KEY, 8)
    assert 0.0099 < jnp.abs(params["b"]["h"]).max() <= 0.01
    assert abs(params["w"]["h"].std() / 0.5 - 1) < 0.03


def test_a_goru_that_resets_nothing_and_updates_all_is_an_orthogonal_network(x64):
    goru = cells.GORU(hidden_size=6)
    plain = cells.ModReLURNN(hidden_size=6, structure=goru.orthogonal)
    params = drawn(goru, 0.3)
    params["b"]["r"] += 1000
    params["b"]["g"] -= 1000
    one = {name: {"h": p["n"]} for name, p in params.items()}
    xs = inputs(6, (2,), 3)
    assert_close(run(goru, params, xs), run(plain, one, xs), 1e-13)
    h = random_like(KEY, jnp.zeros(6))
    params["b"]["n"] *= 0
    assert_close(norms(goru, params, h, 100), jnp.full(100, jnp.linalg.norm(h)), 1e-12)
    params["b"]["g"] += 2000
    assert_close(run(goru, params, xs[:, 0], {"h": h})[1]["h"], h, 1e-13)


def test_goru_has_two_kinds_of_structures():
    cell = cells.GORU(hidden_size=4, structure={"r": structures.Diagonal(), "g": structures.Dense()})
    assert cell.structures == {"r": structures.Diagonal(), "g": structures.Dense(), "n": structures.Givens()}
    with pytest.raises(rnnzoo.UsageError, match=r"GORU has no gate 'n' with a recurrent matrix"):
        cells.GORU(hidden_size=4, structure={"n": structures.Dense()})
    with pytest.raises(rnnzoo.UsageError, match=r"Givens\(\) does not fit hidden_size 5; accepted: an even"):
        cells.GORU(hidden_size=5)
    assert cells.GORU(hidden_size=5, orthogonal=structures.Expm()).init(KEY, 3)["u"]["n"].shape == (10,)


def test_goru_starts_as_its_code():
    params = cells.GORU(hidden_size=64).init(KEY, 50)
    assert {g: round(float(b[0]), 6) for g, b in params["b"].items()} == {"r": 2, "g": 0, "n": 0.01}
    assert all(0.0099 < jnp.abs(w).max() <= 0.01 for w in params["w"].values())
    assert jnp.abs(params["w"]["r"] - params["w"]["n"]).max() > 0.01


# ---- Dreamer ---------------------------------------------------------------------------------------------------


def test_dreamer_starts_to_update_by_a_quarter(x64):
    cell = cells.DreamerGRU(hidden_size=4)
    params = jax.tree.map(jnp.zeros_like, cell.init(KEY, 3))
    assert_close(after(cell, params, {"h": jnp.ones(4)})["h"], jnp.full(4, 1 / (1 + np.exp(-1))), 1e-14)


def test_dreamer_hears_directions(x64):
    cell = cells.DreamerGRU(hidden_size=6)
    params, state, x = drawn(cell), {"h": jnp.linspace(-1, 1, 6)}, jnp.ones(3)
    larger = {**params, "w": {"e": 1e4 * params["w"]["e"]}, "b": {**params["b"], "e": 1e4 * params["b"]["e"]}}
    one, other = after(cell, params, state, x), after(cell, larger, state, x)
    assert_close(one, other, 1e-3)
    turned = after(cell, params, state, -x)
    assert jnp.abs(turned["h"] - one["h"]).max() > 0.05


def test_units_of_dreamers_blocks_meet_all_the_same(x64):
    cell = cells.DreamerGRU(hidden_size=6, structure=structures.BlockDiagonal(block=2))
    params, state = drawn(cell), {"h": jnp.linspace(-1, 1, 6)}
    assert (np.abs(jacobian(cell, params, state)) > 1e-6).all()
    apart = np.abs(jacobian(cell, {**params, "v": 0 * params["v"]}, state))
    assert apart[2:, :2].min() > 1e-6  # through the norm


def test_dreamer_has_widths_and_layers_of_its_own():
    cell = cells.DreamerGRU(hidden_size=6, units=4, layers=2)
    params = cell.init(KEY, 3)
    assert {n: params[n].shape for n in "vpq"} == {"v": (4, 6), "p": (6, 4), "q": (6, 4)}
    assert set(params["u"]) == {"l1", "l2", "r", "n", "z"} and set(params["s"]) == {"e", "d", "l1", "l2"}
    assert params["w"]["e"].shape == (4, 3) and params["b"]["e"].shape == (4,)
    assert run(cell, params, inputs(5, (2,), 3))[0].shape == (5, 2, 6)
