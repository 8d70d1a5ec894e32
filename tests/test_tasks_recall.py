"""Memory, recall and systems against plain Python, on hundreds of sequences each."""

import statistics

import numpy as np
import pytest
from oracle_support import each, is_uniform, sample, shares
from task_support import SCORES

import rnnzoo
from rnnzoo import tasks

# ---- recall ------------------------------------------------------------------------------------------------


def test_flip_flop():
    batch = sample(tasks.FlipFlop(length=40, ignored=0.5), 500)
    kinds = []
    for s in each(batch):
        instructions, bits = s["x"][::2], s["x"][1::2]
        assert instructions[0] == 0 and instructions[-1] == 2 and not any(s["mask"][1::2])
        bit = None
        for t, (instruction, given) in enumerate(zip(instructions, bits, strict=True)):
            assert s["mask"][2 * t] == (instruction == 2)
            if instruction == 0:
                bit = given - 3
            if instruction == 2:
                assert s["y"][2 * t] == bit == given - 3
        kinds += instructions[1:-1]
    assert shares(kinds, 3) == pytest.approx([0.25, 0.5, 0.25], abs=0.02)
    assert is_uniform(batch["x"][1::2] - 3, 2, slack=9)  # what is read is what was written, so not independent
    task = tasks.FlipFlop(length=40, ignored=0.5)
    zeros = np.zeros((*batch["x"].shape, 1), np.float32)
    error, reads = SCORES(task, zeros, batch)["error"]
    assert reads == batch["mask"].sum() and error == batch["y"][batch["mask"]].sum()


def test_selective_copying():
    task = tasks.SelectiveCopying(length=12, symbols=3, alphabet=5)
    batch = sample(task, 600)
    places = []
    for s in each(batch):
        assert s["x"][12:] == [6] * 3 and s["mask"] == [False] * 12 + [True] * 3
        assert [x - 1 for x in s["x"][:12] if x] == s["y"][12:]
        places += [t for t, x in enumerate(s["x"][:12]) if x]
    assert is_uniform(places, 12) and is_uniform(batch["y"][12:], 5) and len(places) == 3 * 600


def test_mqar():
    task = tasks.MQAR(pairs=3, length=20, alphabet=12)
    batch = sample(task, 600)
    places = []
    for s in each(batch):
        keys, values = s["x"][:6:2], s["x"][1:6:2]
        assert len(set(keys)) == len(set(values)) == 3
        assert all(1 <= k < 6 for k in keys) and all(6 <= v < 12 for v in values)
        asked = {t: x for t, x in enumerate(s["x"]) if t >= 6 and x}
        assert sorted(asked.values()) == sorted(keys) and all(t % 2 == 0 for t in asked)
        assert [t for t, counts in enumerate(s["mask"]) if counts] == sorted(asked)
        assert all(s["y"][t] == values[keys.index(x)] for t, x in asked.items())
        places.append(next(t for t, x in asked.items() if x == keys[0]))
    weights = np.arange(1, 8) ** -0.99
    first = shares((np.array(places) - 6) // 2, 7)
    assert first == pytest.approx(weights / weights.sum(), abs=0.07)  # the first key has the first choice
    assert is_uniform(batch["x"][0] - 1, 5) and is_uniform(batch["x"][1] - 6, 6)


def test_induction():
    task = tasks.Induction(length=10, alphabet=4)
    batch = sample(task, 600)
    places = []
    for s in each(batch):
        assert s["x"][-1] == 4 and s["x"].count(4) == 2
        places.append(s["x"].index(4))
        assert s["y"] == s["x"][places[-1] + 1]
    assert is_uniform(places, 8) and is_uniform(batch["y"], 4)


# ---- strings -----------------------------------------------------------------------------------------------

SLOW = pytest.mark.slow
ANSWERS = [
    (tasks.ReverseString(length=7, alphabet=4), lambda s: s[::-1]),
    (tasks.DuplicateString(length=7), lambda s: s + s),
    (tasks.BucketSort(length=7), sorted),
]


@pytest.mark.parametrize(("task", "answer"), ANSWERS, ids=lambda value: type(value).__name__)
def test_answers_to_strings(task, answer):
    lengths, symbols = set(), []
    batch = sample(task)
    for s in each(batch):
        number = len(s["x"]) // (1 + task.copies)
        string = [x - 1 for x in s["x"][:number]]
        assert s["x"][number:] == [0] * (task.copies * number) and not s["rest"].any()
        assert s["mask"] == [False] * number + [True] * (task.copies * number)
        assert s["y"][number:] == answer(string)
        lengths.add(number)
        symbols += string
    assert lengths == set(range(1, 8)) and is_uniform(symbols, task.alphabet)
    assert batch["mask"].sum() == (batch["lengths"] * task.copies // (1 + task.copies)).sum()


# ---- nested lists ------------------------------------------------------------------------------------------


def evaluate(tokens: list[int], at: int = 0, depth: int = 1) -> tuple[int, int, int, list[int]]:
    """The value of the list that starts there, where it ends, how deep it is, and how many arguments its lists have."""
    operator, values, deepest, numbers = tokens[at], [], depth, []
    at += 1
    while tokens[at] != 14:
        value, inner = tokens[at], at + 1
        if value >= 10:
            value, inner, reached, found = evaluate(tokens, at, depth + 1)
            deepest, numbers = max(deepest, reached), numbers + found
        values.append(value)
        at = inner
    functions = [min, max, lambda v: int(statistics.median(v)), lambda v: sum(v) % 10]
    return functions[operator - 10](values), at + 1, deepest, [*numbers, len(values)]


@pytest.mark.parametrize(
    ("length", "depth", "arguments"),
    [(24, 3, 5), pytest.param(4, 2, 3, marks=SLOW), pytest.param(30, 1, 2, marks=SLOW)],
)
def test_list_ops(length, depth, arguments):
    task = tasks.ListOps(length=length, depth=depth, arguments=arguments)
    deepest, numbers, lengths = 0, [], set()
    for s in each(sample(task, 500)):
        value, end, reached, found = evaluate(s["x"])
        assert value == s["y"] and end == len(s["x"]) and not s["rest"].any()
        deepest, numbers = max(deepest, reached), numbers + found
        lengths.add(len(s["x"]))
    assert min(numbers) == 2 and max(numbers) == min(arguments, length - 2)
    assert deepest == (1 if length == 4 else depth)
    assert min(lengths) == 4 and (depth == 1 or max(lengths) == length)


@SLOW
def test_numbers_of_arguments_are_equally_frequent():
    task = tasks.ListOps(length=7, depth=1)
    numbers = [len(s["x"]) - 4 for s in each(sample(task, 2000))]
    assert is_uniform(numbers, 4)


# ---- systems -----------------------------------------------------------------------------------------------


def test_delay_line():
    task = tasks.DelayLine(length=12, delays=3)
    batch = sample(task, 200)
    x, y = batch["x"][..., 0], batch["y"]
    assert (batch["mask"] == (np.arange(12) >= 3)[:, None]).all() and x.std() == pytest.approx(3**-0.5, abs=0.02)
    for t in range(3, 12):
        np.testing.assert_array_equal(y[t].T, [x[t - 1], x[t - 2], x[t - 3]])
    one_right = np.where(np.arange(3) == 1, y, 0)
    scores = {name: float(a / b) for name, (a, b) in SCORES(task, one_right, batch).items()}
    assert scores["nmse"] == pytest.approx(2 / 3, abs=0.05) and scores["capacity"] == pytest.approx(1, abs=0.15)


def test_narma10():
    batch = sample(tasks.NARMA10(length=60), 200)
    u, mask = batch["x"][..., 0].astype(float), batch["mask"]
    y = np.full((61, 200), 0.1)  # one step from rest; then by the equation of the paper
    for t in range(60):
        past = sum(y[t - i] for i in range(10) if t >= i)
        y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * past + 0.1
        if t >= 9:
            y[t + 1] += 1.5 * u[t - 9] * u[t]
    assert (y < 1).all() and mask[10:].all() and not mask[:10].any()
    np.testing.assert_allclose(batch["y"], y[:60], atol=1e-6)
    assert u.min() >= 0 and u.max() < 0.5 and u.mean() == pytest.approx(0.25, abs=0.01)


# ---- fields ------------------------------------------------------------------------------------------------

REFUSED = [
    (lambda: tasks.FlipFlop(length=7), "FlipFlop.length is 7; accepted: an even number"),
    (lambda: tasks.SelectiveCopying(length=3), "SelectiveCopying.symbols is 4; accepted: at most length = 3"),
    (lambda: tasks.MQAR(length=14), "MQAR.length is 14; accepted: an even number, at least 4 pairs = 16"),
    (lambda: tasks.MQAR(alphabet=8), "MQAR.alphabet is 8; accepted: 10 or more"),
    (lambda: tasks.DelayLine(delays=64), "DelayLine.delays is 64; accepted: less than length = 64"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[m.split(";")[0] for _, m in REFUSED])
def test_fields_that_do_not_fit_are_refused(make, message):
    with pytest.raises(rnnzoo.UsageError) as error:
        make()
    assert str(error.value) == message
