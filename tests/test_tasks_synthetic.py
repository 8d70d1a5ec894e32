"""Each synthetic task but binary addition against a literal re-computation of its definition."""

import jax
import numpy as np
import pytest
from task_support import draw, held_out, opened, rough, score

from rnnzoo import tasks


def test_parity():
    task = tasks.Parity(length=6, test_length=24)
    batch = draw(task, 600)
    assert set(np.asarray(batch["lengths"]).tolist()) == {1, 2, 3, 4, 5, 6}
    for drawn in (batch, *held_out(task)):
        x, y = np.asarray(drawn["x"][..., 0]).astype(int), np.asarray(drawn["y"])
        for b, length in enumerate(np.asarray(drawn["lengths"])):
            assert y[:length, b].tolist() == [sum(x[: t + 1, b]) % 2 for t in range(length)]
            assert not x[length:, b].any()
    assert x.shape == (24, 2048) and (drawn["lengths"] == 24).all()  # pyright: ignore[reportPossiblyUnbound]


def test_held_out_set_is_the_same_in_double_precision(x64):
    with jax.enable_x64(False):
        single = held_out(tasks.Adding())[0]
    double = next(tasks.Adding().open().held_out("test"))
    assert double["x"].dtype == np.float64
    np.testing.assert_array_equal(np.float32(double["x"]), single["x"])
    np.testing.assert_allclose(double["y"], single["y"], rtol=1e-6)


def test_held_out_set_does_not_depend_on_the_generator():
    with jax.default_prng_impl("rbg"):
        again = list(tasks.DelayedRecall().open().held_out("test"))
    np.testing.assert_array_equal(again[0]["x"], held_out(tasks.DelayedRecall())[0]["x"])


def test_parity_baseline_is_the_score_of_guessing():
    task = tasks.Parity(test_length=3)
    scores = score(task, held_out(task), lambda b: rough(task, b))
    assert scores["wrong_sequences"] == pytest.approx(task.baselines(opened(task))["chance"], abs=0.03)
    assert scores["bit_error"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("length", [2, 7])
def test_adding(length):
    batch = draw(tasks.Adding(length=length), 500)
    values, marks = np.asarray(batch["x"][..., 0]), np.asarray(batch["x"][..., 1])
    assert set(np.unique(marks)) <= {0, 1} and ((values >= 0) & (values < 1)).all()
    firsts, seconds = set(), set()
    for b in range(500):
        first, second = np.flatnonzero(marks[:, b])
        firsts.add(int(first))
        seconds.add(int(second))
        assert batch["y"][b] == pytest.approx(values[first, b] + values[second, b])
    half = length // 2
    assert firsts == set(range(half)) and seconds == set(range(half, length))


def test_adding_baseline_is_the_score_of_constant_1():
    task = tasks.Adding()
    ones = score(task, held_out(task), lambda b: np.ones((len(b["y"]), 1)))["mse"]
    assert task.baselines(opened(task))["constant_1"] == pytest.approx(ones, rel=1e-5) == pytest.approx(1 / 6, abs=0.01)


def test_copy_memory_layout():
    task = tasks.CopyMemory(delay=4, symbols=3, alphabet=5)
    batch = draw(task, 200)
    for x, y in zip(np.asarray(batch["x"]).T.tolist(), np.asarray(batch["y"]).T.tolist(), strict=True):
        string = x[:3]
        assert all(1 <= s <= 5 for s in string)
        assert x == string + [0] * 3 + [6] + [0] * 3
        assert y == [0] * 7 + string
    assert set(np.unique(batch["y"])) == set(range(6)) and opened(task).input_size == 7


def test_copy_memory_without_memory():
    """The best predictor without memory: blanks for sure, then any symbol."""
    task = tasks.CopyMemory()
    outputs = 1e-3 * np.random.RandomState(0).rand(50, 1024, 9).astype(np.float32)
    outputs[:40, :, 0], outputs[40:, :, 0] = 60, -60
    found = score(task, held_out(task), lambda b: outputs)
    assert found["cross_entropy"] == pytest.approx(10 * np.log(8) / 50, abs=1e-3) == pytest.approx(0.416, abs=1e-3)
    assert found["recall"] == pytest.approx(task.baselines(opened(task))["chance"], abs=0.02)


def test_delayed_recall():
    batch = draw(tasks.DelayedRecall(), 400)
    x, y = np.asarray(batch["x"][..., 0]), np.asarray(batch["y"])
    assert (x[0] == np.where(y == 1, 1, -1)).all() and 0.4 < y.mean() < 0.6
    assert (np.abs(x[1:]) <= 1).all() and abs(x[1:].mean()) < 0.02 and x[1:].std() == pytest.approx(3**-0.5, abs=0.01)
    task = tasks.DelayedRecall()
    constant = [score(task, held_out(task), lambda b, s=s: np.full((len(b["y"]), 1), s)) for s in (-1.0, 1.0)]
    best = max(c["accuracy"] for c in constant)
    assert task.baselines(opened(task))["majority"] == pytest.approx(best, abs=1e-6)
