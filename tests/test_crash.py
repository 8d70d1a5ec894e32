"""A run that dies at any file operation ends, once it is resumed, as one that never died."""

import pytest
from faults.kills import KILLS
from faults.runs import CONFIG, contents, differences, strays, train

from rnnzoo.training.job import Job, Stopped
from rnnzoo.training.progress import Progress


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    path = tmp_path_factory.mktemp("twin") / "run"
    count = KILLS.during(path, lambda: train(path))
    return contents(path), count


def killed_and_resumed(path, at):
    KILLS.during(path, lambda: train(path), at)
    train(path)
    return contents(path)


def test_the_harness_sees_all_operations_and_a_planted_difference(twin, tmp_path):
    expected, count = twin
    assert count > 60
    train(tmp_path / "run")
    found = contents(tmp_path / "run")
    assert differences(expected, found) == []
    found["metrics.jsonl"][-1]["loss"] = [0.0]
    assert differences(expected, found) == ["metrics.jsonl"]


@pytest.mark.parametrize("offset", range(4))
def test_a_kill_at_a_file_operation(twin, tmp_path, offset):
    expected, count = twin
    for at in range(offset * 3, count, 12):
        path = tmp_path / str(at) / "run"
        assert differences(expected, killed_and_resumed(path, at)) == [], KILLS.seen[-1:]
        assert strays(path) == []


def test_a_stop_at_any_line(twin, tmp_path):
    """A stop saves a checkpoint of its own, also between evaluations; it must not take another one's place."""
    for at in (2, 3, 4, 6, 8, 9, 10):
        progress = Progress(CONFIG)
        job = Job(CONFIG, tmp_path / str(at), progress)
        progress.step = lambda record, scores, job=job, at=at: setattr(job, "stop_asked", record["step"] == at)
        with pytest.raises(Stopped, match=f"stopped at step {at};"):
            job.run()
        train(tmp_path / str(at))
        assert differences(twin[0], contents(tmp_path / str(at))) == [], at
        assert strays(tmp_path / str(at)) == []


@pytest.mark.slow
@pytest.mark.parametrize("offset", range(8))
def test_a_kill_at_every_file_operation(twin, tmp_path, offset):
    expected, count = twin
    for at in range(offset, count, 8):
        path = tmp_path / str(at) / "run"
        assert differences(expected, killed_and_resumed(path, at)) == [], (at, KILLS.seen[-1:])
        assert strays(path) == []
