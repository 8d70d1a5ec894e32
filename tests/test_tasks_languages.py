"""Languages, groups and sums against plain Python, on hundreds of sequences each."""

import collections
import itertools

import numpy as np
import pytest
from oracle_support import each, is_uniform, sample, shares

import rnnzoo
from rnnzoo import tasks
from rnnzoo.tasks.synthetic import groups

# ---- labelled strings --------------------------------------------------------------------------------------


def even_pairs(s: list[int]) -> int:
    return sum(pair in ((0, 1), (1, 0)) for pair in itertools.pairwise(s)) % 2


def arithmetic(s: list[int]) -> int:
    text = "".join(str(symbol) if symbol < 5 else "+-*"[symbol - 5] for symbol in s)
    return eval(text) % 5


def missing(s: list[int]) -> int:
    if s == [1]:
        return 1
    half, spare = divmod(len(s), 2)
    assert s[2 * half :] == [3] * spare and s[: 2 * half].count(2) == 1 and 3 not in s[: 2 * half]
    place = s.index(2)
    other = (place + half) % (2 * half)
    (known,) = [s[other]]
    first, second = s[:half], s[half : 2 * half]
    assert all(a == b for i, (a, b) in enumerate(zip(first, second, strict=True)) if place not in (i, i + half))
    return known


LABELS = [  # the class of a string, and how many symbols may be where
    (tasks.ParityCheck, lambda s: sum(s) % 2),
    (tasks.EvenPairs, even_pairs),
    (tasks.CycleNavigation, lambda s: sum({0: -1, 1: 0, 2: 1}[action] for action in s) % 5),
    (tasks.ModularArithmetic, arithmetic),
    (tasks.MissingDuplicateString, missing),
]


@pytest.mark.parametrize(("cls", "label"), LABELS, ids=lambda v: getattr(v, "__name__", ""))
def test_labels_of_strings(cls, label):
    task = cls(length=12, test_length=20, shortest_test=9)
    lengths = set()
    batch = sample(task, 400)
    for s in each(batch):
        *string, blank = s["x"]
        assert blank == task.symbols == task.input_size - 1 and max(string) < task.symbols
        assert s["y"] == label(string) and not s["rest"].any()
        lengths.add(len(string))
    odd = cls is tasks.ModularArithmetic
    assert batch["x"].shape == (13, 400) and lengths == set(range(1, 13, 2 if odd else 1))
    assert shares(batch["y"], task.output_size).max() < 1 / task.output_size + 0.12


def test_operators_and_digits_are_equally_frequent():
    batch = sample(tasks.ModularArithmetic(length=12, test_length=20, shortest_test=9), 400)
    strings = [s["x"][:-1] for s in each(batch)]
    assert is_uniform([d for s in strings for d in s[::2]], 5)
    assert is_uniform([o - 5 for s in strings for o in s[1::2]], 3)


def test_test_lengths_have_equal_shares():
    task = tasks.CycleNavigation(length=4, test_length=12, shortest_test=3)
    batch = sample(task, 500, held_out=True)
    found = collections.Counter((batch["lengths"] - 1).tolist())
    assert set(found) == set(range(3, 13)) and set(found.values()) <= {49, 50, 51}
    for s in each(batch):
        assert s["y"] == (sum(s["x"][:-1]) - len(s["x"]) + 1) % 5


def test_the_published_lengths_are_the_defaults():
    task = tasks.EvenPairs()
    assert (task.length, task.shortest_test, task.test_length) == (40, 40, 256)
    assert (task.input_size, tasks.CycleNavigation().input_size, tasks.ModularArithmetic().input_size) == (3, 4, 9)


@pytest.mark.parametrize("cls", [tasks.EvenPairs, tasks.AnBn])
def test_the_shortest_test_length_is_no_longer_than_the_longest(cls):
    with pytest.raises(rnnzoo.UsageError, match=r"shortest_test is 9; accepted: up to test_length, here 8"):
        cls(test_length=8, shortest_test=9)


# ---- groups ------------------------------------------------------------------------------------------------

ORDERS = {"Z2": 2, "Z5": 5, "S3": 6, "D4": 8, "A4": 12, "A5": 60, "S5": 120}


@pytest.mark.parametrize("group", ORDERS)
def test_groups_are_groups(group):
    elements, table = groups.elements(group), groups.table(group)
    assert len(elements) == ORDERS[group] and elements[0] == tuple(range(len(elements[0])))
    numbers = np.arange(len(elements))
    assert (table[0] == numbers).all() and (table[:, 0] == numbers).all()
    assert (np.sort(table) == numbers).all() and (np.sort(table.T) == numbers).all()
    a, b, c = np.random.RandomState(0).randint(0, len(elements), (3, 500))
    assert (table[table[a, b], c] == table[a, table[b, c]]).all()
    assert (table == table.T).all() == group.startswith("Z")
    even = [sum(x > y for x, y in itertools.combinations(p, 2)) % 2 == 0 for p in elements]
    assert all(even) == (group in ("A4", "A5", "Z5"))


@pytest.mark.parametrize("words", [pytest.param("elements", marks=pytest.mark.slow), "generators"])
def test_word_problem(words):
    task = tasks.WordProblem(group="D4", words=words, length=8)
    elements = groups.elements("D4")
    letters = elements if words == "elements" else (elements[0], *groups.GENERATORS["D4"])
    assert task.input_size == len(letters) and task.output_size == 8
    batch = sample(task)
    for s in each(batch):
        points = list(range(4))  # where each point has gone
        for token, answer in zip(s["x"], s["y"], strict=True):
            points = [letters[token][p] for p in points]
            assert elements[answer] == tuple(points)
    assert set(batch["lengths"].tolist()) == set(range(1, 9))
    assert is_uniform([x for s in each(batch) for x in s["x"]], len(letters))


@pytest.mark.parametrize("modulus", [7, pytest.param(2, marks=pytest.mark.slow)])
def test_modular_sum(modulus):
    batch = sample(tasks.ModularSum(modulus=modulus, length=9))
    for s in each(batch):
        assert s["y"] == [sum(s["x"][: t + 1]) % modulus for t in range(len(s["x"]))]
    assert is_uniform([x for s in each(batch) for x in s["x"]], modulus)


def test_the_largest_modulus_does_not_overflow():
    task = tasks.ModularSum(modulus=2**15, length=40)
    for s in each(sample(task, 20)):
        assert s["y"][-1] == sum(s["x"]) % 2**15


# ---- what may come next ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kinds", "depth"), [(2, 3), pytest.param(1, 1, marks=pytest.mark.slow)])
def test_dyck(kinds, depth):
    task = tasks.Dyck(kinds=kinds, depth=depth, length=12)
    deepest, opened, free = 0, 0, 0
    for s in each(sample(task)):
        stack: list[int] = []
        for bracket, follow in zip(s["x"], s["y"], strict=True):
            if 0 < len(stack) < depth:
                free, opened = free + 1, opened + (bracket < kinds)
            if bracket < kinds:
                stack.append(bracket)
            else:
                assert stack.pop() == bracket - kinds
            deepest = max(deepest, len(stack))
            may_open = [int(len(stack) < depth)] * kinds
            may_close = [int(stack[-1:] == [kind]) for kind in range(kinds)]
            assert follow == [*may_open, *may_close, int(not stack)]
    assert deepest == depth and (not free or opened / free == pytest.approx(0.5, abs=0.05))


@pytest.mark.parametrize("language", [pytest.param("anbn", marks=pytest.mark.slow), "anbncn"])
def test_counting_languages(language):
    task = tasks.AnBn(language=language, length=6, shortest_test=7, test_length=10)
    letters = "abc"[: task.letters]
    for held_out, counts in ((False, range(1, 7)), (True, range(7, 11))):
        found = set()
        for s in each(sample(task, 60, held_out)):
            string = "".join("_abc"[x] for x in s["x"])
            n = string.count("a")
            assert string == "_" + "".join(letter * n for letter in letters)
            strings = ["_" + "".join(letter * m for letter in letters) + "." for m in range(1, 30)]
            for t, follow in enumerate(s["y"]):  # what follows this beginning in any string of the language
                may = {other[t + 1] for other in strings if other.startswith(string[: t + 1])}
                assert {symbol for symbol, is_legal in zip(letters + ".", follow, strict=True) if is_legal} == may
            found.add(n)
        assert found == set(counts)
