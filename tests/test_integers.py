"""Tokens, labels and lengths that are out of range are refused: eagerly on the host, compiled in `rnnzoo.checked`."""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close
from task_support import opened, perfect
from zoo import defaults

import rnnzoo
from rnnzoo import UsageError, cells, convert, make_model_stepper, run, unrolls
from rnnzoo.models import Model, Stack
from rnnzoo.spec import spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Batch, Batches, HostData, Sequences
from rnnzoo.tasks.text.corpus import decode
from rnnzoo.training.config import Config
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress

BAD = {
    "too large": np.array([[5]]),
    "negative": np.array([[-1]]),
    "int64 that int32 would wrap": np.array([[2**40 + 3]]),
    "uint8": np.array([[255]], np.uint8),
    "floats": np.array([[1.0]]),
    "booleans": np.array([[True]]),
    "a trailing axis": np.array([[[1]]]),
    "a list": [[7]],
}
IN_JAX = {"too large": [[5]], "negative": [[-1]], "largest": [[2**31 - 1]]}


@functools.cache
def network(embedding: int = 0, symbols: int = 5) -> tuple[Any, Any]:
    model = Model(
        cell=cells.GRU(hidden_size=4), input_size=symbols, output_size=2, tokens=True,
        stack=Stack(embedding_size=embedding),
    )  # fmt: skip
    return model, model.init(jax.random.key(0))


# ---- networks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [*BAD.values(), *map(jnp.array, IN_JAX.values())], ids=[*BAD, *IN_JAX])
@pytest.mark.parametrize("embedding", [0, 3])
def test_tokens_that_a_model_does_not_have(x, embedding):
    model, params = network(embedding)
    with pytest.raises(UsageError, match=r"x (is|has values from) .*; accepted: .*0 to 4"):
        model.apply(params, x)
    with pytest.raises(UsageError, match=r"xs of the stepper (is|has values from) .*; accepted: "):
        stepper = make_model_stepper(model, params)
        stepper(stepper.start(), x)


def test_padding_may_hold_any_tokens():
    model, params = network(3)
    good, padded = np.array([[1, 2], [3, 4]]), np.array([[1, 2], [-100, 4]])
    for controls in ({"lengths": [1, 2]}, {"mask": np.array([[1, 1], [0, 1]], bool)}):
        apply = functools.partial(model.apply, params, **controls)
        assert_close(apply(padded), apply(good), 0)
        assert_close(rnnzoo.checked(apply)(padded), apply(good), 1e-6)
    with pytest.raises(UsageError, match="from -100 to 2"):
        model.apply(params, padded, lengths=[2, 1])
    stepper = make_model_stepper(model, params, streams=2, mask=True)
    stepper(stepper.start(), np.array([[1, -100]]), mask=np.array([[True, False]]))


@pytest.mark.parametrize("embedding", [0, 3])
def test_narrow_integers_count_as_wide_ones(embedding):
    model, params = network(embedding, symbols=300)  # in uint8, 44 and 300 are the same
    tokens = np.array([[44, 255]])
    expected = model.apply(params, tokens)
    assert_close(model.apply(params, tokens.astype(np.uint8)), expected, 0)
    assert_close(rnnzoo.checked(functools.partial(model.apply, params))(tokens.astype(np.uint8)), expected, 1e-6)


def test_a_stepper_without_checks_takes_tokens_as_they_are():
    model, params = network()
    stepper = make_model_stepper(model, params, check_tokens=False)
    ys, _ = stepper(stepper.start(), jnp.array([[7]]))
    assert ys.shape == (1, 1, 2)


def test_parameters_and_states_of_another_model():
    model, params = network()
    other, theirs = network(3)
    with pytest.raises(UsageError, match=r"params of a Model of GRU have \['embed'\]\['w'\]; accepted: "):
        model.apply(theirs, np.array([[1]]))
    with pytest.raises(UsageError, match=r"params of a Model of GRU lack \['embed'\]\['w'\]"):
        make_model_stepper(other, params)
    with pytest.raises(UsageError, match="state has h; accepted: layer_0"):
        model.apply(params, np.array([[1]]), {"h": jnp.zeros(4)})
    vectors = dataclasses.replace(model, tokens=False)
    for x in (jnp.ones((2, 1, 6)), jnp.ones((2, 5)), jnp.ones((2, 1, 5), int)):
        with pytest.raises(UsageError, match=r"x is .*; accepted: floating point of \(T, B, 5\)"):
            vectors.apply(params, x)


@pytest.mark.parametrize("lengths", [[3], [-1], [2**40]])
def test_lengths_that_a_sequence_cannot_have(lengths):
    cell = cells.Elman(hidden_size=3)
    with pytest.raises(UsageError, match="lengths has values"):
        run(cell, cell.init(jax.random.key(0), 2), jnp.ones((2, 1, 2)), lengths=np.array(lengths))


def test_flax_faces_take_large_integers_as_numbers():
    nnx = pytest.importorskip("flax.nnx")
    import rnnzoo.nnx

    cell = cells.Elman(hidden_size=3)
    rnn = rnnzoo.nnx.RNN(cell, in_features=1, rngs=nnx.Rngs(0))
    large = np.full((1, 1, 1), 2**40 + 3)  # as int32 it is 3
    assert_close(rnn(large), rnn(large.astype(np.float32)), 0)
    for features in (1.5, "3", 0):
        with pytest.raises(UsageError, match=r"in_features is .*; accepted: 1 or more"):
            rnnzoo.nnx.RNN(cell, in_features=features, rngs=nnx.Rngs(0))  # pyright: ignore


# ---- compiled programs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("unroll", [unrolls.Scan(), unrolls.Newton(max_iterations=4)], ids=str)
def test_checked_finds_what_jit_does_not_know(unroll):
    model, params = network(3)

    @jax.jit
    def loss(params: Any, x: Any, lengths: Any) -> Any:
        return (model.apply(params, x, lengths=lengths, unroll=unroll)[0] ** 2).sum()

    x, lengths = jnp.array([[1, 2], [3, 4], [0, 1]]), jnp.array([3, 2])
    silent = loss(params, x.at[0, 0].set(7), lengths)  # the very function that is checked below has been traced before
    checked = rnnzoo.checked(jax.value_and_grad(loss))
    assert_close(checked(params, x, lengths), jax.value_and_grad(loss)(params, x, lengths), 1e-5)
    for value in (7, -1):
        with pytest.raises(
            UsageError, match=rf"^x has values from {min(value, 0)} to {max(value, 4)}; accepted: 0 to 4$"
        ):
            checked(params, x.at[0, 0].set(value), lengths)
    with pytest.raises(UsageError, match=r"^lengths has values from 2 to 4; accepted: 0 to 3$"):
        checked(params, x, lengths.at[0].set(4))
    assert_close(loss(params, x.at[0, 0].set(7), lengths), silent, 0)  # and is as it was afterwards


def test_checked_looks_into_vmap_scan_and_checkpoint():
    model, params = network()

    def each(tokens: Any) -> Any:
        return jax.checkpoint(lambda t: model.apply(params, t)[0])(tokens).sum()

    mapped = rnnzoo.checked(jax.vmap(each))
    scanned = rnnzoo.checked(lambda xs: jax.lax.scan(lambda total, x: (total + each(x), None), 0.0, xs)[0])
    good = jnp.array([[[1]], [[4]]])
    assert_close(scanned(good), mapped(good).sum(), 1e-6)
    for function in (mapped, scanned):
        with pytest.raises(UsageError, match=r"x has values from .*5"):
            function(good.at[1].set(5))


def test_checked_refuses_what_it_cannot_check():
    double = rnnzoo.checked(lambda x: 2 * x)
    assert double(np.array([3])) == 6
    with pytest.raises(UsageError, match="called inside of another program"):
        jax.jit(double)(1)
    for large in (np.array([2**40 + 3]), 2**40, np.int64(2**40)):
        with pytest.raises(UsageError, match=r"an argument has values from .*; accepted: -2147483648 to 2147483647"):
            double(large)


def test_programs_that_are_not_checked_pay_nothing():
    model, params = network()
    x = jnp.array([[1]])
    plain = jax.make_jaxpr(lambda x: model.apply(params, x))
    before = str(plain(x))
    rnnzoo.checked(functools.partial(model.apply, params))(x)
    assert str(jax.make_jaxpr(lambda x: model.apply(params, x))(x)) == before and "callback" not in before


# ---- tasks -----------------------------------------------------------------------------------------------

Measure = Any
LABELS: list[tuple[Measure, Any]] = [
    (measures.cross_entropy, [0, 3]),
    (measures.cross_entropy, [-1, 0]),
    (measures.class_hits, [0, 3]),
    (measures.class_hits, [0.0, 1.0]),
    (measures.cross_entropy, [0, 2**40]),
    (measures.binary_cross_entropy, [0, 2]),
    (measures.bit_hits, [-1, 1]),
    (measures.bit_hits, [0.0, 0.5]),
]


@pytest.mark.parametrize(("measure", "labels"), LABELS)
def test_labels_that_there_are_not(measure, labels):
    logits = jnp.zeros((2, 3) if "class" in measure.__name__ or measure is measures.cross_entropy else 2)
    with pytest.raises(UsageError, match=r"(classes|bits) (is|has values)"):
        measure(logits, np.array(labels))
    if np.array(labels).dtype.kind == "i" and max(labels) < 2**31:
        with pytest.raises(UsageError, match=r"(classes|bits) has values"):
            rnnzoo.checked(measure)(logits, jnp.array(labels))


@pytest.mark.parametrize("task", defaults("tasks"), ids=str)
def test_the_tasks_draw_what_their_losses_accept(task):
    data = opened(task)

    def draw(arrays: Any, key: Any) -> Any:
        batch = data.static.batch(arrays, key, 3)
        model = Model(
            cell=cells.Elman(hidden_size=2), input_size=data.input_size, output_size=data.output_size,
            tokens=task.tokens, read=task.read,
        )  # fmt: skip
        outputs, _ = model.apply(model.init(key), batch["x"], lengths=batch.get("lengths"))
        return task.loss(outputs, batch), task.scores(outputs, batch), batch

    batch = rnnzoo.checked(draw)(data.arrays, jax.random.key(0))[-1]
    if batch["y"].dtype.kind == "i":  # and what they do not accept is found
        wrong = {**batch, "y": batch["y"] + data.output_size + 1}
        with pytest.raises(UsageError, match=r"(classes|bits) has values"):
            rnnzoo.checked(task.loss)(perfect(task, batch), wrong)


def test_tokens_become_characters_only_if_there_are_such():
    assert decode("abc", np.array([0, 2, 3])) == "ac\ufffd"
    for token in (-1, 4, 0.0):
        with pytest.raises(UsageError, match=r"tokens (is|has values)"):
            decode("abc", np.array([token]))


def test_labelled_sequences_are_checked_when_they_are_made():
    def make(x: Any, **more: Any) -> Sequences:
        part = {"x": np.asarray(x), "y": np.zeros((1, 2), int), **more}
        return Sequences(input_size=4, output_size=2, arrays={"train": part})  # pyright: ignore

    assert make([[0, 3]]).static.arrays is None
    make([[0, -1]], lengths=np.array([1]))
    for x, more in (([[0, 4]], {}), ([[-1, 0]], {"lengths": np.array([1])}), ([[0, 0]], {"lengths": np.array([3])})):
        with pytest.raises(UsageError, match="of the train part has values"):
            make(x, **more)


class _Same(Batches):
    def __init__(self, batch: Batch):
        self.batch = batch

    def __next__(self) -> Batch:
        return self.batch

    def state(self) -> Any:
        return None

    def restore(self, state: Any) -> None:
        pass


@dataclasses.dataclass
class _Data(HostData):
    x: Any
    lengths: Any
    input_size, output_size, fingerprint = 4, 2, "0" * 64  # pyright: ignore

    def batches(self, size: int, seed: int) -> Batches:
        return _Same(
            {
                "x": np.asarray(self.x, np.int32),
                "y": np.zeros(1, np.int32),
                "lengths": np.array([self.lengths], np.int32),
            }
        )

    def held_out(self, part: Any) -> Iterator[Batch]:
        yield {"x": np.zeros((1, 1), np.int32), "y": np.zeros(1, np.int32), "lengths": np.ones(1, np.int32)}


@spec
class _FromOutside(Task):
    """A task whose data come from an iterator."""

    token: int = 0
    lengths: int = 1
    metric, better, tokens, read = "accuracy", "higher", True, "last"

    def open(self):
        return _Data([[self.token]], self.lengths)

    def loss(self, outputs, batch):
        return measures.cross_entropy(outputs, batch["y"]).mean()

    def scores(self, outputs, batch):
        return {"accuracy": measures.total(measures.class_hits(outputs, batch["y"]))}

    def baselines(self, data):
        return {}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"token": 4}, "x of a batch has values from 4 to 4; accepted: 0 to 3"),
        ({"token": -1}, "x of a batch has values from -1 to -1"),
        ({"lengths": 2}, "lengths of a batch has values from 2 to 2; accepted: 0 to 1"),
    ],
)
def test_batches_from_an_iterator_are_checked_before_they_train(fields, message, tmp_path):
    config = Config(task=_FromOutside(**fields), cell=cells.Elman(hidden_size=2), steps=1, batch_size=1)
    with pytest.raises(UsageError, match=message):
        Job(config, tmp_path / "run", Progress(config)).run()


# ---- weights of other libraries --------------------------------------------------------------------------


def test_weights_that_are_no_real_numbers_or_overflow():
    cell = cells.Elman(hidden_size=2)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    values = (np.eye(2), np.eye(2), np.full(2, 200, np.uint8), np.full(2, 100, np.uint8))
    source: dict[str, Any] = dict(zip(names, values, strict=True))
    found = convert.from_torch(cell, source)
    assert_close(found.params["b"]["h"], jnp.full(2, 300.0), 0)  # 44 in uint8
    for bad, message in ((np.eye(2) * 1j, "is complex128"), (np.eye(2) * 1e300, "not finite in float32"),
                         (np.full((2, 2), np.nan), "not finite")):  # fmt: skip
        with pytest.raises(UsageError, match=f"weight_hh_l0 .*{message}"):
            convert.from_torch(cell, {**source, "weight_hh_l0": bad})
