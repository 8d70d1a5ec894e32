"""The fuzzer in short: every parser for a moment, three bugs planted, and each bug that it has found."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnzoo import UsageError
from rnnzoo.training.arrays import read_arrays
from rnnzoo.training.record import Record, restored

ROOT = Path(__file__).parents[1]
SHORT = """
import random, sys, tempfile, time
from pathlib import Path
from tests.fuzz.limits import PARSERS, make, once
from tests.fuzz.recipes import recipes
for name in PARSERS:
    if name == "planted": continue
    with tempfile.TemporaryDirectory() as folder:
        parser, chance = make(name, Path(folder)), random.Random(0)
        seeds = [*parser.known, *recipes(parser.known, parser.first)]
        inputs, began, tried = iter(seeds), time.process_time(), 0
        while time.process_time() < began + 1:
            data = bytearray(next(inputs, b"") or chance.choice(seeds))
            for _ in range(chance.randrange(8) if tried >= len(seeds) else 0):
                data[chance.randrange(len(data))] = chance.randrange(256)
            try:
                once(parser, bytes(data))
            except BaseException:
                print(name, "crashed by", bytes(data), file=sys.stderr)
                raise
            tried += 1
        print(name, tried)
"""


@pytest.mark.slow  # .ci/run fuzzes every parser for longer
def test_every_parser_for_a_second():
    done = subprocess.run([sys.executable, "-c", SHORT], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert all(int(line.split()[1]) > 10 for line in done.stdout.splitlines()) and len(done.stdout.splitlines()) == 9


@pytest.mark.parametrize("data", [b"bug", b"bus", b"bum"], ids=["exception", "time", "memory"])
def test_what_is_a_crash(data):
    code = f"from tests.fuzz.limits import *; bad = make('planted', Path('.')); once(bad, b'x'); once(bad, {data})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert {b"bug": "KeyError", b"bus": "processor time", b"bum": "memory has grown"}[data] in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not here")
def test_a_planted_bug_is_found(tmp_path):
    args = [sys.executable, "-m", "tests.fuzz", "--parser", "planted", "--crashes", str(tmp_path)]
    done = subprocess.run([*args, "--seconds", "90"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "crashed by" in done.stdout, done.stdout[-4000:]
    (crash,) = tmp_path.iterdir()
    assert crash.read_bytes()[:2] == b"bu"
    again = subprocess.run([*args, "--input", str(crash)], cwd=ROOT, capture_output=True, text=True)
    assert again.returncode != 0 and "Traceback" in again.stderr


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not here")
def test_every_parser_for_minutes(tmp_path):
    args = [sys.executable, "-m", "tests.fuzz", "--seconds", "180", "--crashes", str(tmp_path)]
    done = subprocess.run(args, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.count("0 crashes") == 9, done.stdout[-4000:]


# ---- what it has found -----------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"\x93NUMPY"], ids=["empty", "no files", "no zip"])
def test_what_is_no_npz_file(content, tmp_path):
    (tmp_path / "arrays.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"not in numpy's .npz format|only one of the two has|^arrays.npz: "):
        read_arrays(tmp_path / "arrays.npz", {"w": np.zeros(2)})


def test_an_entry_of_an_npz_file_that_is_no_array(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "arrays.npz", "w") as file:
        file.writestr("['w'].npy", b"no array")
    with pytest.raises(ValueError, match=r"is no array"):
        read_arrays(tmp_path / "arrays.npz", {"w": np.zeros(2)})


STRANGE = [{"a": 1}, "x", 10**400, [1.0], True, {"step": 3}]


@pytest.mark.parametrize("value", STRANGE, ids=str)
def test_a_line_and_a_record_with_something_else(value):
    for field in ("loss", "validation", "scores"):
        with pytest.raises(ValueError):
            restored({"step": 1, "loss": [1.0], field: [value] if field == "loss" else {"error": [value]}})
    for field in ("lines", "best", "step"):
        data = {"step": 3, field: [value] if field == "lines" else value}
        if field != "step" or type(value) is not int:
            with pytest.raises(UsageError, match="the record"):
                Record.from_json(data, "the record")


@pytest.mark.parametrize("field", ["loss", "validation", "scores"])
def test_a_line_without_the_values_of_any_seed(field):
    with pytest.raises(ValueError, match="not the values of all seeds"):
        restored({"step": 1, "loss": [1.0], field: [] if field == "loss" else {"error": []}})
