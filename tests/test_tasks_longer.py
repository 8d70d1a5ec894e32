"""Every synthetic task, judged on longer sequences."""

import jax
import numpy as np
import pytest
from oracle_support import sample
from zoo import defaults

from rnnzoo import tasks
from rnnzoo.tasks.synthetic.drawn import Synthetic

EACH = pytest.mark.parametrize("task", [t for t in defaults("tasks") if isinstance(t, Synthetic)], ids=str)


def shapes(draw):
    return jax.eval_shape(lambda key: draw(key, 4), jax.random.key(0))


@EACH
def test_longer_sequences_have_the_said_length_and_the_same_network_reads_them(task):
    once, longer = task.longer(1), task.longer(3)
    own, ones, threes = shapes(task.draw), shapes(once.draw_held_out), shapes(longer.draw_held_out)
    trained, long = len(own["x"]), len(threes["x"])
    spare = (3 * trained - long) / 2  # a blank after the string, or a start before it, is there once
    assert len(ones["x"]) == trained and spare in (0, 1)
    assert {n: (a.dtype, a.shape[2:]) for n, a in own.items()} == {n: (a.dtype, a.shape[2:]) for n, a in threes.items()}
    assert task.differs(longer) is None
    assert (longer.input_size, longer.output_size) == (task.input_size, task.output_size)


def test_all_held_out_sequences_have_the_length():
    for task, length in ((tasks.Parity(length=16), 32), (tasks.EvenPairs(length=16), 33)):
        assert (sample(task.longer(2), 50, held_out=True)["lengths"] == length).all()
    counted = sample(tasks.AnBn(length=5).longer(2), 50, held_out=True)["lengths"]
    assert set(counted.tolist()) == {2 * n + 1 for n in range(6, 11)}


def test_examples():
    assert tasks.Parity(length=16).longer(2) == tasks.Parity(length=16, test_length=32)
    assert tasks.BinaryAddition(bits=8).longer(4) == tasks.BinaryAddition(bits=32)
    assert tasks.Adding(length=10).longer(3) == tasks.Adding(length=30)
    assert tasks.CopyMemory(delay=30).longer(2) == tasks.CopyMemory(delay=80)


def test_a_task_of_fixed_length_has_no_longer_one():
    assert tasks.Digits().longer(2) is None and tasks.CharLM().longer(2) is None


def test_the_string_to_copy_is_where_it_was():
    task = tasks.SelectiveCopying(length=6, symbols=2).longer(2)
    batch = sample(task, 50)
    assert batch["x"].shape == (16, 50) and np.count_nonzero(batch["x"][:14], axis=0).tolist() == [2] * 50
