"""Text drawn from a character model follows its distribution and its seed; a run's model is saved and sampled."""

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close
from task_support import TEXT, network, opened, text_file  # noqa: F401

from rnnzoo import UsageError, cells, tasks
from rnnzoo.__main__ import command
from rnnzoo.commands.exits import guarded
from rnnzoo.models import Stack
from rnnzoo.sample import Bytes, sample
from rnnzoo.store.model_folder import Trained, load_model, save_model
from rnnzoo.store.trained import trained_run
from rnnzoo.training.checkpoints import Checkpoints
from rnnzoo.training.config import Config
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.symbols import SYMBOLS
from rnnzoo.training.update import first_state


@pytest.fixture
def config(text_file):  # noqa: F811
    task = tasks.CharLM(path=text_file(TEXT), length=8)
    return Config(task=task, cell=cells.GRU(hidden_size=8), model=Stack(embedding_size=4), steps=2, eval_every=1)


@pytest.fixture
def trained(config):
    model = network(config)
    return Trained(model, model.init(jax.random.key(3)), config, symbols=opened(config.task).symbols)


def test_the_likeliest_text_is_the_one_that_the_model_predicts(trained):
    text = "".join(sample(trained, "line ", length=12, temperature=0))
    data = opened(trained.config.task)
    logits = trained.model.apply(trained.params, jnp.asarray(data.encode("line " + text))[:, None])[0][:, 0]
    known = logits[4:-1, : trained.model.output_size - 1]
    assert data.decode(np.argmax(known, -1)) == text and len(text) == 12


def test_the_seed_decides_and_temperature_sharpens(trained):
    def draw(**fields):
        return "".join(sample(trained, "line ", length=40, **fields))

    assert draw(seed=1) == draw(seed=1) != draw(seed=2)
    assert draw(temperature=1e-4, seed=1) == draw(temperature=0)


def test_draws_follow_the_model(trained):
    params = jax.tree.map(jnp.zeros_like, trained.params)
    size = trained.model.output_size
    params["head"]["b"] = jnp.log(jnp.arange(1.0, size + 1))
    text = "".join(sample(dataclasses.replace(trained, params=params), "l", length=20000))
    counts = np.bincount(opened(trained.config.task).encode(text), minlength=size)
    assert counts[-1] == 0  # "unknown"
    expected = np.arange(1, size) / np.arange(1, size).sum()
    assert_close(counts[:-1] / 20000, expected, 0.015)


def test_bytes_are_written_as_the_text_that_they_are():
    spelling = Bytes()
    text = "a \u00e9\u2603 \U0001f600"
    tokens = spelling.tokens(text)
    assert tokens.tolist() == list(text.encode()) and tokens.dtype == np.int32
    assert "".join(spelling.text(iter(tokens.tolist()))) == text
    assert list(spelling.text(iter([0x61, 0xFF, 0xE2, 0x98]))) == ["a", "\ufffd", "\ufffd"]
    assert list(spelling.text(iter([0xE2, 0x98, 0x83]))) == ["\u2603"]  # a character is given when it is whole
    with pytest.raises(UsageError, match="the prompt is empty"):
        spelling.tokens("")


def test_a_pretrained_model_of_bytes_writes(capsys):
    assert command(["sample", "enwik8", "--prompt", "The [[", "--length", "60", "--temperature", "0"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The [[") and "]]" in said
    assert sample("enwik8", "The [[", length=60, temperature=0) == said[len("The [[") : -1]


def test_what_cannot_be_drawn_is_refused(trained):
    cases: list[tuple[Any, str]] = [
        ({"prompt": ""}, "the prompt is empty"),
        ({"prompt": "line \u2603"}, "'\u2603', which the training text does not have"),
        ({"prompt": "l", "temperature": -1.0}, "temperature is -1.0; accepted: a finite number >= 0"),
        ({"prompt": "l", "temperature": float("nan")}, "temperature is nan"),
        ({"prompt": "l", "length": -1}, "length is -1"),
    ]
    for fields, message in cases:
        with pytest.raises(UsageError, match=message):
            sample(trained, **fields)
    parity = Config(task=tasks.Parity(), cell=cells.GRU(hidden_size=8))
    with pytest.raises(UsageError, match="Parity has no characters to draw"):
        sample(Trained(network(parity), {}, parity), "0")
    with pytest.raises(UsageError, match="a model without a task has no characters"):
        sample(Trained(trained.model, trained.params), "l")
    with pytest.raises(UsageError, match=r"folder written before symbols\.json has none: save the run again"):
        sample(dataclasses.replace(trained, symbols=None), "l")
    with pytest.raises(UsageError, match=r"Trained\.symbols has 3 characters, and the model reads tokens of size"):
        sample(dataclasses.replace(trained, symbols="abc"), "a")


def test_from_a_run_folder_to_text(config, tmp_path, capsys):
    run_dir = tmp_path / "run"
    Job(config, run_dir, Progress(config)).run()
    capsys.readouterr()
    assert command(["sample", str(run_dir), "--prompt", "line ", "--length", "9", "--seed", "4"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("line ") and len(text) == 5 + 9 + 1
    assert command(["save", str(run_dir), "--out", str(tmp_path / "model")]) == 0
    capsys.readouterr()
    assert command(["sample", str(tmp_path / "model"), "--prompt", "line ", "--length", "9", "--seed", "4"]) == 0
    assert capsys.readouterr().out == text
    run, saved = trained_run(run_dir, "best", 0, pytest.fail), load_model(tmp_path / "model")
    assert saved.config == config and "bits_per_char" in saved.scores and run.scores == saved.scores
    assert command(["export", str(run_dir), "--format", "numpy", "--out", str(tmp_path / "numpy")]) == 0
    assert "model.py; on random input it differs from the model by" in capsys.readouterr().out
    assert guarded(command)(["export", str(run_dir), "--format", "nunpy", "--out", str(tmp_path / "b")]) == 2
    assert "no format 'nunpy'; did you mean numpy?" in capsys.readouterr().err
    assert guarded(command)(["save", str(run_dir), "--out", str(tmp_path / "model")]) == 2
    assert guarded(command)(["save", str(run_dir), "--out", str(tmp_path / "b"), "--seed", "1"]) == 2
    assert "--seed is 1; accepted: 0 to 0" in capsys.readouterr().err


# ---- what the tokens mean --------------------------------------------------------------------------------

OTHERS = {
    "shifted": "".join(chr(ord(c) + 1) for c in TEXT),  # the same token numbers, and so the same fingerprint
    "fewer": "ab" * 2000,
    "more": TEXT.replace("too", "tuo", 1),
}


@pytest.fixture
def run_dir(config, tmp_path):
    Job(config, tmp_path / "run", Progress(config)).run()
    return tmp_path / "run"


def test_a_model_folder_does_not_need_the_text_it_was_trained_on(config, run_dir, tmp_path):
    trained = trained_run(run_dir, "last", 0, pytest.fail)
    save_model(tmp_path / "m", trained.model, trained.params, config=config)
    expected = "".join(sample(trained, "line ", length=30))
    for text in (*OTHERS.values(), None):
        Path(config.task.path).write_text(text) if text else Path(config.task.path).unlink()
        found = load_model(tmp_path / "m")
        assert found.symbols == trained.symbols == "".join(sorted(set(TEXT[: len(TEXT) * 90 // 100])))
        assert "".join(sample(found, "line ", length=30)) == expected
    again = command(["save", str(tmp_path / "m"), "--out", str(tmp_path / "again")])
    assert again == 0 and load_model(tmp_path / "again").symbols == trained.symbols


def test_a_run_whose_text_has_changed_is_refused(config, run_dir, capsys):
    capsys.readouterr()
    for text in OTHERS.values():
        Path(config.task.path).write_text(text)
        for args in (["sample"], ["evaluate"], ["evaluate", "--task.length", "9"]):
            assert guarded(command)([args[0], str(run_dir), *args[1:]]) == 2
            said = capsys.readouterr()
            assert said.err.startswith("error: the data have changed since the run in") and said.out == ""
    with pytest.raises(UsageError, match="the data have changed"):
        Job(config, run_dir, Progress(config))


def test_a_run_does_not_start_from_one_with_other_characters(config, run_dir, tmp_path, text_file):  # noqa: F811
    task = dataclasses.replace(config.task, path=text_file(OTHERS["shifted"], "other"))
    other = dataclasses.replace(config, task=task, init_from=str(run_dir))
    with pytest.raises(UsageError, match="that run has other characters"):
        Job(other, tmp_path / "new", Progress(other))


def test_a_folder_without_symbols_loads_and_says_so(trained, tmp_path, capsys):
    save_model(tmp_path / "old", trained.model, trained.params, config=trained.config, symbols="")
    assert load_model(tmp_path / "old").symbols is None
    assert command(["save", str(tmp_path / "old"), "--out", str(tmp_path / "new")]) == 0
    assert load_model(tmp_path / "new").symbols is None
    assert guarded(command)(["sample", str(tmp_path / "new"), "--prompt", "l"]) == 2
    assert "CharLM has no characters to draw" in capsys.readouterr().err
    assert guarded(command)(["evaluate", str(tmp_path / "new")]) == 2
    assert "is a model folder, without a checksum of its data; accepted: a run folder" in capsys.readouterr().err


def test_symbols_that_are_not_the_models_are_refused(trained, tmp_path):
    with pytest.raises(UsageError, match="symbols has 2 characters"):
        save_model(tmp_path / "m", trained.model, trained.params, symbols="ab")
    save_model(tmp_path / "m", trained.model, trained.params, symbols=trained.symbols)
    file, facts = tmp_path / "m" / SYMBOLS, json.loads((tmp_path / "m/config.json").read_text())
    texts = {
        json.dumps("ab"): "has 2 characters",
        "{": "is not JSON",
        "[1]": "a string",
        '"aa"': "each character",
    }
    texts["[" * 10**5] = "is not JSON|a string"
    file.write_text("[]")
    with pytest.raises(UsageError, match="it is damaged"):
        load_model(tmp_path / "m")
    for text, message in texts.items():
        file.write_text(text)
        sum256 = hashlib.sha256(text.encode()).hexdigest()
        facts["files"][SYMBOLS] = {"bytes": len(text), "sha256": sum256}
        facts.pop("sha256", None)  # as of somebody who has edited it
        (tmp_path / "m/config.json").write_text(json.dumps(facts))
        with pytest.raises(UsageError, match=message):
            load_model(tmp_path / "m")


def test_readers_leave_a_run_alone_and_pass_over_a_damaged_checkpoint(run_dir, tmp_path, capsys):
    (run_dir / "checkpoints/last/2/manifest.json").unlink()

    def files():
        return sorted((p, p.stat().st_mtime_ns) for p in run_dir.rglob("*"))

    before = files()
    run, out = str(run_dir), str(tmp_path / "out.png")
    for args in (
        ["sample", run],
        ["evaluate", run],
        ["save", run, "--out", out + "m"],
        ["show", "run", run, "--out", out],
    ):
        assert guarded(command)(args) == 0
        said = capsys.readouterr().err
        assert "step 2 is damaged (manifest.json is missing); falling back to step 1" in said
    assert files() == before


def test_a_checkpoint_that_is_removed_while_it_is_read_is_passed_over(run_dir, config, monkeypatch):
    checkpoints, load = RunFolder(run_dir).last, Checkpoints._load

    def removed(self, step, like):
        if step == 2:
            shutil.rmtree(self.folder / "2")
        return load(self, step, like)

    monkeypatch.setattr(Checkpoints, "_load", removed)
    said: list[str] = []
    restored = checkpoints.restore(jax.eval_shape(lambda: first_state(config, network(config))), said.append)
    assert restored is not None and restored[0] == 1 and "falling back to step 1" in said[0]


def test_a_reader_that_has_enough_ends_the_text_quietly(trained, tmp_path):
    save_model(tmp_path / "m", trained.model, trained.params, symbols=trained.symbols)
    code = "import sys; from rnnzoo.__main__ import command; sys.exit(command(sys.argv[1:]))"
    args = [sys.executable, "-c", code, "sample", str(tmp_path / "m"), "--prompt", "l", "--length", "1000000"]
    with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(20)[:1] == b"l"
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait() == 0
