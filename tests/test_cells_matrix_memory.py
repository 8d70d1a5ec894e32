"""What the matrix memories promise beyond their equations: limits, bounds, initial values, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, random_like
from zoo import published

import rnnzoo
from rnnzoo import cells, run, unrolls
from rnnzoo.cells.heads import HeadMemory, step_biases, unit

KEY = jax.random.key(0)
MEMORIES = [cls for cls in published("cells").values() if issubclass(cls, HeadMemory)]
each_memory = pytest.mark.parametrize("kind", MEMORIES, ids=lambda kind: kind.__name__)


def drawn(cell, features=3, scale=0.7):
    return random_like(KEY, jax.eval_shape(lambda: cell.init(KEY, features)), scale)


def projected(cell, features=3, time=4):
    """Prepared random parameters, and z_t of one sequence, (T, ...)."""
    params = cell.prepare(drawn(cell, features))
    xs = inputs(time, (cell.history + 1,) if cell.history else (), features)
    return params, jax.vmap(cell.project, (None, 0))(params, xs)


def written(cell, params, zs):
    """What `memory` says at each step."""
    return jax.vmap(cell.memory, (None, 0))(params, zs)


def no_matrix(heard):
    """The `recur` of cells without recurrent matrices."""
    raise AssertionError


# ---- heads ---------------------------------------------------------------------------------------------------


@each_memory
def test_heads_are_contiguous_and_do_not_meet(kind):
    cell = kind(hidden_size=6, heads=2)
    params, xs = drawn(cell), inputs(4, (), 3)
    other = {**params, "w": dict(params["w"])}
    for gate in cell.value_gates:
        by_head = params["w"][gate].reshape(-1, 2, 3, 3)  # of each write, if there are several
        other["w"][gate] = by_head.at[:, 1].multiply(2.0).reshape(-1, 3)
    ys, changed = run(cell, params, xs)[0], run(cell, other, xs)[0]
    assert_close(changed[:, :3], ys[:, :3], 1e-6)
    assert jnp.abs(changed[:, 3:] - ys[:, 3:]).max() > 1e-4


@each_memory
def test_heads_divide_the_units(kind):
    with pytest.raises(rnnzoo.UsageError, match=rf"{kind.__name__}\.heads is 4; accepted: a divisor of hidden_size"):
        kind(hidden_size=6, heads=4)


@each_memory
def test_the_number_of_keys_is_free(kind):
    cell = kind(hidden_size=4, heads=2, key_size=5)
    assert cell.memory_shape[:2] == (2, 5) and cell.output_size == 4
    ys, state = jax.eval_shape(lambda: run(cell, cell.init(KEY, 3), inputs(2, (), 3)))
    assert ys.shape == (2, 4) and state["s"].shape == cell.memory_shape


@each_memory
def test_decays_are_wide_in_low_precision(kind):
    cell = kind(hidden_size=4, dtype="bfloat16")
    params = cell.prepare(cell.init(KEY, 3))
    assert {a.dtype for name in cell.wide for a in jax.tree.leaves(params[name])} <= {jnp.dtype("float32")}
    assert params["w"]["v" if "v" in params["w"] else cell.value_gates[0]].dtype == jnp.bfloat16
    ys, state = jax.eval_shape(lambda: run(cell, cell.init(KEY, 3), inputs(3, (), 3)))
    assert ys.dtype == jnp.bfloat16 and state["s"].dtype == jnp.float32


@each_memory
def test_gradients_at_an_input_of_zeros(kind):
    cell = kind(hidden_size=4, heads=2, bias=False)
    grads = jax.grad(lambda p: run(cell, p, jnp.zeros((3, 3)))[0].sum())(cell.init(KEY, 3))
    assert all(jnp.isfinite(a).all() for a in jax.tree.leaves(grads))


@each_memory
def test_decays_are_at_most_one(kind):
    cell = kind(hidden_size=4, heads=2)
    g = written(cell, *projected(cell))["g"]
    assert (g <= 0).all() and jnp.isfinite(g).all()


# ---- one cell as the limit of another ------------------------------------------------------------------------


def delta(kind, **fields):
    return kind(hidden_size=6, heads=2, key_size=4, **fields)


def gated_as_delta(p):
    """Decays of exp(-exp(-200)) = 1."""
    size = p["w"]["beta"].shape[0]
    return {
        "w": {**p["w"], "alpha": p["w"]["beta"]},
        "dt_bias": jnp.zeros(size),
        "a_log": jnp.full(size, -200.0),
    }


def as_it_is(p):
    return p


def kda_as_gated(p):
    """One decay for all keys of a head: through a map of rank 2."""
    w = {gate: p["w"][gate] for gate in ("q", "k", "v", "beta")}
    up = jnp.repeat(jnp.eye(2), 4, 0)
    low = {"down": {"alpha": p["w"]["alpha"]}, "up": {"alpha": up}}
    return {**low, "w": w, "dt_bias": jnp.repeat(p["dt_bias"], 4), "a_log": p["a_log"]}


def gdn2_as_kda(p):
    """The same beta for all that is erased and written."""
    beta = p["w"]["beta"]
    w = {gate: p["w"][gate] for gate in "qkv"} | {"erase": jnp.repeat(beta, 4, 0), "write": jnp.repeat(beta, 3, 0)}
    return {**p, "w": w}


@pytest.mark.parametrize(
    ("general", "special", "as_special"),
    [
        (delta(cells.GatedDeltaNet), delta(cells.DeltaNet), gated_as_delta),
        (delta(cells.DeltaProduct, writes=1, negative_eigenvalues=False), delta(cells.DeltaNet), as_it_is),
        (
            delta(cells.DeltaProduct, writes=1, gated=True),
            delta(cells.GatedDeltaNet, negative_eigenvalues=True),
            as_it_is,
        ),
        (delta(cells.KDA, rank=2), delta(cells.GatedDeltaNet), kda_as_gated),
        (delta(cells.GDN2, rank=2), delta(cells.KDA, rank=2), gdn2_as_kda),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, HeadMemory) else "",
)
def test_a_delta_rule_as_a_special_case_of_another(x64, general, special, as_special):
    params, xs = drawn(special), inputs(5, (), 3)
    assert_close(run(general, as_special(params), xs), run(special, params, xs), 1e-12)


def test_gla_with_decays_of_one_is_linear_attention(x64):
    gla = cells.GLA(hidden_size=6, heads=2, key_size=4)
    plain = cells.LinearAttention(hidden_size=6, heads=2, key_size=4, features="identity", normalise=False)
    params, xs = drawn(gla), inputs(5, (), 3)
    ys = run(gla, {**params, "c": jnp.full(8, 800.0)}, xs)[0]
    assert_close(2 * ys, run(plain, {"w": params["w"]}, xs)[0], 1e-12)


def test_two_writes_are_two_steps(x64):
    cell = cells.DeltaProduct(hidden_size=6, heads=2)
    params, zs = projected(cell)
    state = random_like(KEY, cell.initial_state(params))
    z_t = jax.tree.map(lambda a: a[0], zs)
    single = cells.DeltaProduct(hidden_size=6, heads=2, writes=1)
    expected = state
    for n in range(2):
        z = {g: z_t[g] if g == "q" else z_t[g].reshape(2, -1)[n] for g in z_t}
        expected = single.step(params, expected, z, no_matrix)
    assert_close(cell.step(params, state, z_t, no_matrix), expected, 1e-12)


# ---- memories of the delta rule ------------------------------------------------------------------------------


def test_what_was_written_is_read(x64):
    """With beta = 1 a key holds the newest value, and its neighbours at right angles keep theirs."""
    cell = cells.DeltaNet(hidden_size=3, key_size=2)
    params, keys = {}, jnp.array([[50.0, -50.0], [-50.0, 50.0], [50.0, -50.0]])  # silu(-50) is 0
    values = jnp.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    state = {"s": jnp.zeros((1, 2, 3))}
    for k, v in zip(keys, values, strict=True):
        state = cell.step(params, state, {"q": k, "k": k, "v": v, "beta": jnp.array([40.0])}, no_matrix)
    assert_close(state["s"][0], jax.nn.silu(values[jnp.array([2, 1])]), 1e-6)


def test_a_doubled_beta_reflects(x64):
    """With beta = 2 and nothing to write the memory is reflected: its norm stays, and twice is not at all."""
    cell = cells.DeltaNet(hidden_size=6, negative_eigenvalues=True)
    state = random_like(KEY, {"s": jnp.zeros(cell.memory_shape)})
    z_t = {"q": jnp.ones(6), "k": jnp.arange(6.0), "v": jnp.zeros(6), "beta": jnp.array([40.0])}
    once = cell.step({}, state, z_t, no_matrix)
    assert_close(jnp.linalg.norm(once["s"]), jnp.linalg.norm(state["s"]), 1e-5)
    assert jnp.abs(once["s"] - state["s"]).max() > 0.1
    assert_close(cell.step({}, once, z_t, no_matrix), state, 1e-5)
    half = cells.DeltaNet(hidden_size=6).step({}, state, z_t, no_matrix)
    assert_close(unit(jax.nn.silu(jnp.arange(6.0))) @ half["s"][0], jnp.zeros(6), 1e-5)


@pytest.mark.parametrize("kind", [cells.DeltaNet, cells.GatedDeltaNet, cells.KDA, cells.GDN2, cells.DeltaProduct])
def test_keys_of_a_delta_rule_have_norm_one(kind):
    cell = kind(hidden_size=8, heads=2)
    m = written(cell, *projected(cell))
    assert_close(jnp.linalg.norm(m["q"], axis=-1), jnp.full((4, 2), cell.keys**-0.5), 1e-3)
    written_key = m["b"] / jnp.exp(m["g"])
    if kind is not cells.GDN2:
        assert_close(jnp.linalg.norm(written_key, axis=-1), jnp.ones(m["b"].shape[:-1]), 1e-3)
    else:
        assert_close(jnp.linalg.norm(m["k"], axis=-1), jnp.ones((4, 2)), 1e-3)


# ---- bounds and stability ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lower_bound", [0.0, 1e-9, 0.3])
def test_hgrn2_forgets_and_writes_one_in_all(lower_bound):
    cell = cells.HGRN2(hidden_size=5, lower_bound=lower_bound)
    f = jnp.array([-200.0, -20.0, 0.0, 20.0, 200.0])
    z_t = {"o": f, "f": f, "i": f}
    m = cell.memory({}, z_t)
    assert_close(jnp.exp(m["g"]) + m["k"], jnp.ones((1, 5)), 1e-6)
    assert (jnp.exp(m["g"]) >= lower_bound * (1 - 1e-6)).all() and m["k"][0, 3] > 1e-10
    grads = jax.grad(lambda f: sum(a.sum() for a in cell.memory({}, {**z_t, "f": f}).values()))(f)
    assert jnp.isfinite(grads).all()


def test_the_stabiliser_of_mlstm_cancels(x64):
    cell = cells.MLSTM(hidden_size=6, heads=2, eps=0.0)
    params, xs = drawn(cell), inputs(5, (), 3)
    state = random_like(KEY, cell.initial_state(cell.prepare(params)))
    other = {"s": state["s"] * jnp.exp(-3.0), "m": state["m"] + 3}
    assert_close(run(cell, params, xs, other)[0], run(cell, params, xs, state)[0], 1e-12)


def test_mlstm_is_finite_whatever_its_gates_are():
    cell = cells.MLSTM(hidden_size=4, heads=2)
    params, xs = drawn(cell), inputs(50, (), 3)
    params["w"] |= {gate: 300 * params["w"][gate] for gate in "if"}

    def total(params):
        return (run(cell, params, xs)[0] ** 2).mean()

    value, grads = jax.value_and_grad(total)(params)
    assert np.isfinite(value) and all(jnp.isfinite(a).all() for a in jax.tree.leaves(grads))


def far_out(heads_i, heads_f):
    """An mLSTM of four heads, and parameters with these input and forget gates before exp and sigmoid."""
    cell = cells.MLSTM(hidden_size=8, heads=4)
    params = drawn(cell)
    params["w"] |= {gate: jnp.zeros((4, 3)) for gate in "if"}
    params["b"] |= {"i": jnp.array(heads_i), "f": jnp.array(heads_f)}
    return cell, params


CONSTANT = [50.0, 50, -50, -50], [50.0, -50, 50, -50]  # of a head each: input gate, forget gate


def test_mlstm_is_finite_over_a_long_run_with_gates_far_out():
    cell, params = far_out(*CONSTANT)
    xs = inputs(100_000, (), 3)
    ys, last = jax.jit(lambda xs: run(cell, params, xs, unroll=unrolls.ChunkedMemory()))(xs)
    assert all(jnp.isfinite(a).all() for a in jax.tree.leaves((ys, last)))
    assert_close(run(cell, params, xs[-9:])[0][-1, 2:4], ys[-1, 2:4], 1e-5)  # of the head that writes and forgets


@pytest.mark.slow
@pytest.mark.parametrize("unroll", [unrolls.Scan(), unrolls.ChunkedMemory()], ids=str)
@pytest.mark.parametrize("changing", [False, True])
def test_mlstm_has_finite_gradients_over_a_long_run(unroll, changing):
    cell, params = far_out(*CONSTANT)
    xs = jnp.sign(inputs(100_000, (), 3))
    if changing:  # every gate is at 50 or -50, from step to step
        params["w"] |= {gate: jnp.zeros((4, 3)).at[:, k].set(50.0) for k, gate in enumerate("if")}
        params["b"] |= {gate: jnp.zeros(4) for gate in "if"}

    def total(params):
        ys, last = run(cell, params, xs, unroll=unroll)
        return (ys**2).mean(), (ys, last)

    found = jax.jit(jax.value_and_grad(total, has_aux=True))(params)
    assert all(jnp.isfinite(a).all() for a in jax.tree.leaves(found))


def test_linear_attention_averages_values(x64):
    cell = cells.LinearAttention(hidden_size=6, heads=2, eps=1e-12)
    params, xs = drawn(cell), inputs(6, (), 3)
    values = xs @ params["w"]["v"].T
    ys = run(cell, params, xs)[0]
    assert_close(ys[0], values[0], 1e-8)
    assert (ys >= values.min(0) - 1e-8).all() and (ys <= values.max(0) + 1e-8).all()


def test_features_of_linear_attention_never_vanish():
    q = cells.LinearAttention(hidden_size=1).memory({}, dict.fromkeys("qkv", jnp.array([-80.0])))["q"]
    assert q[0, 0] > 0


def test_ret_net_has_the_decays_of_the_paper(x64):
    cell = cells.RetNet(hidden_size=8, heads=4)
    g = written(cell, *projected(cell))["g"]
    assert_close(jnp.exp(g[0, :, 0]), 1 - jnp.array([1 / 32, 1 / 64, 1 / 128, 1 / 256]), 1e-14)


def test_rwkv7_erases_with_a_key_of_norm_one_and_forgets_little(x64):
    cell = cells.RWKV7(hidden_size=8, heads=2)
    m = written(cell, *projected(cell))
    assert_close(jnp.linalg.norm(m["b"], axis=-1), jnp.ones((4, 2)), 1e-12)
    assert (m["g"] > -np.exp(-0.5)).all()
    rate = jnp.linalg.norm(m["a"], axis=-1)
    assert (rate < 1).all() and (rate > 0).all()


def test_rwkv6_reads_a_write_before_it_counts(x64):
    cell = cells.RWKV6(hidden_size=4)
    params = drawn(cell)
    read = run(cell, {**params, "bonus": jnp.zeros((1, 4))}, inputs(1, (), 3))[1]
    assert_close(read["y"], jnp.zeros((1, 4)), 0)
    assert jnp.abs(read["s"]).max() > 0.1
    assert jnp.abs(run(cell, params, inputs(1, (), 3))[1]["y"]).max() > 1e-3


@pytest.mark.parametrize("kind", [cells.RWKV6, cells.RWKV7])
def test_an_input_is_mixed_with_the_one_before_it(x64, kind):
    cell = kind(hidden_size=4)
    params, xs = drawn(cell), inputs(2, (), 3)
    first = cell.initial_state(cell.prepare(params))
    assert_close(first["x"], jnp.zeros((1, 3)), 0)
    (alone, state), (after, _) = (run(cell, params, xs[1:], {**first, "x": x[None]}) for x in (0 * xs[0], xs[0]))
    assert jnp.abs(alone - after).max() > 1e-3
    assert_close(state["x"], xs[1:], 0)
    static = {**params, "mix": jax.tree.map(jnp.zeros_like, params["mix"])}
    if kind is cells.RWKV6:
        static["up"] = {name: up * (name == "decay") for name, up in params["up"].items()}
    alone, after = (run(cell, static, xs[1:], {**first, "x": x[None]})[0] for x in (0 * xs[0], xs[0]))
    assert_close(alone, after, 1e-12)


# ---- initial values ------------------------------------------------------------------------------------------


def test_steps_start_where_they_are_told():
    dt = jax.nn.softplus(step_biases(KEY, 5000, 0.01, 0.2))
    assert 0.0099 < dt.min() and dt.max() < 0.201
    assert abs(jnp.log(dt).mean() - (np.log(0.01) + np.log(0.2)) / 2) < 0.05  # uniform in logarithms


def test_mamba2_starts_as_its_authors_say():
    params = cells.Mamba2(hidden_size=2000, heads=2000, a_min=2.0, a_max=3.0).init(KEY, 3)
    rate, dt = jnp.exp(params["a_log"]), jax.nn.softplus(params["dt_bias"])
    assert 2 <= rate.min() and rate.max() <= 3.001 and abs(rate.mean() - 2.5) < 0.03
    assert 0.00099 < dt.min() and dt.max() < 0.101
    assert_close(params["d"], jnp.ones(2000), 0)


def test_rates_of_gated_delta_net_and_kda():
    rate = jnp.exp(cells.GatedDeltaNet(hidden_size=2000, heads=2000).init(KEY, 3)["a_log"])
    assert 0 < rate.min() < 0.1 and 15.9 < rate.max() <= 16.001
    rate = jnp.exp(cells.KDA(hidden_size=2000, heads=2000).init(KEY, 3)["a_log"])
    assert 1 <= rate.min() < 1.1 and 15.9 < rate.max() <= 16.001


def test_gates_of_mlstm_start_open():
    params = cells.MLSTM(hidden_size=8, heads=4).init(KEY, 3)
    assert_close(params["b"]["f"], jnp.array([3.0, 4.0, 5.0, 6.0]), 1e-6)
    assert jnp.abs(params["w"]["f"]).max() == jnp.abs(params["w"]["i"]).max() == 0
    assert 0 < jnp.abs(params["b"]["i"]).max() < 0.5
    assert jnp.abs(cells.MLSTM(hidden_size=8, bias=False).init(KEY, 3)["w"]["f"]).max() > 0
    with pytest.raises(rnnzoo.UsageError, match=r"MLSTM\.input_bias is -10\.0, where biases start, and bias is False"):
        cells.MLSTM(hidden_size=8, bias=False, input_bias=-10.0)


@pytest.mark.parametrize(("kind", "gain"), [(cells.RetNet, 2**-2.5), (cells.GDN2, 2**-2.5), (cells.GLA, 1.0)])
def test_gain_of_the_initial_weights(kind, gain):
    w = kind(hidden_size=60).init(KEY, 60)["w"]["v"]
    assert_close(jnp.abs(w).max(), jnp.float32(gain * np.sqrt(6 / 120)), 1e-3)
    ones = kind(hidden_size=60, kernel_init=rnnzoo.initializers.Uniform()).init(KEY, 60)["w"]["v"]
    assert jnp.abs(ones).max() != jnp.abs(w).max()


def test_first_layer_values_of_rwkv():
    six, seven = (kind(hidden_size=6).init(KEY, 4) for kind in (cells.RWKV6, cells.RWKV7))
    assert_close(six["mix"]["k"], jnp.array([1.0, 0.75, 0.5, 0.25]), 1e-6)
    assert_close(six["base"][jnp.array([0, 5])], jnp.array([-6.0, -1.0]), 1e-6)
    assert_close(six["bonus"][0, :3], jnp.array([0.0, 0.1, -0.1]), 1e-6)
    assert_close(seven["mix"]["w"], 1 - jnp.array([0.0, 0.25, 0.5, 0.75]) ** 0.9, 1e-6)
    assert_close(seven["base"]["w"][jnp.array([0, 5])], jnp.array([-8.0, 3.0]), 1e-6)
    assert_close(seven["k_k"][jnp.array([0, 5])], jnp.array([0.76, 0.66]), 1e-6)
    for params in (six, seven):
        assert all(jnp.abs(a).max() == 0 for a in jax.tree.leaves(params["down"]))


def rwkv7_values(layer, layers, size, keys):
    """What RWKV_Tmix_x070 of the authors' code starts with, where it depends on the layer; ln_x is in
    generate_init_weight."""
    to_one, to_almost_0 = layer / (layers - 1), 1 - layer / layers
    powers = {"r": 0.2, "w": 0.9, "k": 0.7, "v": 0.7, "a": 0.9, "g": 0.2}
    w = np.zeros(size)
    for n in range(size):
        zigzag = (n % keys - (keys - 1) / 2) / ((keys - 1) / 2)
        w[n] = -6 + 6 * (n / (size - 1)) ** (1 + to_one**0.3) + 0.5 + 2.5 * zigzag * abs(zigzag)
    mix = {j: np.array([1 - (i / size) ** (p * to_almost_0) for i in range(size)]) for j, p in powers.items()}
    return {"mix": mix, "w": w, "scale": np.full(size, ((1 + layer) / layers) ** 0.7)}


def rwkv6_values(layer, layers, size, keys):
    """The same of RWKV_Tmix_x060."""
    to_one, to_almost_0 = layer / (layers - 1), 1 - layer / layers
    ramp = [(i / size) ** to_almost_0 for i in range(size)]
    half = [(i / size) ** (0.5 * to_almost_0) for i in range(size)]
    mix = {j: 1 - np.array(half if j in "rg" else ramp) for j in "xwkvrg"}
    mix["v"] -= 0.3 * to_one
    at = [n / (size - 1) for n in range(size)]
    base = np.array([-6 + 5 * p ** (0.7 + 1.3 * to_one) for p in at])
    bonus = np.array([to_one * (1 - p) + ((n + 1) % 3 - 1) * 0.1 for n, p in enumerate(at)])
    scale = np.full(size, ((1 + layer) / layers) ** 0.7)
    return {"mix": mix, "base": base, "bonus": bonus.reshape(-1, keys), "scale": scale}


def test_values_of_rwkv_at_every_depth(x64):
    assert_close(rwkv7_values(1, 3, 4, 4)["w"][[1, 3]], np.array([-4.958390, 3.0]), 1e-5)  # with a pocket calculator
    assert_close(rwkv7_values(1, 3, 4, 4)["mix"]["r"][2], np.array(0.088278), 1e-5)
    assert_close(rwkv7_values(1, 3, 4, 4)["scale"][0], np.array(0.752898), 1e-5)
    for layers in (2, 3):
        for layer in range(layers):
            kinds = (kind(hidden_size=8, heads=2) for kind in (cells.RWKV6, cells.RWKV7))
            six, seven = (cell.at_depth(layer / (layers - 1), layers).init(KEY, 8) for cell in kinds)
            found = {"mix": seven["mix"], "w": seven["base"]["w"], "scale": seven["norm"]["scale"]}
            assert_close(found, rwkv7_values(layer, layers, 8, 4), 1e-12)
            found = {name: six[name] for name in ("mix", "base", "bonus")} | {"scale": six["norm"]["scale"]}
            assert_close(found, rwkv6_values(layer, layers, 8, 4), 1e-12)


def test_a_place_that_is_given_is_kept():
    given = cells.RWKV7(hidden_size=4, depth=0.25, layers=5)
    assert given.at_depth(1.0, 2) == given
    assert cells.RWKV7(hidden_size=4).at_depth(0.25, 5) == given


def test_ranks_of_rwkv7():
    assert [cells.RWKV7(hidden_size=768).rank(name) for name in "wag"] == [64, 64, 128]
    assert [cells.RWKV7(hidden_size=8).rank(name) for name in "wag"] == [32, 32, 32]
    assert cells.RWKV7(hidden_size=8, gate_rank=5).rank("g") == 5


# ---- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (cells.Mamba2, {"heads": 3, "groups": 2}, r"Mamba2\.groups is 2; accepted: a divisor of heads, which is 3"),
        (cells.Mamba2, {"dt_min": 0.2}, r"Mamba2\.dt_min is 0\.2; accepted: at most dt_max, which is 0\.1"),
        (cells.Mamba2, {"a_max": 0.5}, r"Mamba2\.a_min is 1\.0; accepted: at most a_max, which is 0\.5"),
        (cells.HGRN2, {"lower_bound": 1.0}, r"HGRN2\.lower_bound is 1\.0; accepted: at least 0 and less than 1"),
        (cells.LinearAttention, {"features": "identity"}, r"LinearAttention\.features is 'identity', whose weights"),
        (cells.DeltaProduct, {"writes": 0}, r"DeltaProduct\.writes is 0; accepted: an integer >= 1"),
        (cells.GLA, {"temperature": 0.0}, r"GLA\.temperature is 0\.0; accepted"),
    ],
)
def test_refusals(kind, fields, message):
    with pytest.raises(rnnzoo.UsageError, match=message):
        kind(hidden_size=6, **fields)
