"""What the tests of tasks on files share: small files in place of published ones, and the real ones."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

import rnnzoo
from rnnzoo.tasks.files import VARIABLE, DataSet

REAL = pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} is not set")


@pytest.fixture
def data_dir(tmp_path, monkeypatch) -> Path:
    """A data directory, and the only one."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path


def unchecked(files: DataSet) -> DataSet:
    """The same files with any content."""
    return dataclasses.replace(files, files=tuple(dataclasses.replace(f, sha256="") for f in files.files))


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def open_real(task: Any) -> Any:
    """The data of a task, skipping the test if its files are in no data directory."""
    try:
        return task.open()
    except rnnzoo.UsageError as error:
        if "needs files that are not there" not in str(error):
            raise
        pytest.skip(str(error)[:80])
