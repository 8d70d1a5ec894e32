"""A disk that is really full: a file system in memory with so many pages left, and a save that needs more."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from rnnzoo import cells
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.store import safetensors
from rnnzoo.store.model_folder import load_model, save_model
from rnnzoo.training import checkpoints
from rnnzoo.training.run_folder import RunFolder

from .models import is_same, some_params
from .runs import changed, contents, differences, strays, train
from .tally import NOT_RUN, REFUSED, SAME, SILENT, Tally, outcome_of

PAGE, SIZE, PAGES = 4096, 2**22, range(65)
CONFIG = changed(cell=cells.Elman(hidden_size=64))  # a checkpoint of about 15 pages, each kept twice
MODEL = Model(cell=cells.LSTM(hidden_size=64), input_size=8, output_size=8)  # about 20 pages


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[Path | None]:
    """A file system of its own on a new folder; None where this process may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    is_there = shutil.which("mount") is not None and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield folder if is_there else None
    finally:
        if is_there:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def leave(disk: Path, pages: int) -> None:
    """Fill the disk until so many of its pages are free."""
    found = os.statvfs(disk)
    with (disk / "filler").open("wb", buffering=0) as filler:
        filler.write(bytes((found.f_bfree - pages) * found.f_bsize))
    assert os.statvfs(disk).f_bfree == pages


def make_room(disk: Path) -> None:
    (disk / "filler").unlink(missing_ok=True)


def _empty(disk: Path) -> None:
    for path in disk.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


# ---- checkpoints -----------------------------------------------------------------------------------------


class _Saves:
    """Calls of `Checkpoints.save`: the disk has so many pages left from the second one on."""

    def __init__(self, disk: Path, pages: int):
        self.disk, self.pages, self.count, self.really = disk, pages, 0, checkpoints.Checkpoints.save

    def __call__(self, own: Any, *args: Any) -> None:
        self.count += 1
        if self.count == 2:
            leave(self.disk, self.pages)
        self.really(own, *args)


def _run_on(disk: Path, pages: int) -> bool:
    """Whether a run gets to its end on a disk with so many pages from its second checkpoint on."""
    saves = _Saves(disk, pages)
    with mock.patch.object(checkpoints.Checkpoints, "save", lambda *args: saves(*args)):
        try:
            train(disk / "run", CONFIG)
            return True
        except OSError as error:
            if "No space left on device" not in str(error):
                raise
            return False


def _checkpoint(disk: Path, pages: int, expected: dict[str, Any]) -> str:
    """What a run makes of it: then with room again."""
    is_done = _run_on(disk, pages)
    folder = RunFolder(disk / "run")
    is_kept = bool(folder.last.steps()) and all(folder.last.damage(step) is None for step in folder.last.steps())
    make_room(disk)
    train(disk / "run", CONFIG)
    is_right = not differences(expected, contents(disk / "run")) and not strays(disk / "run")
    return (SAME if is_done else REFUSED) if is_kept and is_right else SILENT


def full_checkpoints(shard: int, shards: int) -> Tally:
    """A run on each number of free pages."""
    tally = Tally("a real file system with 0 to 64 free pages when the second checkpoint is saved, then with room")
    with TemporaryDirectory() as name, mounted(Path(name) / "disk") as disk:
        if disk is not None:
            train(Path(name) / "twin", CONFIG)
            expected = contents(Path(name) / "twin")
            attempt = lambda pages: _checkpoint(disk, pages, expected)  # noqa: E731
            _each(tally, disk, attempt, PAGES[shard::shards])
            with _unnoticed(checkpoints, "write_arrays"):
                tally.control(_attempt(disk, attempt, 5)[0] == SILENT)
        else:
            _not_run(tally, PAGES[shard::shards])
    return tally


# ---- model folders ---------------------------------------------------------------------------------------


def _model(disk: Path, pages: int) -> str:
    """What saving a second model makes of it: then with room again."""
    params = some_params(MODEL)
    save_model(disk / "first", MODEL, params)
    expected = load_model(disk / "first")
    leave(disk, pages)
    try:
        save_model(disk / "second", MODEL, params)
        is_done = True
    except UsageError as error:
        if "No space left on device" not in str(error):
            raise
        is_done = False
    left = sorted(path.name for path in disk.iterdir())
    is_tidy = left == ["filler", "first", *["second"] * is_done]
    make_room(disk)
    if not is_done:
        save_model(disk / "second", MODEL, params)
    same = all(is_same(load_model(disk / name), expected) for name in ("first", "second"))
    return (SAME if is_done else REFUSED) if same and is_tidy else SILENT


def full_model_folders(shard: int, shards: int) -> Tally:
    """A save on each number of free pages."""
    tally = Tally("a real file system with 0 to 64 free pages when a model is saved, then with room")
    with TemporaryDirectory() as name, mounted(Path(name) / "disk") as disk:
        if disk is not None:
            attempt = lambda pages: _model(disk, pages)  # noqa: E731
            _each(tally, disk, attempt, PAGES[shard::shards])
            with _unnoticed(safetensors, "write"):
                tally.control(_attempt(disk, attempt, 5)[0] == SILENT)
        else:
            _not_run(tally, PAGES[shard::shards])
    return tally


# ---- both ------------------------------------------------------------------------------------------------


def _attempt(disk: Path, attempt: Callable[[int], str], pages: int) -> tuple[str, str]:
    """What came of it, and the error if that was wrong: a refusal when there is room again is no good end."""
    try:
        outcome, error = outcome_of(lambda: attempt(pages))
    finally:
        _empty(disk)
    return SILENT if outcome == REFUSED and error else outcome, error


def _each(tally: Tally, disk: Path, attempt: Callable[[int], str], pages: range) -> None:
    for free in pages:
        outcome, error = _attempt(disk, attempt, free)
        tally.add(outcome, f"{free} pages; {error}")


def _not_run(tally: Tally, pages: range) -> None:
    for free in pages:
        tally.add(NOT_RUN, f"{free} pages: mounting is not permitted")


@contextlib.contextmanager
def _unnoticed(module: Any, name: str) -> Iterator[None]:
    """A writer that goes on with an empty file where the disk is full: what must be found."""
    write = getattr(module, name)

    def careless(path: Path, *args: Any) -> None:
        try:
            write(path, *args)
        except OSError:
            path.write_bytes(b"")

    with mock.patch.object(module, name, careless):
        yield


__all__ = ["full_checkpoints", "full_model_folders", "mounted"]
