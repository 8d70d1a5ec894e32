import dataclasses
import json
import os
import signal
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close
from task_support import network, opened

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.training.config import Config
from rnnzoo.training.job import Diverged, Job, Stopped
from rnnzoo.training.numbers import lanes_of, numbers_of, program_of
from rnnzoo.training.optimizer import decays, learning_rate
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import evaluate, first_state, train_steps

CONFIG = Config(
    task=tasks.BinaryAddition(bits=4),
    cell=cells.Elman(hidden_size=5, structure=structures.Diagonal()),
    model=Stack(dropout=0.1),
    lr=1e-2,
    batch_size=4,
    steps=12,
    log_every=3,
    eval_every=6,
)
DATA: Any = CONFIG.task.open()  # for any of its configurations: without arrays


def change(**fields: Any) -> Config:
    return dataclasses.replace(CONFIG, **fields)


def train(config: Config, path: Path) -> dict[str, Any]:
    return Job(config, path, Progress(config)).run()


def updated(config: Config, state: Any, length: int) -> Any:
    """The state and the metrics after so many updates."""
    args = (network(config), opened(config.task), {}, *lanes_of(config), state, 0)
    return train_steps(program_of(config), *args, length=length)


def last_state(config: Config, path: Path) -> Any:
    like = jax.eval_shape(lambda: first_state(config, network(config)))
    restored = RunFolder(path).last.restore(like, warn=pytest.fail)
    assert restored is not None
    return restored


def test_a_run_leaves_a_complete_folder(tmp_path):
    final = train(CONFIG, tmp_path / "run")
    names = {p.name for p in (tmp_path / "run").iterdir()}
    assert {"config.json", "metrics.jsonl", "final.json", "curves.png", "checkpoints"} <= names
    assert json.loads((tmp_path / "run/final.json").read_text()) == final
    keys = {
        "metrics",
        "validation",
        "best",
        "baseline",
        "solved",
        "seconds",
        "steps",
        "params",
        "nonzeros_u",
        "device",
        "versions",
    }
    assert keys <= final.keys()
    assert final["nonzeros_u"] == 5 and final["params"] == 5 * 2 + 5 + 5 + 5 + 1 and final["steps"] == 12
    assert isinstance(final["metrics"]["wrong_sums"], float) and final["solved"] in (True, False)
    records = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records] == [3, 6, 9, 12]
    assert ["validation" in r for r in records] == [False, True, False, True]
    assert ["scores" in r for r in records] == [False, False, False, True]  # the test set is used once
    assert rnnzoo.from_json((tmp_path / "run/config.json").read_text()) == CONFIG


def test_training_reduces_the_loss(tmp_path):
    cell = cells.LSTM(hidden_size=8, structure=structures.Diagonal())
    final = train(change(cell=cell, steps=800, log_every=400, eval_every=800, batch_size=32), tmp_path / "run")
    assert final["metrics"]["wrong_sums"] < 0.5 * final["baseline"]["memoryless"]


def test_a_resumed_run_is_bit_exact(tmp_path):
    config = change(steps=18)
    train(config, tmp_path / "straight")
    job = Job(config, tmp_path / "cut", Progress(config))
    job.progress.step = lambda record, scores: signal.raise_signal(signal.SIGTERM) if record["step"] == 9 else None
    with pytest.raises(Stopped, match="stopped at step 9"):
        job.run()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    train(config, tmp_path / "cut")
    (step, straight), (_, cut) = (last_state(config, tmp_path / name) for name in ("straight", "cut"))
    assert step == 18
    assert_close(cut, straight, 0)
    records = [[json.loads(line) for line in (tmp_path / n / "metrics.jsonl").open()] for n in ("straight", "cut")]
    assert [(r["step"], r["loss"]) for r in records[0]] == [(r["step"], r["loss"]) for r in records[1]]


def test_arrays_without_numbers_are_kept(tmp_path):
    """`Masked` has one."""
    cell = cells.Elman(hidden_size=16, structure=structures.Masked())
    train(change(cell=cell, steps=6), tmp_path / "run")
    shapes = [leaf.shape for leaf in jax.tree.leaves(last_state(change(cell=cell, steps=6), tmp_path / "run")[1])]
    assert (1, 16, 0) in shapes


def test_seeds_trained_together_are_those_trained_alone(tmp_path):
    together = train(change(seeds=3), tmp_path / "together")
    for i in range(3):
        alone = train(change(seed=i), tmp_path / f"alone-{i}")
        assert alone["metrics"]["bit_error"] == pytest.approx(together["metrics"]["bit_error"]["per_seed"][i], abs=0.02)
    values = together["metrics"]["bit_error"]
    assert values["min"] <= values["median"] <= values["max"] and len(values["per_seed"]) == 3
    assert together["solved"] in (0, 1, 2, 3) and together["params"] == alone["params"]


def test_a_finished_run_is_not_trained_again(tmp_path):
    first = train(CONFIG, tmp_path / "run")
    assert train(CONFIG, tmp_path / "run")["metrics"] == first["metrics"]


def test_a_folder_of_another_configuration_is_refused_with_the_difference(tmp_path):
    train(CONFIG, tmp_path / "run")
    before = sorted((p, p.stat().st_mtime_ns) for p in (tmp_path / "run").rglob("*"))
    with pytest.raises(rnnzoo.UsageError, match="another configuration") as error:
        train(change(lr=0.5), tmp_path / "run")
    assert '-"lr": 0.01' in str(error.value).replace(" ", "", 1).replace("- ", "-")
    assert before == sorted((p, p.stat().st_mtime_ns) for p in (tmp_path / "run").rglob("*"))


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(rnnzoo.UsageError, match="is not empty and holds no run"):
        train(CONFIG, tmp_path)
    with pytest.raises(rnnzoo.UsageError, match="is a file"):
        train(CONFIG, tmp_path / "thesis.tex")


def test_a_changed_file_is_refused(tmp_path):
    text = tmp_path / "text.txt"
    config = change(task=tasks.CharLM(path=str(text), length=8), steps=2, log_every=2, eval_every=2)
    text.write_text("abcdefgh" * 50)
    train(config, tmp_path / "run")
    text.write_text("hgfedcba" * 50)
    with pytest.raises(rnnzoo.UsageError, match="the data have changed since the run in"):
        train(config, tmp_path / "run")


def test_parameters_are_counted_without_the_corners_of_a_band():
    from rnnzoo.counts import num_params

    model = change(cell=cells.LSTM(hidden_size=8, structure=structures.Banded(bandwidth=2)), model=Stack(layers=2))
    per_gate = 5 * 8 - 2 * 3 + 8
    assert num_params(network(model)) == 4 * (2 * per_gate + 8 * 2 + 8 * 8) + 9


def test_two_runs_cannot_share_a_folder(tmp_path):
    holder = RunFolder(tmp_path / "run")
    holder.open(CONFIG, DATA)
    with pytest.raises(rnnzoo.UsageError, match=f"in use by process {os.getpid()}"):
        train(CONFIG, tmp_path / "run")
    holder.close()
    train(CONFIG, tmp_path / "run")


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete", "manifest"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, damage, capsys):
    final = train(CONFIG, tmp_path / "run")
    folder = tmp_path / "run/checkpoints/last"
    victim = max((p for p in (folder / "12").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    content = bytearray(victim.read_bytes())
    match damage:
        case "flip":
            content[len(content) // 2] ^= 1
            victim.write_bytes(content)
        case "truncate":
            victim.write_bytes(content[:-1])
        case "delete":
            victim.unlink()
        case "manifest":
            (folder / "12/manifest.json").unlink()
    again = train(CONFIG, tmp_path / "run")
    said = capsys.readouterr()
    assert "checkpoint of step 12 is damaged" in said.err and "falling back to step 6" in said.err
    assert "going on from step 6" in said.out
    assert again["metrics"] == final["metrics"]
    assert (folder / "damaged-12-0").exists()


def test_the_best_checkpoint_is_kept_apart(tmp_path):
    train(change(steps=24, eval_every=3, lr=0.3, seed=5), tmp_path / "run")
    records = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").open()]
    best = min(records, key=lambda r: r["validation"]["wrong_sums"][0])["step"]
    folder = RunFolder(tmp_path / "run")
    assert folder.best.steps() == [best]
    assert folder.last.steps() == [24, 21]


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    config = change(optimizer="sgd", lr=1e12, clip=0.0, steps=60, log_every=1, eval_every=1)
    config = dataclasses.replace(config, cell=cells.Elman(hidden_size=5, activation="identity"))
    with pytest.raises(Diverged, match=r"step \d+ is not finite: loss .*, gradient norm .*--lr \(now 1e\+12\)"):
        train(config, tmp_path / "run")
    for leaf in jax.tree.leaves(last_state(config, tmp_path / "run")[1]):
        assert np.isfinite(leaf).all()


def test_a_parameter_that_is_nan_stops_training_though_the_batch_does_not_use_it():
    config = change(task=tasks.CopyMemory(delay=1, symbols=1, alphabet=50), model=Stack(embedding_size=3), batch_size=1)
    state = first_state(config, network(config))
    rows = state["params"]["embed"]["w"]  # of 52 tokens, of which a batch has three
    state["params"]["embed"]["w"] = rows.at[0, 7, 0].set(jnp.nan)
    _, metrics = updated(config, state, 1)
    assert np.isfinite(metrics["loss"]).all() and np.isfinite(metrics["grad_norm"]).all()
    assert not metrics["good"].any()


def test_weight_decay_spares_recurrent_weights_biases_and_norms():
    net = network(change(model=Stack(layers=2, norm=True, embedding_size=3)))
    mask = jax.tree_util.tree_leaves_with_path(decays(net.init(jax.random.key(0))))
    decayed = {jax.tree_util.keystr(path, simple=True, separator=".") for path, yes in mask if yes}
    assert decayed == {"embed.w", "head.w", "layer_0.cell.w.h", "layer_1.cell.w.h"}
    config = change(weight_decay=0.5, optimizer="adamw", lr=0.1, steps=1, clip=0)
    without = dataclasses.replace(config, weight_decay=0.0)
    start, plain, decay = (first_state(c, network(c)) for c in (config, without, config))
    plain, _ = updated(without, plain, 1)
    decay, _ = updated(config, decay, 1)
    difference = jax.tree.map(lambda a, b: a - b, plain["params"], decay["params"])
    expected = jax.tree.map(lambda w, m: 0.05 * w * m, start["params"], decays(start["params"]))
    assert_close(difference, expected, 1e-6)


def test_recurrent_weights_are_clipped_after_every_step():
    config = change(cell=cells.IndRNN(hidden_size=6), clip_recurrent=0.3, lr=0.5, steps=5)
    start = first_state(config, network(config))
    free = dataclasses.replace(config, clip_recurrent=0.0)
    after, _ = updated(config, start, 5)
    wild, _ = updated(free, first_state(free, network(free)), 5)
    largest = [np.abs(s["params"]["layer_0"]["cell"]["u"]["h"]).max() for s in (after, wild)]
    assert largest[0] <= 0.3 + 1e-6 and largest[1] > 0.4
    assert np.abs(after["params"]["layer_0"]["cell"]["w"]["h"]).max() > 0.4  # others are free


@pytest.mark.parametrize(("schedule", "middle", "end"), [("constant", 1, 1), ("linear", 0.5, 0), ("cosine", 0.5, 0)])
def test_the_learning_rate_warms_up_and_falls(schedule, middle, end):
    config = change(lr=1.0, schedule=schedule, warmup=10, steps=110)
    rate = learning_rate(config, numbers_of(config))
    assert [np.asarray(rate(s)) for s in (0, 5, 10, 60, 110)] == pytest.approx([0, 0.5, 1, middle, end], abs=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_every_optimizer_takes_a_step_against_the_gradient(optimizer):
    config = change(optimizer=optimizer, momentum=0.5 if optimizer in ("sgd", "rmsprop") else 0.0)
    state = first_state(config, network(config))
    _, metrics = updated(config, state, 300)
    assert float(metrics["loss"][0, -50:].mean()) < float(metrics["loss"][0, :20].mean())


def test_evaluation_adds_up_over_batches():
    state = first_state(CONFIG, network(CONFIG))
    (whole,) = DATA.held_out("test")
    halves = [{k: v[:, i::2] for k, v in whole.items()} for i in range(2)]
    one, two = (evaluate(CONFIG, network(CONFIG), state["params"], b) for b in ([whole], halves))
    assert one.keys() == two.keys()
    assert all(one[name] == pytest.approx(two[name]) for name in one)


def test_what_does_not_fit_is_found_before_anything_is_written(tmp_path):
    config = change(task=tasks.CharLM(path=str(tmp_path / "nothing.txt")))
    with pytest.raises(rnnzoo.UsageError, match=r"nothing\.txt"):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(rnnzoo.UsageError, match="not affine"):
        change(unroll=rnnzoo.unrolls.Associative())
    with pytest.raises(rnnzoo.UsageError, match="accepted: less than the 12 steps"):
        change(warmup=12)


def test_jax_arrays_are_not_in_specifications():
    with pytest.raises(rnnzoo.UsageError, match=r"Config\.lr"):
        change(lr=jnp.ones(()))
