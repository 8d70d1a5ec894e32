"""Logs beside the run folder, read back by the programs that they are for. Skipped where their packages are missing."""

import csv
import importlib.util
import json
import math
from pathlib import Path

import pytest

import rnnzoo
from rnnzoo import UsageError, cells, loggers, structures, tasks
from rnnzoo.__main__ import command
from rnnzoo.config import Config
from rnnzoo.spec_json import flattened

CONFIG = Config(
    task=tasks.BinaryAddition(bits=4),
    cell=cells.GRU(hidden_size=4, structure=structures.Banded(bandwidth=1)),
    lr=1e-2,
    schedule="linear",
    steps=4,
    log_every=1,
    eval_every=2,
    eval_lengths=(1, 2),
    seed=7,
    seeds=2,
    devices="one",
)
STEPS, SEEDS = [1, 2, 3, 4], (7, 8)


def needs(package):
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"no {package}")


def interrupted_and_resumed(folder, log):
    """A run that was killed after it had logged step 3 and before the checkpoint of it, and that then went on."""

    def kill(line):
        if line["step"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rnnzoo.train(CONFIG, folder, progress=False, callbacks=[kill], log=log)
    return rnnzoo.train(CONFIG, folder, progress=False, log=log)


def expected(folder, n):
    """Step -> name -> number, of the n-th seed, from the run's own lines."""
    found = {}
    for line in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines()):
        numbers = {f"train/{name}": line[name][n] for name in ("loss", "grad_norm")}
        numbers["train/lr"] = 1e-2 * (1 - (line["step"] - 1) / 4)
        for part, name in (("validation", "validation"), ("scores", "test")):
            numbers |= {f"{name}/{score}": values[n] for score, values in line.get(part, {}).items()}
        found[line["step"]] = numbers
    return found


def check(found, folder, n):
    """Whether a log, step -> name -> number, has all that it should, apart from times, which differ by process."""
    wanted = expected(folder, n)
    assert sorted(found) == sorted(wanted) == STEPS
    for step, numbers in wanted.items():
        times = {"train/seconds", "train/steps_per_second"}
        assert found[step].keys() - times == numbers.keys() and times <= found[step].keys()
        for name, value in numbers.items():
            assert math.isclose(found[step][name], value, rel_tol=1e-6), (step, name)
    assert "test/wrong_sums@2x" in found[4] and "validation/bit_error" in found[2]


def test_csv(tmp_path):
    interrupted_and_resumed(tmp_path / "run", "csv")
    with open(tmp_path / "run/log.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["step"], line["seed"]) for line in lines] == [(str(t), str(s)) for t in STEPS for s in SEEDS]
    for n, seed in enumerate(SEEDS):
        own = [line for line in lines if line["seed"] == str(seed)]
        names = [name for name in own[0] if name not in ("step", "seed")]
        check({int(x["step"]): {k: float(x[k]) for k in names if x[k]} for x in own}, tmp_path / "run", n)


@needs("tensorboardX")
@needs("tensorboard")
def test_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    interrupted_and_resumed(tmp_path / "run", "tensorboard")
    for n, seed in enumerate(SEEDS):
        folder = tmp_path / "run/tensorboard" / f"seed-{seed}"
        assert len(list(folder.iterdir())) == 1
        events = EventAccumulator(str(folder), {"scalars": 0, "tensors": 0, "compressedHistograms": 0})
        events.Reload()
        found = {}
        for tag in events.Tags()["scalars"]:
            steps = [event.step for event in events.Scalars(tag)]
            assert steps == sorted(set(steps)), f"{tag} stands twice at a step"
            for event in events.Scalars(tag):
                found.setdefault(event.step, {})[tag] = event.value
        check(found, tmp_path / "run", n)
        data = plugin_data_pb2.HParamsPluginData()
        data.ParseFromString(events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
        start = data.session_start_info.hparams
        assert start["cell"].string_value == "GRU" and start["lr"].number_value == 0.01
        assert start["seed"].number_value == seed and start["cell.structure.bandwidth"].number_value == 1
        assert "_hparams_/session_end_info" in events.summary_metadata
        assert b'"lr": 0.01' in events.Tensors("config/text_summary")[0].tensor_proto.string_val[0]


@needs("wandb")
def test_wandb_offline(tmp_path, monkeypatch):
    import wandb

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    wandb.teardown()  # which had read the environment
    interrupted_and_resumed(tmp_path / "run", loggers.WandB(project="mine"))
    id = (tmp_path / "run/log.id").read_text().strip()
    for n, seed in enumerate(SEEDS):
        (file,) = (tmp_path / "run/wandb").glob(f"offline-run-*/run-{id}-{seed}.wandb")
        found, begun = _wandb_file(file)
        check(found, tmp_path / "run", n)
        assert (begun["project"], begun["group"], begun["name"]) == ("mine", "run", f"run-seed-{seed}")
        assert begun["config"]["lr"] == 0.01 and begun["config"]["cell.structure"] == "Banded"
        assert begun["config"]["seed"] == seed


def _wandb_file(file):
    """Step -> numbers, and what the run began with, by wandb's own messages."""
    from wandb.proto import wandb_internal_pb2

    found, begun = {}, {}
    for data in _leveldb_records(file.read_bytes()[7:], 7):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.HasField("history"):
            items = {i.key or ".".join(i.nested_key): json.loads(i.value_json) for i in record.history.item}
            step = items.pop("_step")
            assert step not in found
            found[step] = {name: value for name, value in items.items() if not name.startswith("_")}
        elif record.HasField("run"):
            config = {i.key: json.loads(i.value_json) for i in record.run.config.update}
            begun |= {"project": record.run.project, "group": record.run.run_group, "name": record.run.display_name}
            begun["config"] = begun.get("config", {}) | config
    return found, begun


def _leveldb_records(data, position):
    """The records of a LevelDB log, the format of wandb's files, whose first block lacks `position` bytes."""
    whole = b""
    while data:
        if 32768 - position % 32768 < 7:  # no room for a header: the rest of the block is empty
            left = 32768 - position % 32768
            data, position = data[left:], position + left
            continue
        length, kind = int.from_bytes(data[4:6], "little"), data[6]  # after a checksum; whole, first, middle, last
        whole = data[7 : 7 + length] if kind in (1, 2) else whole + data[7 : 7 + length]
        data, position = data[7 + length :], position + 7 + length
        if kind in (1, 4):
            yield whole


@needs("wandb")
def test_wandb_without_a_key_is_refused_before_training(tmp_path, monkeypatch):
    import wandb

    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    wandb.teardown()
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"wandb: .*; accepted: wandb login, or WANDB_MODE=offline"):
        rnnzoo.train(CONFIG, tmp_path / "run", progress=False, log="wandb")
    assert not (tmp_path / "run").exists()


@needs("trackio")
def test_trackio(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # read as it is imported
    monkeypatch.delenv("TRACKIO_SPACE_ID", raising=False)
    from trackio.sqlite_storage import SQLiteStorage

    interrupted_and_resumed(tmp_path / "run", loggers.Trackio(project="mine"))
    id = (tmp_path / "run/log.id").read_text().strip()
    for n, seed in enumerate(SEEDS):
        name = f"run-seed-{seed}-{id}"
        rows = SQLiteStorage.get_logs("mine", name)
        assert [row["step"] for row in rows] == STEPS
        names = {k for row in rows for k in row} - {"step", "timestamp"}
        found = {row["step"]: {k: row[k] for k in names if k in row} for row in rows}
        check(found, tmp_path / "run", n)
        config = SQLiteStorage.get_run_config("mine", name)
        assert config is not None and config["cell"] == "GRU" and config["seed"] == seed


class _Listed(loggers.Logger):
    """Keeps rows in memory, and breaks when it is told to."""

    rows, closed, breaks_at = [], [], None

    def open(self, run):
        return _Kept(self)

    def where(self, folder):
        return "in memory"


class _Lacking(_Listed):
    """Needs a package that is not there."""

    package = "no_such_package"


class _Kept(loggers.Log):
    def __init__(self, logger):
        self.logger = logger

    def write(self, rows):
        if self.logger.breaks_at in [row.step for row in rows]:
            raise OSError("the disk is full")
        self.logger.rows.extend(rows)

    def close(self, complete):
        self.logger.closed.append(complete)


@pytest.fixture
def listed(monkeypatch):
    for name in ("rows", "closed"):
        monkeypatch.setattr(_Listed, name, [])
    return _Listed()


def test_a_log_that_breaks_does_not_end_the_run_and_is_whole_later(tmp_path, listed, monkeypatch):
    monkeypatch.setattr(_Listed, "breaks_at", 3)
    with pytest.warns(UserWarning, match="the log _Listed ends: OSError: the disk is full. The run goes on"):
        result = rnnzoo.train(CONFIG, tmp_path / "run", progress=False, log=[listed])
    assert [row.step for row in listed.rows] == [1, 2] and listed.closed == []
    listed.rows.clear()
    monkeypatch.setattr(_Listed, "breaks_at", None)
    again = rnnzoo.train(CONFIG, tmp_path / "run", progress=False, log=listed)
    assert [row.step for row in listed.rows] == STEPS and listed.closed == [True]
    assert again.scores == result.scores
    times = [row.time for row in listed.rows]
    assert times == sorted(times)


def test_a_run_that_is_stopped_is_not_complete(tmp_path, listed):
    def stop(line):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        rnnzoo.train(CONFIG, tmp_path / "run", progress=False, log=listed, callbacks=[stop])
    assert listed.closed == [False]


def test_the_command_says_where_the_log_is(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.json").write_text(rnnzoo.to_json(CONFIG))
    assert command(["train", "config.json", "--workdir", "run", "--log", "csv"]) == 0
    assert "\nlog: run/log.csv\nrun folder: run\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("tensorbord", "no 'tensorbord' in loggers; did you mean TensorBoard"),
        (["csv", 3], "log has 3; accepted: a name, or a member of rnnzoo.loggers"),
        (_Lacking(), r"no_such_package is not installed; accepted: pip install 'rnnzoo\[_lacking\]'"),
    ],
)
def test_what_cannot_be_logged_to_is_refused_before_anything_is_written(tmp_path, log, message):
    with pytest.raises(UsageError, match=message):
        rnnzoo.train(CONFIG, tmp_path / "run", progress=False, log=log)
    assert not (tmp_path / "run").exists()


def test_every_logger_with_a_package_has_an_extra_of_its_name():
    import tomllib

    extras = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for name in loggers.__all__:
        if getattr(getattr(loggers, name), "package", ""):
            assert name.lower() in extras, name


def test_hyperparameters_are_flat():
    found = {name: value for name, value, _ in flattened(CONFIG)}
    assert found["cell"] == "GRU" and found["cell.structure.bandwidth"] == 1 and found["eval_lengths"] == "1, 2"
    assert all(isinstance(value, (bool, int, float, str)) for value in found.values())
    changed = {name for name, _, is_default in flattened(CONFIG) if not is_default}
    assert {"lr", "seed", "cell.structure"} <= changed and not changed & {"batch_size", "cell.structure.bandwidth"}
    blocks = rnnzoo.models.presets.griffin(width=16, layers=3).stack
    assert {"pattern.0", "pattern.0.norm"} <= {name for name, _, _ in flattened(blocks)}


def test_an_online_run_gets_only_the_rows_that_it_lacks(tmp_path):
    """Against a stand-in for wandb.init, whose runs were begun by an earlier process and have steps 1 and 2."""
    from rnnzoo.loggers.logs import logged_run, rows_of
    from rnnzoo.loggers.weights_and_biases import _Runs

    class Wandb:
        class settings:
            mode = "online"

        starting_step, logged = 3, []

        def setup(self):
            return self

        def init(self, **settings):
            assert settings["resume"] == "allow"
            return self

        def log(self, numbers, step):
            self.logged.append(step)

    tmp_path.joinpath("run").mkdir()
    lines = [{"step": t, "loss": [1.0, 2.0], "grad_norm": [1.0, 2.0], "seconds": t} for t in STEPS]
    _Runs(Wandb(), logged_run(CONFIG, tmp_path / "run"), "p", None).write(rows_of(CONFIG, lines))
    assert Wandb.logged == [3, 4, 3, 4]
