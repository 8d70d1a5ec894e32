"""What a run does with validation and test sets, and with the folders of the first edition, which had no validation."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest
from support import assert_close
from task_support import network

import rnnzoo
from rnnzoo import cells, tasks
from rnnzoo.__main__ import command
from rnnzoo.training.checkpoints import _checksums
from rnnzoo.training.config import Config
from rnnzoo.training.evaluation import evaluate_run
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import first_state

SMALL = Config(
    task=tasks.BinaryAddition(bits=4), cell=cells.Elman(hidden_size=4), steps=12, log_every=3, eval_every=3, lr=1e-2
)


def train(config: Config, path: Path) -> dict[str, Any]:
    return Job(config, path, Progress(config)).run()


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


def test_the_best_checkpoint_is_chosen_by_validation_scores_and_the_test_set_used_at_the_end(tmp_path, monkeypatch):
    given = {"validation": {3: 0.9, 6: 0.2, 9: 0.4, 12: 0.5}, "test": {3: 0.1, 6: 0.8, 9: 0.05, 12: 0.7}}
    asked = []

    def evaluated(job: Job, state: Any, part: Any) -> dict[str, list[float]]:
        step = int(state["opt"][1].count[0])
        asked.append((part, step))
        return {"wrong_sums": [given[part][step]], "bit_error": [0.5]}

    monkeypatch.setattr(Job, "_evaluate", evaluated)
    final = train(SMALL, tmp_path / "run")
    assert RunFolder(tmp_path / "run").best.steps() == [6]
    assert [step for part, step in asked if part == "test"] == [12, 6]
    assert final["metrics"]["wrong_sums"] == 0.7 and final["validation"]["wrong_sums"] == 0.5
    assert final["best"] == {
        "step": 6,
        "metrics": {"wrong_sums": 0.8, "bit_error": 0.5},
        "validation": {"wrong_sums": 0.2, "bit_error": 0.5},
    }
    assert [r["validation"]["wrong_sums"][0] for r in records(tmp_path / "run")] == [0.9, 0.2, 0.4, 0.5]
    assert [r.get("scores") for r in records(tmp_path / "run")] == [None] * 3 + [
        {"wrong_sums": [0.7], "bit_error": [0.5]}
    ]
    assert train(SMALL, tmp_path / "run") == final  # opened again


def test_final_scores_are_those_of_the_parts(tmp_path):
    config = dataclasses.replace(SMALL, seeds=2)
    final = train(config, tmp_path / "run")
    for part, name in (("test", "metrics"), ("validation", "validation")):
        scores = evaluate_run(tmp_path / "run", config, "last", pytest.fail, part)  # pyright: ignore[reportArgumentType]
        assert {k: v["per_seed"] for k, v in final[name].items()} == scores
        scores = evaluate_run(tmp_path / "run", config, "best", pytest.fail, part)  # pyright: ignore[reportArgumentType]
        assert {k: v["per_seed"] for k, v in final["best"][name].items()} == scores
    assert final["metrics"] != final["validation"]


def test_a_saved_best_checkpoint_has_its_test_scores(tmp_path):
    config = dataclasses.replace(SMALL, lr=0.3, steps=24, seed=5)
    final = train(config, tmp_path / "run")
    assert final["best"]["step"] < 24
    for which, scores in (("last", final["metrics"]), ("best", final["best"]["metrics"])):
        assert command(["save", str(tmp_path / "run"), "--checkpoint", which, "--out", str(tmp_path / which)]) == 0
        assert rnnzoo.load_model(tmp_path / which).scores == pytest.approx(scores)


def as_of_the_first_edition(path: Path) -> None:
    """Rewrite a run folder as rnnzoo 0.1.0 left it: only test scores, at every evaluation, and orbax's checkpoints."""
    lines = []
    for record in records(path):
        if "validation" in record:
            record["scores"] = record.pop("validation")  # other numbers, and of the same form
        lines.append(json.dumps(record))
    (path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    (path / "run.json").unlink()
    like = jax.eval_shape(lambda: first_state(SMALL, network(SMALL)))
    for checkpoints in (RunFolder(path).last, RunFolder(path).best):
        for step in checkpoints.steps():
            restored, folder = checkpoints._load(step, like), checkpoints.folder / str(step)
            shutil.rmtree(folder)
            with ocp.StandardCheckpointer() as checkpointer:
                checkpointer.save(folder, restored)
            (checkpoints.folder / f"{step}.sha256").write_text(json.dumps(_checksums(folder)))
    final = json.loads((path / "final.json").read_text())
    (path / "final.json").write_text(json.dumps({k: v for k, v in final.items() if k not in ("validation", "best")}))


def test_a_run_of_the_first_edition_is_resumed_with_a_warning(tmp_path, capsys):
    train(SMALL, tmp_path / "straight")
    train(SMALL, tmp_path / "old")
    as_of_the_first_edition(tmp_path / "old")
    folder = RunFolder(tmp_path / "old")
    folder.last.set_aside_damaged(after=9)
    capsys.readouterr()
    final = train(SMALL, tmp_path / "old")
    assert "an older rnnzoo began this run and had no validation set" in capsys.readouterr().err
    assert final["metrics"] == json.loads((tmp_path / "straight/final.json").read_text())["metrics"]
    like = jax.eval_shape(lambda: first_state(SMALL, network(SMALL)))
    old, straight = (RunFolder(tmp_path / name).last.restore(like, pytest.fail) for name in ("old", "straight"))
    assert_close(old, straight, 0)
    assert ["validation" in r for r in records(tmp_path / "old")] == [False, False, False, True]
    scores = [median_of(evaluate_run(tmp_path / "old", SMALL, w, pytest.fail, "validation")) for w in ("best", "last")]
    assert scores[0] <= scores[1]  # the best one of then was evaluated again, and is beaten or kept


def median_of(scores: dict[str, list[float]]) -> float:
    return float(np.median(scores["wrong_sums"]))


def test_runs_of_copy_memory_have_no_characters(tmp_path):
    config = dataclasses.replace(SMALL, task=tasks.CopyMemory(delay=2, symbols=3, alphabet=4), steps=3)
    final = train(config, tmp_path / "run")
    symbols = tmp_path / "run" / "symbols.json"
    assert not symbols.exists()
    symbols.write_text("3\n")  # what the first edition wrote
    assert train(config, tmp_path / "run")["metrics"] == final["metrics"]
    assert command(["evaluate", str(tmp_path / "run")]) == 0
    assert command(["save", str(tmp_path / "run"), "--out", str(tmp_path / "model")]) == 0
    assert rnnzoo.load_model(tmp_path / "model").symbols is None
    warm = dataclasses.replace(config, init_from=str(tmp_path / "run"), steps=1)
    assert train(warm, tmp_path / "warm")["steps"] == 1
