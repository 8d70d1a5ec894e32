"""A run folder says what happened, whatever happened to it: each fault that once lied, and the right value."""

import io
import json
import math
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.runs import CONFIG, changed, contents, differences, strays, train

import rnnzoo
from rnnzoo import UsageError, tasks
from rnnzoo.__main__ import command
from rnnzoo.commands.exits import guarded
from rnnzoo.training import checkpoints, job
from rnnzoo.training.job import Job, Stopped
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.verify import verify


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    path = tmp_path_factory.mktemp("twin") / "run"
    train(path)
    return path


@pytest.fixture
def run_dir(twin, tmp_path):
    """A finished run."""
    shutil.copytree(twin, tmp_path / "run")
    return tmp_path / "run"


def a_job(path, config=CONFIG) -> Job:
    return Job(config, path, Progress(config))


def ended(running: Job) -> int:
    """The exit code of a command that runs it."""

    def run(args: list[str]) -> int:
        running.run()
        return 0

    return guarded(run)([])


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


def wrong(path: Path) -> list[str]:
    return [finding.name for finding in verify(path) if finding.wrong]


# ---- stopping --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 2, 3, 5, 8])
def test_a_stop_between_two_log_lines_changes_nothing_in_the_end(twin, tmp_path, monkeypatch, step):
    monkeypatch.setattr(job, "PIECE_S", 0.0)  # look after each step
    stopped = a_job(tmp_path / "run")
    run = stopped.loop.run

    def until(state, start, length):
        if start + length == step:
            signal.raise_signal(signal.SIGTERM)
        return run(state, start, length)

    stopped.loop.run = until
    with pytest.raises(Stopped, match=f"stopped at step {step}"):
        stopped.run()
    assert RunFolder(tmp_path / "run").last.steps()[0] == step
    train(tmp_path / "run")
    expected, found = contents(twin), contents(tmp_path / "run")
    assert differences(expected, found) == []


def test_a_stop_during_an_evaluation_saves_once(twin, tmp_path, monkeypatch):
    saved, save = [], checkpoints.Checkpoints.save

    def noted(self, step, *rest):
        saved.append((self.keep, step))
        save(self, step, *rest)

    monkeypatch.setattr(checkpoints.Checkpoints, "save", noted)
    stopped = a_job(tmp_path / "run")
    evaluate = stopped._evaluate

    def interrupted(state, part):
        if stopped.record.step == 6:
            signal.raise_signal(signal.SIGTERM)
        return evaluate(state, part)

    monkeypatch.setattr(stopped, "_evaluate", interrupted)
    with pytest.raises(Stopped, match="stopped at step 6"):
        stopped.run()
    assert saved == [(2, 3), (1, 3), (2, 6), (1, 6)] and strays(tmp_path / "run") == []
    train(tmp_path / "run")
    assert differences(contents(twin), contents(tmp_path / "run")) == []


def test_a_second_signal_ends_at_once_in_one_line(tmp_path, monkeypatch, capsys):
    stopped = a_job(tmp_path / "run")

    def twice(record, scores):
        if record["step"] == 4:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    stopped.progress.step = twice
    assert ended(stopped) == 130
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == f"error: stopped at once; the checkpoint of step 3 is kept in {tmp_path / 'run'}"


# ---- what a run began with -------------------------------------------------------------------------------


def test_more_steps_and_other_intervals_go_on(tmp_path):
    straight, path = changed(steps=18), tmp_path / "run"
    train(tmp_path / "straight", straight)
    train(path)
    assert "going on from step 12" in train(path, changed(steps=18, log_every=3, eval_every=6))
    arrays = [(p / "checkpoints/last/18/arrays.npz").read_bytes() for p in (path, tmp_path / "straight")]
    assert arrays[0] == arrays[1]
    assert [line["step"] for line in lines(path)][-3:] == [12, 15, 18]
    assert json.loads((path / "final.json").read_text())["steps"] == 18 and wrong(path) == []
    with pytest.raises(UsageError, match="steps is 12, and the run is at step 18; accepted: 18 or more"):
        train(path)
    with pytest.raises(UsageError, match="another configuration"):
        train(path, changed(steps=18, lr=0.2))
    longer = a_job(path, changed(steps=24))
    longer.progress.step = lambda record, scores: signal.raise_signal(signal.SIGTERM)
    with pytest.raises(Stopped):
        longer.run()
    assert not (path / "final.json").exists() and wrong(path) == []  # the results were those of 18 steps


def test_a_changed_configuration_is_noticed(run_dir):
    text = (run_dir / "config.json").read_text()
    (run_dir / "config.json").write_text(text.replace('"bits": 4', '"bits": 5'))
    message = r'config.json is not what the run began with:\n-  "bits": 4,\n\+  "bits": 5,'
    for args in (["evaluate", str(run_dir)], ["save", str(run_dir), "--out", str(run_dir.parent / "model")]):
        with pytest.raises(UsageError, match=message):
            command(args)
    assert wrong(run_dir) == ["config.json"]
    text = (run_dir / "run.json").read_text()  # and when both are changed
    (run_dir / "run.json").write_text(text.replace('"bits": 4', '"bits": 5'))
    with pytest.raises(UsageError, match="no usable checkpoint"):
        command(["evaluate", str(run_dir)])
    assert wrong(run_dir)[:1] == ["checkpoints/last/12"]


def test_missing_parts_are_written_again(run_dir):
    (run_dir / "config.json").unlink()
    (run_dir / "data.sha256").unlink()
    assert wrong(run_dir) == ["config.json", "data.sha256"]
    assert command(["evaluate", str(run_dir)]) == 0
    train(run_dir)
    assert wrong(run_dir) == []


@pytest.fixture
def text_run(tmp_path) -> tuple[Any, Path]:
    (tmp_path / "text.txt").write_text("abcdefgh" * 50)
    config = changed(task=tasks.CharLM(path=str(tmp_path / "text.txt"), length=8), steps=3)
    train(tmp_path / "run", config)
    return config, tmp_path / "run"


def test_characters_are_kept_in_run_json(text_run):
    config, path = text_run
    (path / "symbols.json").unlink()
    text = Path(config.task.path)
    text.write_text(text.read_text().translate({ord(a): ord(a) + 1 for a in "abcdefgh"}))  # the same tokens
    with pytest.raises(UsageError, match="the data have changed"):
        command(["evaluate", str(path)])
    (path / "symbols.json").write_text('"bcdefghi"\n')
    with pytest.raises(
        UsageError, match=r"symbols.json is not what the run began with; Accepted: symbols.json as it was"
    ):
        command(["evaluate", str(path)])


def test_data_may_move_to_another_path(text_run, tmp_path):
    config, path = text_run
    Path(config.task.path).rename(tmp_path / "moved.txt")
    moved = changed(task=tasks.CharLM(path=str(tmp_path / "moved.txt"), length=8), steps=3)
    config_file = path / "config.json"
    config_file.write_text(config_file.read_text().replace(config.task.path, str(tmp_path / "moved.txt")))
    assert command(["evaluate", str(path)]) == 0
    assert "going on from step 3" in train(path, moved)
    assert wrong(path) == [] and RunFolder(path).config() == moved


def test_an_unborn_folder_is_no_obstacle(tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    for name in ("lock", "data.sha256", "symbols.json", ".run.json.0.tmp"):
        (path / name).write_text("left")
    train(path)
    assert wrong(path) == [] and strays(path) == []


def test_the_lock_is_taken_before_anything_is_decided(tmp_path):
    first, second = a_job(tmp_path / "run"), a_job(tmp_path / "run", changed(lr=0.2, seed=1))
    first.run()
    before = contents(tmp_path / "run")
    with pytest.raises(UsageError, match="another configuration"):
        second.run()
    assert differences(before, contents(tmp_path / "run")) == []


@pytest.mark.parametrize("name", ["jax", "number of devices"])
def test_other_versions_and_devices_are_said(run_dir, monkeypatch, name):
    real = job.environment
    monkeypatch.setattr(job, "environment", lambda: {**real(), name: "9.9"})
    assert f"warning: {name} was {real()[name]} and is 9.9; results may differ" in train(run_dir)


# ---- checkpoints -----------------------------------------------------------------------------------------


def test_a_checkpoint_under_another_name_is_noticed(run_dir):
    last = run_dir / "checkpoints/last"
    shutil.rmtree(last / "12")
    shutil.copytree(last / "9", last / "99")
    assert wrong(run_dir)[:1] == ["checkpoints/last/99"]
    said = train(run_dir)
    assert "the checkpoint of step 99 is damaged (it was saved at step 9); falling back to step 9" in said
    assert RunFolder(run_dir).last.steps() == [12, 9] and (last / "damaged-99-0").is_dir()


def test_a_checkpoint_of_another_run_is_noticed(run_dir, tmp_path):
    train(tmp_path / "other", changed(seed=6))
    shutil.rmtree(run_dir / "checkpoints/last/12")
    shutil.copytree(tmp_path / "other/checkpoints/last/12", run_dir / "checkpoints/last/12")
    assert "a run that began with another configuration or other data" in train(run_dir)


@pytest.mark.parametrize("how", ["missing", "empty", "damaged"])
def test_lost_checkpoints_are_no_new_start(run_dir, how):
    last = run_dir / "checkpoints/last"
    if how == "damaged":
        for step in (9, 12):
            (last / str(step) / "arrays.npz").write_bytes(b"")
    else:
        shutil.rmtree(run_dir / "checkpoints")
        (run_dir / "final.json").unlink()
        if how == "empty":
            last.mkdir(parents=True)
    before = (run_dir / "metrics.jsonl").read_text()
    with pytest.raises(UsageError, match="has no checkpoint of it that can be used; accepted"):
        train(run_dir)
    assert (run_dir / "metrics.jsonl").read_text() == before


@pytest.mark.parametrize("name", ["0099", "9²", "-1", "1" * 40])
def test_odd_names_are_not_checkpoints(run_dir, name):
    (run_dir / "checkpoints/last" / name).mkdir()
    assert RunFolder(run_dir).last.steps() == [12, 9]
    train(run_dir)


@pytest.mark.parametrize(
    "text", ["", "5", "[]", "{}", "[" * 100_000, '{"format": 2, "step": 12, "run": 1, "files": []}']
)
def test_a_damaged_manifest_falls_back(run_dir, twin, text):
    (run_dir / "checkpoints/last/12/manifest.json").write_text(text)
    assert "falling back to step 9" in train(run_dir)
    shutil.rmtree(run_dir / "checkpoints/last/damaged-12-0")
    assert differences(contents(twin), contents(run_dir)) == []


def test_a_missing_best_checkpoint_is_copied_from_the_last_ones_or_said(run_dir, twin):
    shutil.rmtree(run_dir / "checkpoints/best/9")
    assert wrong(run_dir) == ["checkpoints/best"]
    train(run_dir)
    assert differences(contents(twin), contents(run_dir)) == []
    shutil.rmtree(run_dir / "checkpoints/best/9")
    shutil.rmtree(run_dir / "checkpoints/last/9")
    assert "the best checkpoint, of step 9, is missing or damaged" in train(run_dir)


def test_a_full_disk_ends_with_what_is_kept(tmp_path, monkeypatch, capsys):
    path, full = tmp_path / "run", a_job(tmp_path / "run")
    savez, count = np.savez, []

    def save(*args, **arrays):
        count.append(1)
        if len(count) > 2:  # last and best of step 3
            raise OSError(28, "No space left on device")
        savez(*args, **arrays)

    monkeypatch.setattr(np, "savez", save)
    assert ended(full) == 74
    said = capsys.readouterr().err
    assert "cannot save the checkpoint of step 6" in said and "No space left on device" in said
    assert (
        f"the checkpoint of step 6 is kept in {path}" in said or f"the checkpoint of step 3 is kept in {path}" in said
    )
    monkeypatch.undo()
    train(path)
    assert strays(path) == [] and wrong(path) == []


# ---- metrics.jsonl ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["5", "[]", "{}", "null", '"x"', '{"step": "a"}', '{"step": 5}', "{", "\\xff", "NaN"])
def test_damaged_metrics_are_written_again(run_dir, twin, line):
    text = (run_dir / "metrics.jsonl").read_text().splitlines()
    (run_dir / "metrics.jsonl").write_text("\n".join([*text[:2], line, *text[3:]]) + "\n")
    assert wrong(run_dir) == ["metrics.jsonl"]
    assert len(list(RunFolder(run_dir).records())) == len(text) - 1
    assert "metrics.jsonl was damaged, and was written again from the checkpoint" in train(run_dir)
    assert differences(contents(twin), contents(run_dir)) == []


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_lost_metrics_are_written_again(run_dir, twin, content):
    (run_dir / "metrics.jsonl").unlink()
    if content is not None:
        (run_dir / "metrics.jsonl").write_bytes(content)
    train(run_dir)
    assert differences(contents(twin), contents(run_dir)) == []


def test_a_score_that_is_not_a_number_is_never_the_best(tmp_path, monkeypatch):
    evaluate = Job._evaluate

    def first_is_nan(self, state, part):
        found = evaluate(self, state, part)
        return {name: [math.nan] for name in found} if self.record.step == 3 else found

    monkeypatch.setattr(Job, "_evaluate", first_is_nan)
    train(tmp_path / "run")
    assert RunFolder(tmp_path / "run").best.steps() == [9]
    (third,) = (line for line in lines(tmp_path / "run") if line["step"] == 3)
    assert third["validation"] == {"wrong_sums": [None], "bit_error": [None]}
    read = next(r for r in RunFolder(tmp_path / "run").records() if r["step"] == 3)
    assert math.isnan(read["validation"]["bit_error"][0])


# ---- the lock, links, output -----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["lock removed", "folder moved", "folder removed"])
def test_a_folder_that_is_taken_away_stops_the_run(tmp_path, how):
    path, running = tmp_path / "run", a_job(tmp_path / "run")

    def take_away(record, scores):
        if record["step"] == 4:
            match how:
                case "lock removed":
                    (path / "lock").unlink()
                case "folder moved":
                    path.rename(tmp_path / "moved")
                case _:
                    shutil.rmtree(path)

    running.progress.step = take_away
    with pytest.raises(UsageError, match="was moved or removed, or lock in it, while it was in use"):
        running.run()
    assert path.exists() == (how == "lock removed")
    if how == "folder moved":
        train(tmp_path / "moved")


def test_nothing_is_written_through_a_link(run_dir, tmp_path):
    mine = tmp_path / "mine.txt"
    for name in ("lock", "metrics.jsonl", "config.json", "run.json", "final.json"):
        mine.write_text("precious")
        original = (run_dir / name).read_bytes()
        (run_dir / name).unlink()
        (run_dir / name).symlink_to(mine)
        try:
            train(run_dir)
        except (UsageError, OSError) as error:
            assert "Traceback" not in str(error)
        assert mine.read_text() == "precious", name
        (run_dir / name).unlink()
        (run_dir / name).write_bytes(original)
    shutil.move(run_dir / "checkpoints/last", tmp_path / "elsewhere")
    (run_dir / "checkpoints/last").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is a link, and is not written through"):
        train(run_dir)


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch):
    import fcntl

    def no_locks(file, flags):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(UsageError, match=r"cannot be locked \(No locks available\); accepted: a"):
        train(tmp_path / "run")


class Broken(io.StringIO):
    """Standard output whose reader is gone."""

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


def test_a_run_goes_on_when_nobody_reads_what_it_prints(tmp_path, monkeypatch):
    running = a_job(tmp_path / "run")
    monkeypatch.setattr(sys, "stdout", Broken())
    final = running.run()
    monkeypatch.undo()
    said = (tmp_path / "run/messages.log").read_text().splitlines()
    assert final["steps"] == 12 and said[0].startswith("standard output cannot be written ([Errno 32] Broken pipe)")
    assert len([line for line in said if line.startswith("step ")]) == len(lines(tmp_path / "run"))


def test_verify_says_what_is_wrong(run_dir, capsys):
    assert command(["verify", str(run_dir)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "8 checked, 0 wrong"
    final = json.loads((run_dir / "final.json").read_text())
    final["metrics"]["wrong_sums"] = 0.0
    (run_dir / "final.json").write_text(json.dumps(final))
    (run_dir / "checkpoints/last/9/record.json").write_text("{}")
    assert command(["verify", str(run_dir)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert "wrong  checkpoints/last/9: 9/record.json is not what was written" in said
    assert "wrong  final.json: its scores are not those of the checkpoint of step 12" in said
    with pytest.raises(rnnzoo.UsageError, match="is no run folder"):
        command(["verify", str(run_dir.parent)])
