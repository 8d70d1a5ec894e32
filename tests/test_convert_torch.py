"""torch's layers and ours compute the same from converted weights, in both directions; what cannot be is refused."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from support import assert_close, inputs, random_like

from rnnzoo import UsageError, cells, convert, run, structures
from rnnzoo.models import Model, Stack

torch: Any = pytest.importorskip("torch")

KINDS = {
    "LSTM": (lambda **f: cells.LSTM(**f), {}),
    "projected": (lambda **f: cells.ProjectedLSTM(**f), {}),
    "GRU": (lambda **f: cells.GRU(**f), {}),
    "tanh": (lambda **f: cells.Elman(**f), {"nonlinearity": "tanh"}),
    "relu": (lambda **f: cells.Elman(activation="relu", **f), {"nonlinearity": "relu"}),
}


def torch_layer(kind: str, features: int, size: int, **fields: Any) -> Any:
    name = {"LSTM": "LSTM", "GRU": "GRU", "projected": "LSTM"}.get(kind, "RNN")
    if kind == "projected":
        fields["proj_size"] = -(-size // 2)  # the cell's default
    return getattr(torch.nn, name)(features, size, **KINDS[kind][1], **fields).double()


def headless(cell: Any, features: int, layers: int = 1, bidirectional: bool = False) -> tuple[Model, Any]:
    """A model whose head returns what it reads."""
    stack = Stack(layers=layers, bidirectional=bidirectional, head_bias=False)
    width = cell.output_size * (1 + bidirectional)
    return Model(cell=cell, input_size=features, output_size=width, stack=stack), {"head": {"w": jnp.eye(width)}}


def varied(model: Any, *args: Any) -> Any:
    """Parameters with nothing at zero."""
    params = model.init(jax.random.key(0), *args)
    return jax.tree.map(jnp.add, params, random_like(jax.random.key(1), params, 0.3))


def tensors(arrays: Any) -> Any:
    return {k: torch.from_numpy(np.array(a)) for k, a in arrays.items()}


SIZES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(sorted(KINDS)),
        "size": st.integers(1, 4),
        "features": st.integers(1, 3),
        "layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
        "bias": st.booleans(),
        "time": st.integers(1, 3),
    }
)


def check_both_ways(kind: str, size: int, features: int, layers: int, bidirectional: bool, bias: bool, time: int):
    size += kind == "projected"  # torch wants more units than outputs
    cell = KINDS[kind][0](hidden_size=size, bias=bias)
    model, head = headless(cell, features, layers, bidirectional)
    layer = torch_layer(kind, features, size, num_layers=layers, bidirectional=bidirectional, bias=bias)
    xs = inputs(time, (2,), features)
    expected = layer(torch.from_numpy(np.array(xs)))[0].detach().numpy()
    state = {f"encoder.rnn.{k}": v for k, v in layer.state_dict().items()}
    found = convert.from_torch(model, state)
    assert found.unused == () and found.missing == ("head.w",)
    assert_close(np.asarray(model.apply({**found.params, **head}, xs)[0]), expected)

    params = {**varied(model), **head}
    back = convert.to_torch(model, params)
    layer.load_state_dict({k: v for k, v in tensors(back).items() if k != "head.weight"})
    expected = layer(torch.from_numpy(np.array(xs)))[0].detach().numpy()
    assert_close(np.asarray(model.apply(params, xs)[0]), expected)
    again = convert.from_torch(model, back, head="head.")
    assert again.missing == () and again.unused == ()
    assert_close(again.params, params, 1e-15)


@given(case=SIZES)
@hypothesis_settings(max_examples=3)
def test_random_layers_both_ways(case):
    with jax.enable_x64(True):
        check_both_ways(**case)


@pytest.mark.slow
@given(case=SIZES)
@hypothesis_settings(max_examples=100)
def test_many_random_layers_both_ways(case):
    with jax.enable_x64(True):
        check_both_ways(**case)


def test_single_precision_from_a_file_without_torch(tmp_path):
    from safetensors.torch import save_file

    layer = torch.nn.GRU(3, 5)
    save_file({f"net.{k}": v for k, v in layer.state_dict().items()}, tmp_path / "weights.safetensors")
    cell, xs = cells.GRU(hidden_size=5), inputs(7, (2,), 3)
    found = convert.from_torch(cell, tmp_path / "weights.safetensors")
    expected = layer(torch.from_numpy(np.array(xs)))[0].detach().numpy()
    assert_close(np.asarray(run(cell, found.params, xs)[0]), expected, 1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_weights_are_widened_without_loss(dtype):
    layer = torch.nn.LSTM(3, 5).to(dtype)
    found = convert.from_torch(cells.LSTM(hidden_size=5), layer.state_dict())
    assert found.params["w"]["i"].dtype == jnp.float32
    np.testing.assert_array_equal(found.params["w"]["i"], layer.weight_ih_l0[:5].float().detach().numpy())


def test_a_cell_of_torch_and_a_structure_that_holds_its_weights(x64):
    source = {k: v.double() for k, v in torch.nn.RNNCell(3, 4).state_dict().items()}
    with pytest.raises(UsageError, match="not a matrix of Diagonal"):
        convert.from_torch(cells.Elman(hidden_size=4, structure=structures.Diagonal()), source)
    source["weight_hh"] = torch.diag(torch.arange(1.0, 5.0)).double()
    cell = cells.Elman(hidden_size=4, structure=structures.Diagonal())
    found = convert.from_torch(cell, source)
    np.testing.assert_array_equal(found.params["u"]["h"], [1, 2, 3, 4])
    np.testing.assert_array_equal(convert.to_torch(cell, found.params)["weight_hh_l0"], source["weight_hh"].numpy())


def test_a_whole_network_with_embedding_and_head(x64):
    network = torch.nn.ModuleDict(
        {"tok": torch.nn.Embedding(7, 4), "lstm": torch.nn.LSTM(4, 5, num_layers=2), "fc": torch.nn.Linear(5, 3)}
    ).double()
    model = Model(
        cell=cells.LSTM(hidden_size=5),
        input_size=7,
        output_size=3,
        tokens=True,
        stack=Stack(layers=2, embedding_size=4),
    )
    found = convert.from_torch(model, network.state_dict(), embedding="tok.", head="fc.")
    assert (found.unused, found.missing) == ((), ())
    x = jax.random.randint(jax.random.key(0), (6, 2), 0, 7)
    expected = network["fc"](network["lstm"](network["tok"](torch.from_numpy(np.array(x))))[0]).detach().numpy()
    assert_close(np.asarray(model.apply(found.params, x)[0]), expected)
    back = convert.to_torch(model, found.params, prefix="lstm.", embedding="tok.", head="fc.")
    network.load_state_dict(tensors(back))
    part = convert.from_torch(model, network.state_dict())
    assert part.unused == ("fc.bias", "fc.weight", "tok.weight")
    assert part.missing == ("embed.w", "head.b", "head.w")


@pytest.mark.parametrize("lengths", [None, (6, 2, 1)], ids=["whole", "lengths"])
def test_a_classifier_reads_what_torch_code_reads(x64, lengths):
    """The output at the last step, or the end of each direction. Both have the same weights, but differ."""
    network = torch.nn.ModuleDict(
        {"rnn": torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True), "fc": torch.nn.Linear(8, 2)}
    ).double()
    xs = inputs(6, (3,), 3)
    x = torch.from_numpy(np.array(xs))
    ends = torch.full((3,), 6) if lengths is None else torch.tensor(lengths)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, ends)
    y, (h_n, _) = network["rnn"](packed)
    y = torch.nn.utils.rnn.pad_packed_sequence(y)[0]
    expected = {"last_step": y[ends - 1, torch.arange(3)], "last": torch.cat([h_n[-2], h_n[-1]], 1)}
    given = None if lengths is None else jnp.array(lengths)
    reads: Any = ("last_step", "last")
    for read in reads:
        stack = Stack(layers=2, bidirectional=True)
        model = Model(cell=cells.LSTM(hidden_size=4), input_size=3, output_size=2, read=read, stack=stack)
        found = convert.from_torch(model, network.state_dict(), head="fc.")
        assert (found.unused, found.missing) == ((), ())
        outputs = network["fc"](expected[read]).detach().numpy()
        assert_close(np.asarray(model.apply(found.params, xs, lengths=given)[0]), outputs)
    assert abs(expected["last"] - expected["last_step"]).max() > 1e-3


LSTM = cells.LSTM(hidden_size=4)


def weights(kind: str = "LSTM", **fields: Any) -> Any:
    return torch_layer(kind, 3, 4, **fields).state_dict()


@pytest.mark.parametrize(
    ("target", "source", "message"),
    [
        (cells.GRUResetBefore(hidden_size=4), weights, "it resets before U_n, and torch's GRU after it"),
        (cells.MGU(hidden_size=4), weights, "no cell with the equations of MGU; accepted: Elman, GRU"),
        (cells.Elman(hidden_size=4, activation="sigmoid"), weights, "Elman.activation is 'sigmoid'"),
        (LSTM, lambda: weights(proj_size=2), "weight_hr_l0 projects h"),
        (LSTM, lambda: weights("GRU"), r"weight_ih_l0 has shape \(12, 3\); accepted: 4 gates of 4 units, 16"),
        (cells.LSTM(hidden_size=4, bias=False), weights, "has biases, but LSTM has bias=False"),
        (LSTM, lambda: {f"{p}.{k}": v for p in "ab" for k, v in weights().items()}, r"one of \['a.', 'b.'\]"),
        (LSTM, lambda: {"fc.weight": np.ones((2, 2))}, "the source has no weight_ih of .*; its keys: fc.weight"),
        (LSTM, lambda: {"weight_ih_l0": np.ones((16, 3))}, "lacks weight_hh_l0"),
        (LSTM, lambda: "model.pt", "model.pt is not a .safetensors file"),
        (LSTM, lambda: "none.safetensors", "cannot read none.safetensors"),
        (
            LSTM,
            lambda: torch.nn.LSTM(3, 4),
            "source is of type LSTM; accepted: a state_dict, such as",
        ),
        (
            LSTM,
            lambda: {**weights(), "weight_ih_l0": np.ones(16)},
            r"W of .* has shape \(4,\)",
        ),
        (LSTM, lambda: {**weights(), "bias_ih_l0": np.ones(())}, r"bias_ih_l0 has shape \(\); accepted: 4 gates"),
        (headless(LSTM, 3)[0], lambda: weights(num_layers=2), r"accepted: a model with Stack\(layers=2"),
        (headless(LSTM, 2)[0], weights, r"layer_0.cell.w.i has shape|layer_0.cell.w.f has shape"),
    ],
)
def test_refusals_say_why(target, source, message):
    with pytest.raises(UsageError, match=message):
        convert.from_torch(target, source())


STACKS = [
    Stack(residual=True),
    Stack(layers=2, residual=True),
    Stack(layers=2, norm=True),
    Stack(embedding_size=4, residual=True),
]


@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_stacks_that_torch_layers_do_not_compute_are_refused_both_ways(stack):
    model = Model(cell=LSTM, input_size=4, output_size=2, stack=stack)
    with pytest.raises(UsageError, match=r"Stack\.(norm|residual) is True; torch's layers have no norm or residual"):
        convert.to_torch(model, model.init(jax.random.key(0)))
    with pytest.raises(UsageError, match=r"accepted: (norm|residual)=False"):
        convert.from_torch(model, torch.nn.LSTM(4, 4, num_layers=stack.layers).state_dict())


def test_norm_and_residual_that_never_act_are_no_obstacle():
    model = Model(cell=LSTM, input_size=3, output_size=2, stack=Stack(residual=True, norm=True))
    params = varied(model)
    found = convert.from_torch(model, convert.to_torch(model, params), head="head.")
    assert_close(found.params, params)
    assert (found.unused, found.missing) == ((), ())


def test_cells_that_torch_has_not_are_refused():
    cell = cells.GRUResetBefore(hidden_size=3)
    with pytest.raises(UsageError, match="it resets before U_n"):
        convert.to_torch(cell, cell.init(jax.random.key(0), 2))


@pytest.mark.parametrize(
    ("kind", "dropped", "missing"),
    [
        ("LSTM", ("bias_hh_l0",), ("b.f", "b.g", "b.i", "b.o")),
        ("LSTM", ("bias_ih_l0",), ("b.f", "b.g", "b.i", "b.o")),
        ("LSTM", ("bias_ih_l0", "bias_hh_l0"), ("b.f", "b.g", "b.i", "b.o")),
        ("GRU", ("bias_hh_l0",), ("b.r", "b.z", "c")),
        ("GRU", ("bias_ih_l0",), ("b.n", "b.r", "b.z")),
        ("GRU", ("bias_ih_l0", "bias_hh_l0"), ("b.n", "b.r", "b.z", "c")),
    ],
)
def test_biases_without_a_source_are_named(kind, dropped, missing):
    cell = KINDS[kind][0](hidden_size=4)
    source = {k: v for k, v in weights(kind).items() if k not in dropped}
    found = convert.from_torch(cell, source)
    assert found.missing == missing
    assert ("c" not in missing) or not found.params["c"].any()


def test_layers_made_without_biases_are_exact_and_named(x64):
    layer, xs = torch_layer("GRU", 3, 4, num_layers=2, bias=False), inputs(5, (2,), 3)
    model, head = headless(cells.GRU(hidden_size=4), 3, layers=2)
    found = convert.from_torch(model, layer.state_dict())
    biases = [f"layer_{n}.cell.{b}" for n in range(2) for b in ("b.n", "b.r", "b.z", "c")]
    assert found.missing == ("head.w", *biases)
    expected = layer(torch.from_numpy(np.array(xs)))[0].detach().numpy()
    assert_close(np.asarray(model.apply({**found.params, **head}, xs)[0]), expected)


def test_what_an_embedding_or_a_head_cannot_hold_is_refused():
    model = headless(LSTM, 3)[0]
    source = {**weights(), "fc.weight": np.eye(4), "fc.bias": np.zeros(4), "e.weight": np.ones((3, 3))}
    assert convert.from_torch(model, source, head="fc.").unused == ("e.weight",)
    with pytest.raises(UsageError, match=r"fc.bias is not 0.*accepted: Stack\(head_bias=True\)"):
        convert.from_torch(model, source | {"fc.bias": np.ones(4)}, head="fc.")
    with pytest.raises(UsageError, match=r"embedding is 'e.', but the model has none"):
        convert.from_torch(model, source, embedding="e.")
    model = Model(cell=LSTM, input_size=3, output_size=4, stack=Stack(embedding_size=3))
    with pytest.raises(UsageError, match=r"e.bias is not 0.*accepted: a bias-free nn.Linear"):
        convert.from_torch(model, source | {"e.bias": np.ones(3)}, embedding="e.")


def test_projections_that_torch_does_not_have_are_refused():
    cell = cells.ProjectedLSTM(hidden_size=4, projection=4)
    with pytest.raises(UsageError, match=r"projects 4 units to 4, but torch.* accepted: projection=3 or less"):
        convert.to_torch(cell, cell.init(jax.random.key(0), 3))


def test_members_that_a_search_misses_are_refused_with_that_reason():
    cell = cells.Elman(hidden_size=8, structure=structures.Givens())
    params = cell.init(jax.random.key(0), 3)
    source = convert.to_torch(cell, params | {"u": {"h": cell.structure_of("h").init(jax.random.key(1), 8)}})
    with pytest.raises(UsageError, match="can miss even a matrix that the structure contains"):
        convert.from_torch(cell, source)
    dense = cells.Elman(hidden_size=8)
    np.testing.assert_array_equal(convert.from_torch(dense, source).params["u"]["h"], source["weight_hh_l0"])
