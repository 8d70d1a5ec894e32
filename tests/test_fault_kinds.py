"""The kinds of faults in files that others give, in short; and what each of them once found."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from faults import disks, models
from faults.models import PLAIN, some_params
from faults.tally import merged

import rnnzoo
from rnnzoo import UsageError
from rnnzoo.training.arrays import read_arrays

ROOT = Path(__file__).parents[1]


def _hostile(shard: int, shards: int):
    """In a process of its own: under pytest, beartype compiles whatever is called first."""
    code = "import pathlib, sys; from tests.faults import hostile, tally; "
    code += f"tally.write([hostile.hostile_folders({shard}, {shards})], pathlib.Path(sys.argv[1]))"
    env = {name: value for name, value in os.environ.items() if name != "RNNZOO_CHECK_SHAPES"}
    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", code, f"{folder}/tally.json"], cwd=ROOT, env=env, check=True)
        return merged([Path(folder) / "tally.json"])[0]


SHORT = {
    "damaged models": lambda: models.damaged_models(60, 3),
    "hostile models": lambda: _hostile(0, 6),
    "full checkpoints": lambda: disks.full_checkpoints(18, 32),
    "full model folders": lambda: disks.full_model_folders(1, 8),
}
LONG = {
    "damaged models": lambda: models.damaged_models(1000, 4),
    "hostile models": lambda: _hostile(0, 1),
    "full checkpoints": lambda: disks.full_checkpoints(0, 1),
    "full model folders": lambda: disks.full_model_folders(0, 1),
}


def _check(tally):
    if not tally.was_run:
        pytest.skip(tally.kind)
    assert tally.is_good, (tally.failures, tally.planted, tally.found)
    assert len(tally.outcomes) > 1


@pytest.mark.parametrize("kind", SHORT)
def test_a_kind_of_fault(kind):
    _check(SHORT[kind]())


@pytest.mark.slow
@pytest.mark.parametrize("kind", LONG)
def test_more_of_a_kind_of_fault(kind):
    _check(LONG[kind]())


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
