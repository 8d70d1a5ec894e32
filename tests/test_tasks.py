"""What every task promises."""

import dataclasses
import math
import typing
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from task_support import BATCH, LOSS, SCORES, draw, held_out, opened, perfect, rough, score
from zoo import defaults, marked, representatives

import rnnzoo
from rnnzoo import tasks
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import STEPS_PER_BATCH, Part
from rnnzoo.tasks.synthetic.drawn import Synthetic

DEFAULTS = defaults("tasks")
FIRST = ("BinaryAddition", "Adding", "CopyMemory", "DelayedRecall", "Parity")  # those that configurations are for
VARIANTS: list[Any] = [
    tasks.BinaryAddition(bits=1),
    tasks.BinaryAddition(bits=40),
    tasks.Adding(length=2),
    tasks.CopyMemory(delay=1, symbols=1, alphabet=1),
    tasks.DelayedRecall(length=1),
    tasks.Digits(view="pixels", permuted=True),
    tasks.Parity(length=1, test_length=3),
]


def facts(task: Any) -> dict[str, Any]:
    """What the tests here can tell tasks by: what batches hold, and how they are judged. Tasks with data of their own
    count as different."""
    if not isinstance(task, Synthetic):
        return {"data": type(task)}
    batch = jax.eval_shape(lambda key: task.draw(key, 2), jax.random.key(0))
    return {
        "entries": frozenset(batch) | {task.read},
        "y": (batch["y"].ndim, batch["y"].dtype, task.output_size == 1),
        "better": task.better,
    }


QUICK = representatives(DEFAULTS, facts, FIRST)
EACH = pytest.mark.parametrize("task", marked(DEFAULTS, QUICK.__contains__))
EACH_VARIANT = pytest.mark.parametrize("task", marked(DEFAULTS + VARIANTS, lambda t: t in QUICK + VARIANTS))


def check_batch(task: Any, batch: Any, size: int) -> None:
    x, y, data = batch["x"], batch["y"], opened(task)
    assert x.dtype == (np.int32 if task.tokens else np.float32)
    assert x.shape[1:] == ((size,) if task.tokens else (size, data.input_size))
    steps = x.shape[:2] if task.read == "each" else (size,)
    assert y.shape[: len(steps)] == steps and y.shape[len(steps) :] in ((), (data.output_size,))
    assert y.dtype in (np.int32, np.float32)
    assert np.isfinite(x).all() and np.isfinite(y).all()
    if task.tokens:
        assert ((x >= 0) & (x < data.input_size)).all()
    if y.dtype == np.int32:
        assert ((y >= 0) & (y < max(2, data.output_size))).all()
    if "lengths" in batch:
        lengths = batch["lengths"]
        assert lengths.shape == (size,) and lengths.dtype == np.int32
        assert ((lengths >= 0) & (lengths <= len(x))).all()
    if "mask" in batch:
        assert batch["mask"].shape == x.shape[:2] and batch["mask"].dtype == bool


def equal(a: Any, b: Any) -> bool:
    return jax.tree.all(jax.tree.map(np.array_equal, a, b))


@EACH_VARIANT
def test_batches_have_the_promised_form(task):
    check_batch(task, draw(task), 6)
    for part in typing.get_args(Part):
        for batch in held_out(task, part):
            time, size = batch["x"].shape[:2]
            assert time * size <= STEPS_PER_BATCH
            check_batch(task, batch, size)


@EACH
def test_batches_depend_on_the_key_alone(task):
    first, second = draw(task), draw(task, seed=1)
    assert not equal(first, second)
    keys = jnp.stack([jax.random.key(0), jax.random.key(1)])
    data = opened(task)
    mapped = jax.vmap(lambda key: BATCH(data.static, data.arrays, key, 6))(keys)
    assert equal(jax.tree.map(lambda *leaves: np.stack(leaves), first, second), mapped)


@EACH
@pytest.mark.parametrize("part", typing.get_args(Part))
def test_held_out_sets_are_fixed(task, part):
    first, again = held_out(task, part), list(task.open().held_out(part))
    assert len(first) == len(again) and all(map(equal, first, again))
    assert len({str(jax.tree.map(np.shape, b)) for b in first}) == 1  # one shape: one compilation


@EACH_VARIANT
def test_perfect_predictions_score_perfectly(task):
    best = score(task, held_out(task), lambda b: perfect(task, b))[task.metric]
    assert best == pytest.approx(1.0 if task.better == "higher" else 0.0, abs=1e-6)
    if task.solved_at is not None:
        assert best < task.solved_at if task.better == "lower" else best > task.solved_at


@EACH
def test_a_network_that_diverged_scores_as_wrong(task):
    broken = score(task, held_out(task), lambda b: np.full_like(perfect(task, b), np.nan))[task.metric]
    assert np.isnan(broken) or broken == (0.0 if task.better == "higher" else 1.0)


@EACH
def test_loss(task):
    batch = draw(task)
    assert float(LOSS(perfect(task, batch), task, batch)[0]) == pytest.approx(0, abs=1e-6)
    loss, gradient = LOSS(rough(task, batch, 100), task, batch)
    assert loss.shape == () and np.isfinite(loss) and np.isfinite(gradient).all()
    coarse = jnp.asarray(rough(task, batch), jnp.bfloat16)
    for number in jax.tree.leaves(jax.eval_shape(lambda: (task.loss(coarse, batch), task.scores(coarse, batch)))):
        assert number.shape == () and number.dtype == jnp.float32


@EACH
def test_scores_add_up_over_batches(task):
    batch = draw(task)
    outputs = rough(task, batch)
    each = task.read == "each"

    def half(keep: slice) -> Any:
        timed = {"x", "mask", "y"} if each else {"x"}
        part = {k: v[:, keep] if k in timed else v[keep] for k, v in batch.items()}
        return SCORES(task, outputs[:, keep] if each else outputs[keep], part)

    whole, left, right = SCORES(task, outputs, batch), half(slice(0, 3)), half(slice(3, 6))
    assert task.metric in {*whole, *task.derived(dict.fromkeys(whole, 1.0))}
    for name, (total, count) in whole.items():
        assert float(total) == pytest.approx(float(left[name][0] + right[name][0]), rel=1e-5)
        assert float(count) == float(left[name][1] + right[name][1])


@EACH_VARIANT
def test_baselines_do_not_solve_the_task(task):
    baselines = task.baselines(opened(task))
    assert baselines and all(isinstance(v, float) and np.isfinite(v) and v >= 0 for v in baselines.values())
    if task in DEFAULTS and "memoryless" not in baselines:  # addition's longest windows nearly solve it
        for value in baselines.values():
            assert task.solved_at is None or (value > task.solved_at) == (task.better == "lower")


@EACH_VARIANT
def test_tasks_are_specifications(task):
    assert rnnzoo.from_json(rnnzoo.to_json(task)) == task and hash(task) == hash(dataclasses.replace(task))


@EACH
def test_what_does_not_count_changes_nothing(task):
    batch = draw(task)
    if task.read == "last" or not {"lengths", "mask"} & batch.keys():
        return
    size = batch["x"].shape[1]
    if "lengths" in batch:
        batch["lengths"] = np.minimum(len(batch["x"]), np.array([0, 1, 2, 3, 9, 99], np.int32))
    where = np.asarray(measures.counted(batch))
    assert where.any()
    outputs = rough(task, batch)
    other = np.where(where[..., None], outputs, -7 * outputs + 1)
    assert equal(SCORES(task, outputs, batch), SCORES(task, other, batch))
    (loss, gradient), (other_loss, _) = LOSS(outputs, task, batch), LOSS(other, task, batch)
    assert loss == other_loss and not np.asarray(gradient)[~np.broadcast_to(where[..., None], outputs.shape)].any()
    only_others_wrong = np.where(where[..., None], perfect(task, batch), -perfect(task, batch) + 1)
    scores = SCORES(task, only_others_wrong, batch)
    best = float(scores[task.metric if task.metric in scores else next(iter(scores))][0])
    assert best == pytest.approx(float(where.sum()) if task.better == "higher" else 0, abs=1e-6)
    counts = {float(count) for _, count in SCORES(task, outputs, batch).values()}
    assert counts <= {float(where.sum()), float(size)}  # steps, or sequences


@EACH
def test_a_loss_is_in_nats_if_and_only_if_it_is_a_cross_entropy(task):
    """With outputs of 0, all answers are equally likely."""
    batch, size = draw(task), opened(task).output_size
    shape = batch["x"].shape[1:2] if task.read == "last" else batch["x"].shape[:2]
    loss = float(task.loss(jnp.zeros((*shape, size)), batch))
    equal = [math.log(max(size, 2)), math.log(2), size * math.log(2)]
    assert any(math.isclose(loss, value, rel_tol=1e-4) for value in equal) == (task.loss_unit == "nats")
    assert tasks.BinaryAddition(objective="squared").loss_unit == ""
