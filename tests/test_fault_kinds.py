"""The kinds of faults in files that others give, in short; and what each of them once found."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from faults import configs, disks, models, texts
from faults.models import PLAIN, some_params
from faults.tally import merged

import rnnzoo
from rnnzoo import UsageError
from rnnzoo.training.arrays import read_arrays
from rnnzoo.training.config import load_config

ROOT = Path(__file__).parents[1]


SHORT = {
    "damaged models": lambda: models.damaged_models(60, 3),
    "malformed texts": lambda: texts.malformed_texts(34, 3),
    "full checkpoints": lambda: disks.full_checkpoints(18, 64),
    "full model folders": lambda: disks.full_model_folders(1, 16),
}
LONG = {
    "damaged models": lambda: models.damaged_models(1000, 4),
    "malformed texts": lambda: texts.malformed_texts(200, 4),
    "full checkpoints": lambda: disks.full_checkpoints(0, 1),
    "full model folders": lambda: disks.full_model_folders(0, 1),
}
# In a process of their own: under pytest, beartype compiles whatever is called first, and complains of wrong types.
SHORT_APART = """
hostile.hostile_folders(0, 6)
configs.malformed_configs(200, 3)
config_files.malformed_config_files(40, 3)
"""
LONG_APART = """
hostile.hostile_folders(0, 1)
configs.malformed_configs(1500, 4)
config_files.malformed_config_files(500, 4)
"""


def _check(tally):
    if not tally.was_run:
        pytest.skip(tally.kind)
    assert tally.is_good, (tally.failures, tally.planted, tally.found)
    assert tally.outcomes.total() > 0


@pytest.mark.parametrize("kind", SHORT)
def test_a_kind_of_fault(kind):
    _check(SHORT[kind]())


@pytest.mark.slow
@pytest.mark.parametrize("kind", LONG)
def test_more_of_a_kind_of_fault(kind):
    _check(LONG[kind]())


def _check_apart(folder: Path, kinds: str):
    kinds = ", ".join(kinds.split("\n")[1:-1])
    code = f"""import pathlib
from tests.faults import config_files, configs, hostile, tally
tally.write([{kinds}], pathlib.Path({str(folder / "tally.json")!r}))"""
    env = {name: value for name, value in os.environ.items() if name != "RNNZOO_CHECK_SHAPES"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=True)
    for tally in merged([folder / "tally.json"]):
        _check(tally)


def test_kinds_of_faults_in_a_process_of_their_own(tmp_path):
    _check_apart(tmp_path, SHORT_APART)


@pytest.mark.slow
def test_more_of_them_in_a_process_of_their_own(tmp_path):
    _check_apart(tmp_path, LONG_APART)


# ---- what they found -------------------------------------------------------------------------------------


def test_a_full_disk_is_no_error_of_the_package_that_writes_arrays(tmp_path, monkeypatch):
    import safetensors.numpy

    def full(arrays, path: Path, metadata):
        path.write_bytes(b"x")
        raise safetensors.SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(UsageError, match=r"cannot write .*: No space left on device"):
        rnnzoo.save_model(tmp_path / "m", PLAIN, some_params(PLAIN))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("raw", [b"", b"PK\3\4", b"x" * 100, b"\x93NUMPY\x01\x00"], ids=ascii)
def test_arrays_in_no_npz_file_are_refused(tmp_path, raw):
    (tmp_path / "arrays.npz").write_bytes(raw)
    with pytest.raises(ValueError, match="it is not in numpy"):
        read_arrays(tmp_path / "arrays.npz", {"a": np.ones(3)})


CONFIG = "from rnnzoo import cells, tasks\nfrom rnnzoo.config import Config\n"
CONFIG += "config = Config(task=tasks.Parity(), cell=cells.GRU(hidden_size=4))\n"
VALUE = "class R:\n    __repr__ = lambda self: {}\nconfig = R()"
BAD = {
    "value that cannot be shown": (VALUE.format("1 / 0"), "defines config = <R"),
    "value that ends the process": (VALUE.format("exit(3)"), "odd_config.py:5: SystemExit: 3"),
    "value that is long": ("config = 'text' * 10**6", "defines config = 'text"),
    "error that is long": ("raise ValueError('text ' * 10**6)", "odd_config.py:4: ValueError: text text"),
    "error that ends the process": (
        "class E(Exception):\n    __str__ = lambda self: exit(3)\nraise E",
        "odd_config.py:6: E: ",
    ),
    "field that was forced": ("object.__setattr__(config, 'lr', float('nan'))", "Config.lr is nan; accepted"),
    "field that is gone": ("object.__delattr__(config, 'task')", "odd_config.py: AttributeError: "),
    "module that is gone": ("import sys\ndel sys.modules[__name__]\nraise ValueError", "odd_config.py:6: ValueError"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_config_file_is_refused_in_short(tmp_path, case):
    code, message = BAD[case]
    (tmp_path / "odd_config.py").write_text(CONFIG + code)
    with pytest.raises(UsageError) as error:
        load_config(str(tmp_path / "odd_config.py"))
    assert message in str(error.value) and len(str(error.value)) < 1500


def test_an_array_in_the_place_of_a_name_is_refused():
    with pytest.raises(UsageError, match=r"Config.optimizer is array"):
        dataclasses.replace(configs.CONFIG, optimizer=np.zeros(0))  # of which numpy does not say whether it is "sgd"
