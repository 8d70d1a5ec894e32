"""A user's script: it runs, mypy and basedpyright find nothing in it, and find what is wrong in another."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import user_script

ROOT = Path(__file__).parents[1]
WRONG = """import jax

from rnnzoo import cells, make_stepper, run, structures, tasks
from rnnzoo.config import Config

cell = cells.LSTM(hidden_size=8)
params = cell.init(jax.random.key(0), input_size=3)
cells.LSTM(hiden_size=8)
structures.Banded(bandwidth="1")
run(cells.LSTM, params, jax.numpy.zeros((5, 2, 3)))
make_stepper(cell, params, batch=2)
Config(task=tasks.Parity(), cell=cell, optimizer="adan")
"""
LINES = {8, 9, 10, 11, 12}  # where it is wrong


def test_a_users_script_runs(tmp_path):
    value, shapes = user_script.of_arrays()
    assert value > 0 and shapes == (5, 2, 8, 2, 8)
    assert user_script.of_gates() == 3 * (4 * 3 + 4) + 4 + 4 * 4 + 2 * 4  # w, b; c; U of n, r and z
    assert user_script.of_models() == (2, 2, 2, 4)
    assert user_script.of_streams() == (1, 2, 4, 1, 1, 1)
    found = user_script.of_training(tmp_path)
    assert 0 <= found["bit_error"] <= 1 and (found["seen"], found["loaded"]) == (2, 1)


@pytest.fixture
def outside(tmp_path):
    """Both scripts, outside of the checkout."""
    shutil.copy(user_script.__file__, tmp_path / "right.py")
    (tmp_path / "wrong.py").write_text(WRONG)
    return tmp_path


def said(*command: str, cwd: Path) -> str:
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-m", *command], cwd=cwd, env=environment, capture_output=True, text=True)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return ran.stdout


def test_mypy(outside):
    pytest.importorskip("mypy")
    # As for an installed package, what is in rnnzoo itself is not reported. optax says nothing of its types.
    options = ("--strict", "--follow-imports", "silent", "--disable-error-code", "import-untyped", "--no-pretty")
    cache = ("--cache-dir", str(ROOT / ".pytest_cache" / "d" / "mypy"))
    found = re.findall(r"^(\w+)\.py:(\d+): error", said("mypy", *options, *cache, ".", cwd=outside), re.M)
    assert {file for file, _ in found} == {"wrong"}
    assert {int(line) for _, line in found} == LINES


def test_basedpyright(outside):
    pytest.importorskip("basedpyright")
    settings = {"typeCheckingMode": "standard", "extraPaths": [str(ROOT)]}
    (outside / "pyrightconfig.json").write_text(json.dumps(settings))
    report = json.loads(said("basedpyright", "--outputjson", "--pythonpath", sys.executable, cwd=outside))
    errors = [d for d in report["generalDiagnostics"] if d["severity"] == "error"]
    assert {Path(d["file"]).name for d in errors} == {"wrong.py"}
    assert {d["range"]["start"]["line"] + 1 for d in errors} == LINES
