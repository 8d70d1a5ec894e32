"""Networks of papers: held against numbers of the authors' own networks, and what every preset promises."""

import dataclasses
import json
import runpy
from pathlib import Path

import jax
import jax.numpy as jnp
import network_weights
import numpy as np
import pytest
from support import assert_close, random_like

import rnnzoo
from rnnzoo import convert, counts, unrolls
from rnnzoo.commands.options import override
from rnnzoo.commands.presets import rows, with_preset
from rnnzoo.export import export
from rnnzoo.models import Block, LocalAttention, Model, Stack, presets
from rnnzoo.models.repeats import groups
from rnnzoo.spec import UsageError

FIXTURES = Path(__file__).parent / "fixtures" / "networks"
SMALL = {
    "gated_deltanet": {"heads": 2, "head_size": 3}, "griffin": {"heads": 2, "window": 3}, "hawk": {"heads": 2},
    "mamba2": {"state_size": 3, "head_size": 4}, "mingru": {}, "rwkv7": {"head_size": 4},
    "xlstm": {"heads": 2, "slstm_at": (1,), "multiple": 8},
    "xlstm_large": {"heads": 2, "multiple": 8},
}  # fmt: skip
EACH = [*((name, SMALL[name]) for name in presets.presets()), ("mingru", {"pytorch": True})]


def id_of(a):
    return a if isinstance(a, str) else "-".join(a)


each = pytest.mark.parametrize(("name", "small"), EACH, ids=id_of)
QUICK = ("hawk", "rwkv7", "xlstm")  # plain; with a value for later layers; of two kinds of layers
each_at_last = pytest.mark.parametrize(
    ("name", "small"),
    [pytest.param(*case, marks=() if case[0] in QUICK else pytest.mark.slow) for case in EACH],
    ids=id_of,
)


def stored(name):
    """The configuration, the weights, the tokens (T, B) and the logits (T, B, V)."""
    found = json.loads((FIXTURES / f"{name}.json").read_text())
    weights = {key: np.asarray(a, float) for key, a in found["weights"].items()}
    tokens, logits = (np.swapaxes(np.asarray(found[key]), 0, 1) for key in ("tokens", "logits"))
    return found["config"], weights, tokens, logits


def network(preset, symbols=11):
    cell, stack = preset
    return Model(cell=cell, stack=stack, input_size=symbols, output_size=symbols, tokens=True)


def theirs(name, config, W):
    """The network with the authors' weights."""
    match name:
        case "griffin":
            made = presets.griffin(
                width=config["width"], layers=len(config["block_types"]), heads=config["num_heads"],
                recurrent_size=config["lru_width"], mlp_size=config["mlp_expanded_width"],
                window=config["attention_window_size"], gemma=True, soft_cap=config["logits_soft_cap"], tied=True,
            )  # fmt: skip
            return (model := network(made)), convert.from_recurrentgemma(model, W)
        case "xlstm":
            made = presets.xlstm(
                width=config["embedding_dim"], layers=config["num_blocks"], heads=2,
                slstm_at=tuple(config["slstm_at"]), multiple=8,
            )  # fmt: skip
            return (model := network(made)), convert.from_xlstm(model, W)
        case "xlstm_large":
            made = presets.xlstm_large(
                width=config["embedding_dim"], layers=config["num_blocks"], heads=config["num_heads"],
                expansion=config["v_dim_factor"], key_expansion=config["qk_dim_factor"],
                mlp_expansion=config["ffn_proj_factor"], multiple=config["ffn_round_up_to_multiple_of"],
                gate_cap=config["gate_soft_cap"], soft_cap=config["output_logit_soft_cap"],
            )  # fmt: skip
            return (model := network(made)), convert.from_xlstm_large(model, W)
        case "gated_deltanet":
            made = presets.gated_deltanet(
                width=config["hidden_size"], layers=config["num_hidden_layers"], heads=config["num_heads"],
                head_size=config["head_dim"], mlp_size=config["intermediate_size"],
            )  # fmt: skip
        case "mamba2":
            ssm = config["ssm_cfg"]
            made = presets.mamba2(
                width=config["d_model"], layers=config["n_layer"], state_size=ssm["d_state"],
                head_size=ssm["headdim"], tied=True,
            )  # fmt: skip
        case "mingru":
            made = presets.mingru(
                width=config["dim"], layers=config["depth"], expansion=config["expansion"],
                mlp_size=config["ff_mult"] * config["dim"], width_of_convolution=config["conv_kernel_size"],
                pytorch=True,
            )  # fmt: skip
            made = with_epsilon(made, 2.0**-52)
        case "rwkv7":
            made = presets.rwkv7(width=config["n_embd"], layers=config["n_layer"], head_size=config["head_size"])
    params = getattr(network_weights, name)(config, W)
    return network(with_ranks(made, params) if name == "rwkv7" else made), params


def with_epsilon(made, epsilon):
    """The minGRU with the epsilon that torch takes for float64."""
    norm = dataclasses.replace(made.stack.final_norm, epsilon=epsilon)
    (block,) = made.stack.pattern
    pattern = (dataclasses.replace(block, norm=norm, mlp_norm=norm),)
    return presets.Preset(made.cell, dataclasses.replace(made.stack, pattern=pattern, final_norm=norm))


def with_ranks(made, params):
    """The RWKV-7 with the low ranks of the weights."""
    down = params["layer_1"]["cell"]["down"]
    names = {"w": "decay_rank", "a": "rate_rank", "g": "gate_rank", "v": "value_rank"}
    ranks = {names[j]: a.shape[0] for j, a in down.items()}
    first, *others = made.stack.pattern
    first = Block(**{**vars(first), "cell": type(first.cell)(**{**vars(first.cell), **ranks})})
    stack = Stack(**{**vars(made.stack), "pattern": (first, *others)})
    return presets.Preset(type(made.cell)(**{**vars(made.cell), **ranks}), stack)


@pytest.mark.parametrize("name", ["griffin", "xlstm", "xlstm_large", "gated_deltanet", "mamba2", "rwkv7", "mingru"])
def test_network_gives_its_authors_numbers(x64, name):
    config, W, tokens, logits = stored(name)
    model, found = theirs(name, config, W)
    params = found
    if isinstance(found, convert.Converted):
        assert (found.unused, found.missing) == ((), ())
        params = found.params
    ys, _ = model.apply(jax.tree.map(jnp.asarray, params), jnp.asarray(tokens))
    assert_close(ys, logits, 2e-9)


@pytest.mark.parametrize("name", ["griffin", "xlstm", "xlstm_large"])
def test_conversion_says_what_is_missing_or_does_not_fit(name):
    config, W, _, _ = stored(name)
    model, _ = theirs(name, config, W)
    read = {
        "griffin": convert.from_recurrentgemma, "xlstm": convert.from_xlstm, "xlstm_large": convert.from_xlstm_large,
    }[name]  # fmt: skip
    last = sorted(W)[-1]
    with pytest.raises(UsageError, match=f"the source has no {last}"):
        read(model, {key: a for key, a in W.items() if key != last})
    with pytest.raises(UsageError, match="has shape"):
        read(model, {**W, last: np.concatenate([W[last]] * 2)})
    assert "strange" in read(model, {**W, "strange": np.zeros(1)}).unused


def fused(W):
    """weight_mode "fused": several maps in one, in the order of their code."""
    wholes = {
        "mlstm_layer.qkv_opreact": ("mlstm_layer.q", "mlstm_layer.k", "mlstm_layer.v", "mlstm_layer.ogate_preact"),
        "mlstm_layer.ifgate_preact": ("mlstm_layer.igate_preact", "mlstm_layer.fgate_preact"),
        "ffn.proj_up_gate_z": ("ffn.proj_up_gate", "ffn.proj_up"),
    }
    W = dict(W)
    for block in sorted({name.split(".norm_ffn")[0] for name in W if name.endswith("norm_ffn.weight")}):
        for whole, names in wholes.items():
            for part in ("weight", "bias"):
                keys = [f"{block}.{name}.{part}" for name in names]
                if keys[0] in W:
                    W[f"{block}.{whole}.{part}"] = np.concatenate([W.pop(key) for key in keys])
    return W


def in_transformers(W):
    return {name.replace("embedding.", "backbone.embeddings."): a for name, a in W.items()}


def in_other_transformers(W):
    words = {"q": "query", "k": "key", "v": "value"}
    for letter, word in words.items():
        W = {name.replace(f"layer.{letter}.", f"layer.{word}."): a for name, a in W.items()}
    return in_transformers(W)


@pytest.mark.parametrize("form", [fused, in_transformers, in_other_transformers, lambda W: in_transformers(fused(W))])
def test_xlstm_large_in_all_its_forms(form):
    config, W, _, _ = stored("xlstm_large")
    model, expected = theirs("xlstm_large", config, W)
    other = form(W)
    assert other.keys() != W.keys()
    found = convert.from_xlstm_large(model, other)
    assert (found.unused, found.missing) == ((), ())
    assert_close(found.params, expected.params, 0)


def test_xlstm_large_needs_its_cell():
    _, W, _, _ = stored("xlstm_large")
    model = network(presets.hawk(width=24, layers=2))
    with pytest.raises(UsageError, match="xLSTM 7B has no ShortConvolution; accepted: MLSTM"):
        convert.from_xlstm_large(model, W)


def test_xlstm_7b_has_its_size():
    model = network(presets.xlstm_large(width=4096, layers=32, mlp_expansion=2.667), 50304)
    assert counts.num_params(model) == 6_865_424_896
    shapes = model.shapes()["layer_0"]
    assert (shapes["cell"]["w"]["i"].shape, shapes["mlp"]["in"]["w"].shape) == ((8, 4096), (10944, 4096))
    shapes = network(presets.xlstm_large(width=1536, layers=1)).shapes()["layer_0"]
    assert shapes["mlp"]["in"]["w"].shape == (4096, 1536)  # of 4096.05


def test_xlstm_large_starts_as_its_paper():
    cell = presets.xlstm_large(width=16, layers=1, heads=4).cell
    params = cell.init(jax.random.key(0), 16)
    assert_close(params["b"], {"i": jnp.full(4, -10.0), "f": jnp.array([3.0, 4.0, 5.0, 6.0])}, 1e-6)
    assert all(not params["w"][gate].any() for gate in "ifo") and params["w"]["q"].any()


# ---- what every preset promises --------------------------------------------------------------------------


@each
def test_a_step_is_the_whole_sequence(x64, name, small):
    """With resets and left-out steps, and whatever these hold; and gradients are finite."""
    model = network(presets.preset(name)(width=8, layers=2 if name != "griffin" else 3, **small))
    params = jax.jit(model.init)(jax.random.key(0))
    x = jax.random.randint(jax.random.key(1), (6, 2), 0, 11)
    mask = jnp.ones((6, 2), bool).at[2, 0].set(False).at[0, 1].set(False)
    resets = jnp.zeros((6, 2), bool).at[3, 1].set(True).at[2, 0].set(True)

    @jax.jit
    def step(state, x, mask, resets):
        return model.apply(params, x, state, mask=mask, resets=resets)

    ys, last = jax.jit(lambda x: model.apply(params, x, mask=mask, resets=resets))(x)
    other, _ = jax.jit(lambda x: model.apply(params, x, mask=mask, resets=resets))(jnp.where(mask, x, 10 - x))
    state, found = model.initial_state(params, 2), []
    for t in range(6):
        y, state = step(state, x[t : t + 1], mask[t : t + 1], resets[t : t + 1])
        found.append(y[0])
    assert_close(jnp.stack(found), ys, 1e-12)
    assert_close(state, last, 1e-12)
    assert_close(other, ys, 0)


@each
def test_compiled_size_does_not_grow_with_depth(name, small):
    """From the number of layers on that makes a loop."""

    def size(layers):
        model = network(presets.preset(name)(width=8, layers=layers, **{**small, **more(layers)}))
        x = jax.ShapeDtypeStruct((4, 2), jnp.int32)
        jaxpr = jax.make_jaxpr(lambda p, x: model.apply(p, x)[0])(model.shapes(), x)
        names = [eqn.primitive.name for eqn in jaxpr.eqns]
        stacking = ("broadcast_in_dim", "concatenate", "squeeze", "slice", "reshape", "dynamic_slice", "gather")
        return len([name for name in names if name not in stacking])

    def more(layers):
        return {"slstm_at": tuple(range(1, layers, 2))} if name == "xlstm" else {}

    period = 3 if name == "griffin" else 2
    assert size(8 * period) == size(16 * period)


@each_at_last
def test_streams_folders_and_stablehlo(name, small, tmp_path):
    model = network(presets.preset(name)(width=8, layers=3, **small))
    params = jax.jit(model.init)(jax.random.key(0))
    x = jax.random.randint(jax.random.key(1), (6, 2), 0, 11)
    ys, _ = model.apply(params, x)
    rnnzoo.save_model(tmp_path / "model", model, params)
    trained = rnnzoo.load_model(tmp_path / "model")
    assert trained.model == model
    assert_close(trained.model.apply(trained.params, x)[0], ys, 0)
    stepper = rnnzoo.make_model_stepper(model, params, streams=2, steps=2)
    state, found = stepper.start(), []
    for t in range(0, 6, 2):
        y, state = stepper(state, np.asarray(x[t : t + 2]))
        found.append(y)
    assert_close(jnp.concatenate(found), ys, 1e-5)
    assert export(model, params, "stablehlo", tmp_path / "exported")[1] < 1e-5


@each
def test_no_steps(name, small):
    model = network(presets.preset(name)(width=16, layers=2, **small))
    logits, _ = jax.eval_shape(lambda params: model.apply(params, jnp.zeros((0, 2), int)), model.shapes())
    assert logits.shape[:2] == (0, 2)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n == "mingru" else pytest.mark.slow) for n in presets.presets()]
)
def test_numpy_alone_gives_the_numbers(name, tmp_path):
    model = network(presets.preset(name)(width=8, layers=3, **SMALL[name]))
    params = jax.jit(model.init)(jax.random.key(0))
    params = jax.tree.map(jnp.add, params, random_like(jax.random.key(1), params, 0.1))
    file, error = export(model, params, "numpy", tmp_path / "out")
    assert error < 1e-5
    module = runpy.run_path(str(file))
    x = jax.random.randint(jax.random.key(1), (6, 1), 0, 11)
    state, ys = module["start"](), []
    for x_t in np.asarray(x[:, 0]):
        y, state = module["step"](x_t, state)
        ys.append(y)
    assert_close(np.array(ys), model.apply(params, x)[0][:, 0], 1e-5)


def test_layers_of_rwkv7_start_as_in_the_authors_code():
    """What depends on the layer, RWKV_Tmix_x070 and RWKV_CMix_x070: q falls from 1 to 1 / L, s grows from 0 to 1."""
    params = network(presets.rwkv7(width=8, layers=3, head_size=4)).init(jax.random.key(0))
    ramp = np.arange(8) / 8
    for number in range(3):
        layer, q, s = params[f"layer_{number}"], 1 - number / 3, number / 2
        assert_close(layer["cell"]["mix"]["w"], 1 - ramp ** (0.9 * q), 1e-6)
        assert_close(layer["cell"]["norm"]["scale"], np.full(8, ((1 + number) / 3) ** 0.7), 1e-6)
        rise = layer["cell"]["base"]["w"] - params["layer_0"]["cell"]["base"]["w"]
        at = np.arange(8) / 7
        assert_close(rise, 6 * (at ** (1 + s**0.3) - at), 1e-5)
        assert_close(layer["mlp"]["mix"], 1 - ramp ** (q**4), 1e-6)


@pytest.mark.parametrize("name", presets.presets())
def test_json_and_counts(name):
    model = network(presets.preset(name)(width=16, layers=3))
    assert rnnzoo.from_json(rnnzoo.to_json(model)) == model
    assert counts.num_params(model) == sum(a.size for a in jax.tree.leaves(model.shapes()))


def test_mingru_has_the_convolution_where_it_is_told():
    def made(**options):
        cell, stack = presets.mingru(width=8, layers=1, **options)
        return type(cell).__name__, stack.pattern[0].convolution, stack.pattern[0].projection

    assert made() == ("ShortConvolution", 0, True)
    assert made(width_of_convolution=0, expansion=1.0) == ("MinGRU", 0, True)
    assert made(pytorch=True, width_of_convolution=3) == ("MinGRU", 3, True)
    assert made(pytorch=True, width_of_convolution=0, expansion=1.0) == ("MinGRU", 0, False)


def test_a_convolution_of_one_step_keeps_nothing(x64):
    stack = Stack(pattern=(Block(convolution=1),), embedding_size=8)
    model = network((rnnzoo.cells.MinGRU(hidden_size=8), stack))
    params = model.init(jax.random.key(0))
    x = jax.random.randint(jax.random.key(1), (6, 2), 0, 11)
    ys, state = model.apply(params, x, mask=jnp.ones((6, 2), bool).at[2, 0].set(False))
    assert state["layer_0"]["convolution"]["x"].shape == (2, 0, 8)
    assert_close(ys[:, 1], model.apply(params, x)[0][:, 1], 1e-12)


def test_layers_under_a_loop_are_those_one_by_one(x64):
    assert groups(network(presets.griffin(width=8, layers=13, heads=2)).layers) == [(0, 3, 4), (12, 1, 1)]
    model = network(presets.hawk(width=8, layers=4, heads=2))
    assert groups(model.layers) == [(0, 1, 4)]
    params = model.init(jax.random.key(0))
    x = jax.random.randint(jax.random.key(1), (5, 2), 0, 11)

    def loss(params, unroll):
        ys, state = model.apply(params, x, unroll=unroll, dropout_key=jax.random.key(2))
        return (ys**2).sum(), (ys, state)

    (_, one), grads = jax.value_and_grad(loss, has_aux=True)(params, unrolls.Scan())
    (_, other), expected = jax.value_and_grad(loss, has_aux=True)(params, unrolls.Loop())
    assert_close(one, other, 1e-12)
    assert_close(grads, expected, 1e-10)


def test_attention_is_that_of_its_equations(x64):
    """Of several windows of queries, against a plain loop."""
    cell = LocalAttention(heads=2, head_size=4, window=5)
    params = cell.init(jax.random.key(0), 3)
    xs = jax.random.normal(jax.random.key(1), (300, 1, 3))
    found, _ = cell.apply(params, xs, None, None, None)
    q, k, v = (np.asarray(xs[:, 0] @ params[name]["w"].T) for name in "qkv")

    def rotated(x, t):
        cos, sin = np.cos(t), np.sin(t)
        return np.array([x[0] * cos - x[1] * sin, x[1] * cos + x[0] * sin, x[2], x[3]])

    for t in (0, 3, 127, 128, 129, 299):
        seen = range(max(0, t - 5), t + 1)
        for head in range(2):
            query = rotated(q[t, 4 * head : 4 * head + 4], t)
            scores = np.array([query @ rotated(k[s], s) / 2 for s in seen])
            weights = np.exp(scores) / np.exp(scores).sum()
            expected = sum(w * v[s] for w, s in zip(weights, seen, strict=True))
            np.testing.assert_allclose(found[t, 0, 4 * head : 4 * head + 4], expected, atol=1e-10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stack(pattern=(Block(),), residual=True), "Stack.residual is True and Stack.pattern has blocks"),
        (lambda: Stack(pattern=(Block(), Block())), "2 blocks and there are 1 layers; accepted: as many layers"),
        (lambda: Stack(pattern=(Block(cell=LocalAttention()),)), "every block of Stack.pattern has a cell"),
        (lambda: Stack(tied=True), "Stack.tied is set and embedding_size is 0"),
        (lambda: network(presets.hawk(width=8, layers=1, tied=True), 5), None),
        (lambda: LocalAttention(head_size=6), "head_size is 6; accepted: 2, or a multiple of 4"),
        (lambda: presets.preset("grifin"), "no preset 'grifin'; did you mean griffin"),
        (lambda: presets.xlstm(width=8, layers=2, slstm_at=(2,)), r"slstm_at is \(2,\); accepted: numbers from 0 to 1"),
        (lambda: presets.xlstm(width=6, layers=2, heads=4), "heads is 4; accepted: a divisor of width, which is 6"),
        (lambda: presets.xlstm_large(width=8, layers=2, heads=8), "heads is 8; accepted: a divisor of all values and"),
        (lambda: presets.xlstm(width=8, layers=2, multiple=0), "multiple is 0; accepted: 1 or more"),
        (lambda: presets.griffin(width=0, layers=3), "width is 0; accepted: 1 or more"),
        (lambda: presets.rwkv7(width=8, layers=0), "layers is 0; accepted: 1 or more"),
        (lambda: presets.hawk(width=8, layers=1, heads=-1), "heads is -1; accepted: 1 or more, or 0"),
        (lambda: presets.mamba2(width=8, layers=1, head_size=5), "head_size is 5; accepted: a divisor of 2"),
    ],
)  # fmt: skip
def test_refusals(make, message):
    if message is None:
        assert make().stack.tied
        return
    with pytest.raises(UsageError, match=message):
        make()


def test_a_tied_head_needs_tokens():
    cell, stack = presets.hawk(width=8, layers=1, tied=True)
    with pytest.raises(UsageError, match=r"Stack\.tied is True, with 3 features in and 3 outputs; accepted: tokens"):
        Model(cell=cell, stack=stack, input_size=3, output_size=3)


# ---- the command line ------------------------------------------------------------------------------------


def configured(*args):
    config = rnnzoo.config.Config(
        task=rnnzoo.tasks.Parity(length=5), cell=rnnzoo.cells.Elman(hidden_size=4), model=Stack(dropout=0.25)
    )
    return override(*with_preset(config, list(args)), "train.py")


def test_a_preset_by_name_with_options_of_its_own_and_others_on_top():
    found = configured(
        "--lr=0.5", "--preset", "Gated-DeltaNet", "--preset.width", "8", "--preset.layers=2", "--preset.heads", "2",
        "--model.pattern.0.norm", "LayerNorm", "--model.pattern.0.mlp.size", "5", "--cell.width", "3",
    )  # fmt: skip
    cell, stack = presets.gated_deltanet(width=8, layers=2, heads=2)
    assert found.cell == dataclasses.replace(cell, width=3) and found.lr == 0.5
    assert (found.model.layers, found.model.dropout) == (2, 0.25)
    (block,) = found.model.pattern
    assert (type(block.norm).__name__, block.mlp.size, block.output_norm) == (
        "LayerNorm",
        5,
        stack.pattern[0].output_norm,
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--preset", "grifin"), "no preset 'grifin'; did you mean griffin"),
        (("--preset", "--lr", "1"), "--preset needs a name; known: gated_deltanet, griffin"),
        (("--preset", "hawk", "--preset.layers", "2"), "--preset hawk needs --preset.width; such as --preset hawk"),
        (("--preset.width", "8"), "--preset.width is given and --preset is not"),
    ],
)
def test_what_a_preset_needs_on_the_command_line(args, message):
    with pytest.raises(UsageError, match=message):
        configured(*args)


def test_presets_are_listed():
    assert [row["name"] for row in rows("*")] == list(presets.presets())
    assert [row["name"] for row in rows("m*")] == ["mamba2", "mingru"]
