"""The character language model and its n-gram baselines."""

import dataclasses
import sys
from typing import Any

import numpy as np
import pytest
from task_support import TEXT, draw, held_out, opened, score, text_file

import rnnzoo
from rnnzoo import cells, tasks
from rnnzoo.tasks.text.ngrams import ngram_bits
from rnnzoo.training.config import Config
from rnnzoo.training.evaluation import evaluate_run
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress

file = text_file

# ---- n-grams ---------------------------------------------------------------------------------------------


def literal_witten_bell(train: str, test: str, symbols: int, order: int) -> float:
    def probability(context: str, s: str) -> float:
        after = [train[i + len(context)] for i in range(len(train) - len(context)) if train[i:].startswith(context)]
        shorter = probability(context[1:], s) if context else 1 / symbols
        return (after.count(s) + len(set(after)) * shorter) / (len(after) + len(set(after))) if after else shorter

    contexts = [test[max(0, i - order + 1) : i] for i in range(1, len(test))]
    return float(np.mean([-np.log2(probability(c, s)) for c, s in zip(contexts, test[1:], strict=True)]))


def test_ngrams_against_their_definition():
    train, test = "abracadabra, a barbarian ran", "bar a cabzra"
    encoded = [np.array([ord(c) - 32 for c in text], np.int32) for text in (train, test)]
    found = ngram_bits(*encoded, symbols=96, order=4)
    # Contexts never seen at all fall back to the shorter one; so does the first character's missing context.
    assert found == [pytest.approx(literal_witten_bell(train, test, 96, n)) for n in (1, 2, 3, 4)]


# ---- character language model ----------------------------------------------------------------------------


def test_char_lm_predicts_the_next_character(file):
    task = tasks.CharLM(path=file(TEXT), length=20)
    data, batch = opened(task), draw(task, 50)
    train = TEXT[: len(TEXT) * 90 // 100]
    np.testing.assert_array_equal(batch["x"][1:], batch["y"][:-1])
    for x, y in zip(batch["x"].T, batch["y"].T, strict=True):
        assert data.decode(x) + data.decode(y[-1:]) in train
    assert len({data.decode(x) for x in batch["x"].T}) > 40


def test_char_lm_draws_every_window(file):
    task = tasks.CharLM(path=file("abcdefghijklmnopqrst"), length=15)
    windows = {opened(task).decode(x) for x in draw(task, 200)["x"].T}
    assert windows == {
        "abcdefghijklmno",
        "bcdefghijklmnop",
        "cdefghijklmnopq",
    }


@pytest.mark.parametrize("size", [3, 40, 20_019, 20_020, 20_021, 1_400_001])
def test_char_lm_holds_out_every_character_once(file, size):
    text = (TEXT * (size // len(TEXT) + 1))[:size]
    task = tasks.CharLM(path=file(text), length=1)
    inputs, targets = [], []
    for batch in held_out(task):
        assert batch["x"].shape[0] <= 1000 and batch["x"].shape[1] <= 64
        for b, length in enumerate(batch["lengths"]):
            inputs.append(batch["x"][:length, b])
            targets.append(batch["y"][:length, b])
    begin = size * 95 // 100
    np.testing.assert_array_equal(np.concatenate(targets), opened(task).encode(text[begin:]))
    np.testing.assert_array_equal(np.concatenate(inputs), opened(task).encode(text[begin - 1 : -1]))


def test_char_lm_vocabulary(file):
    data = tasks.CharLM(path=file(TEXT)).open()
    train = TEXT[: len(TEXT) * 90 // 100]
    assert data.input_size == data.output_size == len(set(train)) + 1
    assert data.decode(data.encode(train)) == train
    assert data.decode(data.encode("a\u4e2d\U0010ffff\0d\ud800")) == "a\ufffd\ufffd\ufffdd\ufffd"
    assert (data.encode("\u4e2d") == data.output_size - 1).all() and data.encode("").shape == (0,)
    assert int(np.asarray(data.arrays["train"]).max()) == data.output_size - 2  # "unknown" is never trained on


def test_char_lm_unigram_baseline_is_the_score_of_the_frequencies(file):
    task = tasks.CharLM(path=file(TEXT))
    data = opened(task)
    counts = np.bincount(data.arrays["train"], minlength=opened(task).output_size)
    kinds = (counts > 0).sum()
    p = (counts + kinds / opened(task).output_size) / (counts.sum() + kinds)
    outputs = lambda b: np.broadcast_to(np.log(p).astype(np.float32), (*b["y"].shape, len(p)))  # noqa: E731
    assert score(task, held_out(task), outputs)["bits_per_char"] == pytest.approx(task.baselines(data)["unigram"], 1e-5)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the text is that of Python 3.11")
def test_char_lm_baselines_of_pythons_own_text():
    task = tasks.CharLM()
    assert task.baselines(opened(task)) == {
        "unigram": pytest.approx(4.600, abs=5e-4),
        "bigram": pytest.approx(3.257, abs=5e-4),
        "trigram": pytest.approx(2.380, abs=5e-4),
    }


def test_char_lm_is_judged_on_its_own_characters(file, tmp_path):
    first, same, other = (
        tasks.CharLM(path=file(t, n), length=8) for n, t in (("a", "abab" * 9), ("b", "baba" * 9), ("c", "xyxy" * 9))
    )
    assert opened(first).input_size == opened(other).input_size
    config = Config(task=first, cell=cells.Elman(hidden_size=2), steps=1)
    Job(config, tmp_path / "run", Progress(config)).run()

    def judged(task: Any) -> Any:
        return evaluate_run(tmp_path / "run", dataclasses.replace(config, task=task), "last", pytest.fail)

    assert judged(first).keys() == judged(same).keys() == {"bits_per_char", "accuracy"}
    with pytest.raises(rnnzoo.UsageError, match=r"its tokens are the characters of .*a.*, not of .*c"):
        judged(other)
    with pytest.raises(rnnzoo.UsageError, match="it was trained on CharLM, not on Digits"):
        judged(tasks.Digits())
