"""`--init-from`: a run that starts from another one, with a wider U."""

import dataclasses
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from support import assert_close
from task_support import network, opened

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.structures.base import Structure
from rnnzoo.training.config import Config
from rnnzoo.training.job import Job, Stopped
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import evaluate, first_state
from rnnzoo.training.warm_start import warm_state
from rnnzoo.wrappers.base import with_structure

CONFIG = Config(
    task=tasks.BinaryAddition(bits=4),
    cell=cells.GRU(hidden_size=6, structure=structures.Diagonal()),
    model=Stack(layers=2),
    lr=1e-2,
    batch_size=4,
    steps=6,
    log_every=3,
    eval_every=3,
    seeds=2,
)


def wider(config: Config, source: Path, structure: Structure, **fields: Any) -> Config:
    cell = with_structure(config.cell, structure)
    return dataclasses.replace(config, cell=cell, init_from=str(source), **fields)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("warm") / "source"
    final = Job(CONFIG, path, Progress(CONFIG)).run()
    return path, final


def scores(job: Job) -> dict[str, list[float]]:
    assert job.warm is not None
    return evaluate(job.config, job.model, job.warm["params"], job.data.held_out("test"))


@pytest.mark.parametrize("structure", [structures.Diagonal(), structures.Banded(), structures.Dense()], ids=str)
def test_the_score_at_the_start_is_that_of_the_other_run(source, tmp_path, structure):
    path, final = source
    config = wider(CONFIG, path, structure)
    job = Job(config, tmp_path / "run", Progress(config))
    for name, values in scores(job).items():
        assert values == pytest.approx(final["metrics"][name]["per_seed"], abs=1e-6)
    fresh = jax.eval_shape(lambda: first_state(config, job.model))
    assert jax.tree.structure(job.warm) == jax.tree.structure(fresh)
    assert [(a.shape, a.dtype) for a in jax.tree.leaves(job.warm)] == [
        (a.shape, a.dtype) for a in jax.tree.leaves(fresh)
    ]
    assert_close(job.warm["opt"], first_state(config, job.model)["opt"], 0)  # pyright: ignore


def test_it_trains_on_and_resumes_without_the_other_run(source, tmp_path, capsys):
    path, final = source
    copy = tmp_path / "copy"
    shutil.copytree(path, copy)
    config = wider(CONFIG, copy, structures.Banded())
    straight = Job(config, tmp_path / "straight", Progress(config)).run()
    start = np.median(final["validation"]["wrong_sums"]["per_seed"])
    assert f"starting from {copy}: validation wrong_sums {start:.4f}" in capsys.readouterr().out
    job = Job(config, tmp_path / "cut", Progress(config))
    job.progress.step = lambda record, scores: signal.raise_signal(signal.SIGTERM) if record["step"] == 3 else None
    with pytest.raises(Stopped):
        job.run()
    shutil.rmtree(copy)
    shutil.rmtree(tmp_path / "cut/checkpoints/last/3")  # back to the very start
    assert RunFolder(tmp_path / "cut").last.steps() == [0]
    assert Job(config, tmp_path / "cut", Progress(config)).run()["metrics"] == straight["metrics"]
    written = json.loads((tmp_path / "cut/config.json").read_text())
    assert written["init_from"] == str(copy) and written["cell"]["structure"]["type"] == "structures.Banded"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": cells.GRU(hidden_size=7, structure=structures.Dense())}, '-  "hidden_size": 6'),
        ({"cell": cells.LSTM(hidden_size=6)}, '"cells.LSTM"'),
        ({"cell": cells.GRU(hidden_size=6, bias=False)}, '+  "bias": false'),
        ({"model": Stack(layers=1)}, '+  "layers": 1'),
        ({"task": tasks.Parity()}, '"input_size"'),
        ({"seeds": 3}, "accepted: --seeds 2"),
        ({"cell": cells.GRU(hidden_size=6, structure=structures.LowRank(rank=1))}, "cannot hold this matrix"),
    ],
)
def test_other_networks_are_refused_with_the_difference(source, change, message):
    config = dataclasses.replace(CONFIG, init_from=str(source[0]), **change)
    with pytest.raises(rnnzoo.UsageError) as error:
        warm_state(config, network(config), opened(config.task), print)
    assert message in str(error.value)


def test_nothing_is_written_for_a_refused_network(source, tmp_path):
    config = dataclasses.replace(CONFIG, init_from=str(source[0]), cell=cells.LSTM(hidden_size=6))
    with pytest.raises(rnnzoo.UsageError, match=r"the cells differ"):
        Job(config, tmp_path / "run", Progress(config))
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    config = dataclasses.replace(CONFIG, init_from=str(tmp_path / "nowhere"))
    with pytest.raises(rnnzoo.UsageError, match="no run folder"):
        Job(config, tmp_path / "run", Progress(config))
