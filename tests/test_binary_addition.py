"""Binary addition against the integers, and its rulers against the enumerated ones."""

from typing import Any

import jax
import numpy as np
import pytest
from task_support import LOSS, SCORES, draw, held_out, opened, perfect

from rnnzoo import tasks


def numbers(bits: Any) -> np.ndarray:
    """The integers whose bits are along the first axis, the least significant first; Python's, without limit."""
    bits = np.asarray(bits).astype(int).astype(object)
    return sum(row * 2**t for t, row in enumerate(bits))  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("bits", [2, 33, 62])
def test_binary_addition_adds(bits):
    batch = draw(tasks.BinaryAddition(bits=bits), 300)
    a, b = numbers(batch["x"][..., 0]), numbers(batch["x"][..., 1])
    assert (a + b == numbers(batch["y"])).all()
    assert all(n < 2 ** (bits - 1) for n in [*a, *b])
    assert bits < 8 or batch["x"][:-1].mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("bits", [1, 5, 8])
def test_binary_addition_holds_out_every_sum_once(bits):
    (batch,) = held_out(tasks.BinaryAddition(bits=bits))
    a, b = numbers(batch["x"][..., 0]), numbers(batch["x"][..., 1])
    assert sorted(zip(a, b, strict=True)) == [(m, n) for m in range(2 ** (bits - 1)) for n in range(2 ** (bits - 1))]
    assert (a + b == numbers(batch["y"])).all()


def test_binary_addition_holds_out_different_long_sums():
    batches = held_out(tasks.BinaryAddition(bits=40))
    a = np.concatenate([numbers(b["x"][..., 0]) for b in batches])
    assert len(a) == len(set(a)) == 16384


def test_binary_addition_objectives():
    task = tasks.BinaryAddition(objective="squared")
    batch = draw(task, 4)
    logits = np.random.RandomState(0).randn(8, 4, 1)
    y, p = np.asarray(batch["y"]), 1 / (1 + np.exp(-logits[..., 0]))
    squared = sum(0.5 * (y[t, b] - p[t, b]) ** 2 for t in range(8) for b in range(4)) / 4
    assert float(LOSS(logits, task, batch)[0]) == pytest.approx(squared, rel=1e-5)
    entropy = -np.mean(np.where(y == 1, np.log(p), np.log(1 - p)))
    assert float(LOSS(logits, tasks.BinaryAddition(), batch)[0]) == pytest.approx(entropy, rel=1e-5)


def test_binary_addition_scores():
    (batch,) = held_out(tasks.BinaryAddition(bits=3))
    outputs = np.array(perfect(tasks.BinaryAddition(bits=3), batch))
    outputs[0, 2] *= -1
    outputs[1:, 5] *= -1
    found = SCORES(tasks.BinaryAddition(bits=3), outputs, batch)
    assert jax.tree.map(float, found) == {"wrong_sums": (2, 16), "bit_error": (3, 48)}


def test_binary_addition_baselines():
    task = tasks.BinaryAddition()
    ruler = list(task.baselines(opened(task)).values())
    assert ruler == [pytest.approx(v, abs=5e-5) for v in (0.8665, 0.6016, 0.3008, 0.125, 0.0469, 0.0156, 0.0039)]
    # No other function of the current pair does better: all 16 tables from (a, b) to a bit.
    (batch,) = held_out(task)
    pair = np.asarray(batch["x"][..., 0] * 2 + batch["x"][..., 1], int)
    tables = [[n >> i & 1 for i in range(4)] for n in range(16)]
    wrong = [(np.array(table)[pair] != batch["y"]).any(0).mean() for table in tables]
    assert min(wrong) == ruler[0]
