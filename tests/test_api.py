"""`rnnzoo.train`, `rnnzoo.evaluate` and `rnnzoo.sample`: one tiny run, seen from Python and from the commands."""

import dataclasses
import json
import re
import signal
import threading
from pathlib import Path

import jax
import numpy as np
import pytest

import rnnzoo
from rnnzoo import UsageError, cells, structures, tasks
from rnnzoo.__main__ import command
from rnnzoo.config import Config
from rnnzoo.training.job import Stopped
from rnnzoo.training.run_folder import RunFolder

TEXT = "a line of text, and one more line, too\n" * 60


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Config:
    file = tmp_path_factory.mktemp("text") / "text.txt"
    file.write_text(TEXT)
    return Config(
        task=tasks.CharLM(path=str(file), length=8),
        cell=cells.GRU(hidden_size=4, structure=structures.Diagonal()),
        batch_size=4,
        steps=4,
        log_every=1,
        eval_every=2,
        seeds=2,
        devices="one",
    )


@pytest.fixture(scope="module")
def heard() -> list:
    """What the callback of `result` was given."""
    return []


@pytest.fixture(scope="module")
def result(config, heard, tmp_path_factory) -> rnnzoo.Result:
    return rnnzoo.train(config, tmp_path_factory.mktemp("runs") / "run", progress=False, callbacks=[heard.append])


def test_a_result_is_what_the_folder_holds(config, result):
    final = json.loads((result.folder / "final.json").read_text())
    assert result.config == config and result.final == final
    assert result.scores == {name: value["median"] for name, value in final["metrics"].items()}
    assert {name: v.tolist() for name, v in result.per_seed.items()} == {
        name: value["per_seed"] for name, value in final["metrics"].items()
    }
    assert result.baselines == final["baseline"] and "trigram" in result.baselines
    training, validation = result.curves["training"], result.curves["validation"]
    assert training["step"].tolist() == [1, 2, 3, 4] and validation["step"].tolist() == [2, 4]
    assert training["loss"].shape == training["grad_norm"].shape == (4, 2)
    assert validation["bits_per_char"].shape == (2, 2) and training["seconds"].shape == (4,)


def test_a_result_has_a_network_for_each_seed(result):
    xs = np.zeros((3, 1), np.int32)
    outputs = [network.model.apply(network.params, xs)[0] for network in result.networks]
    assert np.array_equal(outputs[0], result.model.apply(result.params, xs)[0])
    assert len(outputs) == 2 and not np.allclose(*outputs)
    assert [n.scores["bits_per_char"] for n in result.networks] == result.per_seed["bits_per_char"].tolist()


def test_a_result_is_printed_in_one_line(result):
    assert re.fullmatch(r"Result\(CharLM, GRU, 2 seeds: .*bits_per_char \d.*; '.*run'\)", repr(result))
    assert len(repr(result)) < 300


def test_a_result_is_drawn_like_the_folders_picture(result, tmp_path):
    figure = result.plot()
    titles = ["training loss (nats)", "validation bits per char (lower is better)"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == titles
    said = [text.get_text() for text in figure.texts]
    assert said[0] == f"GRU, 4 units, U Diagonal; {result.final['params']:,} parameters"
    assert re.fullmatch(r"CharLM\(path=.*\): test bits per char median .* of 2 seeds; best baseline .*", said[1])
    figure.savefig(tmp_path / "curves.png", dpi=120)
    ours, theirs = ((f / "curves.png").read_bytes() for f in (tmp_path, result.folder))
    assert ours == theirs


def test_callbacks_get_a_copy_of_each_line_of_the_log(result, heard):
    lines = [json.loads(line) for line in (result.folder / "metrics.jsonl").read_text().splitlines()]
    assert heard == lines and "validation" in heard[1] and "validation" not in heard[0]


def test_a_callback_that_raises_stops_the_run_and_it_can_go_on(config, result, tmp_path, capsys):
    def stop(line):
        line["loss"] = "changed"
        if line["step"] == 1:
            signal.raise_signal(signal.SIGINT)
        if line["step"] == 3:
            raise RuntimeError("enough")

    with pytest.raises(Stopped, match=rf"stopped at step 1; .* --workdir {tmp_path / 'run'} goes on from there"):
        rnnzoo.train(config, tmp_path / "run", callbacks=[stop])
    _check_screen(capsys.readouterr().out, tmp_path / "run")

    with pytest.raises(RuntimeError, match="enough") as error:
        rnnzoo.train(config, tmp_path / "run", callbacks=[stop])
    assert error.value.__notes__ == [f"the checkpoint of step 3 is kept in {tmp_path / 'run'}"]
    assert RunFolder(tmp_path / "run").last.steps() == [3, 2]
    again = rnnzoo.train(config, str(tmp_path / "run"))
    said = capsys.readouterr().out
    assert f"going on from step 3 of {tmp_path / 'run'}" in said
    _check_end(said, tmp_path / "run")
    for name, values in result.per_seed.items():
        assert np.array_equal(again.per_seed[name], values)
    assert np.array_equal(again.curves["training"]["loss"], result.curves["training"]["loss"])


def _check_screen(said: str, folder: Path) -> None:
    """What is to be trained, then that it is compiled, then a line without a score."""
    lines = said.splitlines()
    assert [line.split()[0] for line in lines] == [
        "task", "network", "U", "data", "training", "folder", "compiling", "compiled", "step",
    ]  # fmt: skip
    assert re.fullmatch(r"task      CharLM\(path='.*', length=8\): bits_per_char, lower is better", lines[0])
    assert re.fullmatch(r"network   GRU, 4 units; \d+ parameters", lines[1])
    assert lines[2] == "U         Diagonal: 12 weights; 12 of 48 entries are not 0"
    assert re.fullmatch(r"data      \d+ tokens in, \d+ out; [\d,]+ KiB in memory", lines[3])
    assert "4 steps of 4 sequences" in lines[4] and "2 seeds" in lines[4]
    assert lines[5] == f"folder    {folder}" and re.fullmatch(r"compiled in \d+\.\d s", lines[7])
    assert re.fullmatch(r"step 1/4  loss \d+\.\d{4} nats  \d+ steps/s  \d+:\d\d left", lines[8])


def _check_end(said: str, folder: Path) -> None:
    """A score where there was an evaluation, the verdict, and the folder."""
    lines = said.splitlines()
    last = next(n for n, line in enumerate(lines) if line.startswith("step 4/4"))
    assert re.search(r"left  validation bits_per_char \d+\.\d{4}$", lines[last])
    assert re.fullmatch(r"bits_per_char median \S+ \[.*\] of 2 seeds; best baseline \w+ \S+", lines[last + 1])
    assert lines[-1] == f"run folder: {folder}"


def test_a_complete_run_is_not_trained_again_and_nothing_is_printed_on_request(config, result, capsys):
    again = rnnzoo.train(config, result.folder, progress=False, callbacks=[lambda line: pytest.fail("trained")])
    assert again.scores == result.scores and capsys.readouterr() == ("", "")
    for ours, theirs in zip(jax.tree.leaves(again.params), jax.tree.leaves(result.params), strict=True):
        assert np.array_equal(ours, theirs)


def test_in_another_thread_a_run_listens_to_no_signals(config, result):
    found = []
    thread = threading.Thread(target=lambda: found.append(rnnzoo.train(config, result.folder, progress=False)))
    thread.start()
    thread.join()
    assert found[0].scores == result.scores


def test_new_folders_are_named_after_the_task(monkeypatch, tmp_path):
    from rnnzoo.api import _in_snake_case, new_folder

    monkeypatch.chdir(tmp_path)
    names = [_in_snake_case(name) for name in ("BinaryAddition", "CharLM", "MQAR", "S3")]
    assert names == ["binary_addition", "char_lm", "mqar", "s3"]
    first = new_folder("parity")
    assert re.fullmatch(r"parity-\d{8}-\d{6}", first.name) and first.parent == Path("runs")
    for _ in range(3):
        path = new_folder("parity")
        path.mkdir(parents=True)
    assert len(list(Path("runs").iterdir())) == 3


def test_what_is_no_configuration_is_refused():
    with pytest.raises(UsageError, match=r"train: config is 'parity'; accepted: a rnnzoo\.config\.Config"):
        rnnzoo.train("parity")  # pyright: ignore[reportArgumentType]


def test_evaluation_is_that_of_the_command(config, result, capsys):
    own = rnnzoo.evaluate(result)
    assert own.scores == result.scores and own.step == 4 and own.baselines == result.baselines
    assert re.fullmatch(r"Evaluation\(.*bits_per_char \d.*; test part, step 4\)", repr(own))
    longer = dataclasses.replace(config.task, length=5)
    found = rnnzoo.evaluate(str(result.folder), longer, part="validation", checkpoint="best")
    args = ["evaluate", str(result.folder), "--task.length", "5", "--part", "validation", "--checkpoint", "best"]
    assert command([*args, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {name: value["per_seed"] for name, value in said.items()} == {
        n: v.tolist() for n, v in found.per_seed.items()
    }
    assert command(args[:2]) == 0
    assert "\nof the test part, at step 4; best baseline trigram " in capsys.readouterr().out


def test_what_cannot_be_evaluated_is_refused(result, tmp_path):
    with pytest.raises(UsageError, match="trained on CharLM, not on Parity"):
        rnnzoo.evaluate(result, tasks.Parity())
    with pytest.raises(UsageError, match="evaluate: checkpoint is 'first'; accepted: 'last', 'best'"):
        rnnzoo.evaluate(result, checkpoint="first")
    with pytest.raises(UsageError, match="evaluate: part is 'all'; accepted: 'train', 'validation', 'test'"):
        rnnzoo.evaluate(result, part="all")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UsageError, match="no run folder"):
        rnnzoo.evaluate(tmp_path / "nowhere")


def test_text_is_that_of_the_command(result, capsys):
    text = rnnzoo.sample(result, "line", length=9, seed=4)
    assert len(text) == 9
    assert text == rnnzoo.sample(result.networks[0], "line", length=9, seed=4)
    assert text == rnnzoo.sample(str(result.folder), "line", length=9, seed=4)
    assert command(["sample", str(result.folder), "--prompt", "line", "--length", "9", "--seed", "4"]) == 0
    assert capsys.readouterr().out == f"line{text}\n"


def test_the_functions_are_the_names_even_after_the_old_path_was_imported():
    from rnnzoo.sample import sample

    assert rnnzoo.sample is sample
