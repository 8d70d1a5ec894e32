"""Training batches from grain: exact places, workers, and runs that go on."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from host_support import CONFIG, TIME, register

from rnnzoo import UsageError
from rnnzoo.tasks.data import Part
from rnnzoo.tasks.grain_data import GrainBatches, GrainData
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress

ROWS = np.random.RandomState(0).randn(40, TIME, 1).astype(np.float32)


def time_first(batch: Any) -> Any:
    return {"x": batch["x"].swapaxes(0, 1), "y": batch["y"]}


def row(number: int) -> Any:
    return {"x": ROWS[number], "y": np.int32(ROWS[number].sum() > 0)}


def train(size: int, seed: int) -> Any:
    grain = pytest.importorskip("grain")
    rows = grain.MapDataset.source(range(30)).shuffle(seed).repeat().map(row)
    return rows.batch(size).map(time_first).to_iter_dataset()


def held_out(part: Part) -> Any:
    yield {"x": ROWS[30:].swapaxes(0, 1), "y": (ROWS[30:].sum((1, 2)) > 0).astype(np.int32)}


def data(**more: Any) -> GrainData:
    return GrainData(input_size=1, output_size=1, train=train, held_out=held_out, fingerprint="rows 1", **more)


def taken(batches: Any, number: int) -> list[Any]:
    return [next(batches)["x"].tolist() for _ in range(number)]


def test_a_pipeline_goes_on_with_the_very_next_batch():
    pytest.importorskip("grain")
    straight = taken(data().batches(4, 3), 20)
    first = data().batches(4, 3)
    assert first.__next__()["x"].shape == (TIME, 4, 1) and taken(data().batches(4, 4), 3) != straight[:3]
    taken(first, 8)
    place = first.state()
    assert taken(first, 3) == straight[9:12]
    again = data().batches(4, 3)
    again.restore(place)
    assert taken(again, 11) == straight[9:]


def test_a_loader_goes_on_too():
    grain = pytest.importorskip("grain")
    sampler = grain.samplers.IndexSampler(
        30, shuffle=True, seed=0, num_epochs=None, shard_options=grain.sharding.NoSharding()
    )
    loader = grain.DataLoader(
        data_source=range(30), sampler=sampler, operations=[grain.transforms.Batch(4)], worker_count=0
    )
    read = lambda it, n: [it.iterator.__next__().tolist() for _ in range(n)]  # noqa: E731
    one, other = GrainBatches(loader), GrainBatches(loader)
    read(one, 5)
    other.restore(one.state())
    assert isinstance(one.state(), str) and read(one, 4) == read(other, 4)


@pytest.mark.slow
def test_workers_read_the_same_batches():
    pytest.importorskip("grain")
    straight = taken(data().batches(4, 3), 6)
    ahead = data(workers=1).batches(4, 3)
    assert taken(ahead, 3) == straight[:3]
    again = data(workers=1).batches(4, 3)
    again.restore(ahead.state())
    assert taken(again, 3) == straight[3:]


@pytest.mark.slow
def test_a_run_goes_on(monkeypatch, tmp_path):
    pytest.importorskip("grain")
    config = register(monkeypatch)
    monkeypatch.setattr(type(config.task), "open", lambda self: data())
    straight = Job(config, tmp_path / "straight", Progress(config)).run()
    half = dataclasses.replace(CONFIG, steps=18)

    def stop(self: Any, state: Any, start: int, length: int) -> Any:
        if start >= 9:
            raise KeyboardInterrupt
        return run(self, state, start, length)

    from rnnzoo.training.loops import HostLoop

    run = HostLoop.run
    monkeypatch.setattr(HostLoop, "run", stop)
    with pytest.raises(KeyboardInterrupt):
        Job(half, tmp_path / "cut", Progress(half)).run()
    monkeypatch.setattr(HostLoop, "run", run)
    assert Job(half, tmp_path / "cut", Progress(half)).run()["metrics"] == straight["metrics"]


def test_what_cannot_be_resumed_is_refused():
    with pytest.raises(UsageError, match=r"come from a list; accepted: a grain\.IterDataset"):
        GrainBatches([1, 2])
    with pytest.raises(UsageError, match="GrainData has no streams"):
        data().segments(4)


def test_workers_without_an_iter_dataset_are_refused():
    pytest.importorskip("grain")
    with pytest.raises(UsageError, match=r"GrainData.workers is 2, and the pipeline is a list; accepted"):
        GrainData(
            input_size=1, output_size=1, train=lambda *_: [], held_out=held_out, fingerprint="", workers=2
        ).batches(1, 0)
