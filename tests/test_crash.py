"""A run that dies at any file operation ends, once it is resumed, as one that never died."""

import pytest
from faults.kills import KILLS
from faults.runs import contents, differences, strays, train


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


@pytest.mark.slow
@pytest.mark.parametrize("offset", range(8))
def test_a_kill_at_every_file_operation(twin, tmp_path, offset):
    expected, count = twin
    for at in range(offset, count, 8):
        path = tmp_path / str(at) / "run"
        assert differences(expected, killed_and_resumed(path, at)) == [], (at, KILLS.seen[-1:])
        assert strays(path) == []
