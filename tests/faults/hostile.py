"""Crafted model folders: nothing runs, nothing outside is read or written, each is refused at once or does nothing."""

import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np

from rnnzoo.spec import UsageError
from rnnzoo.store import model_folder
from rnnzoo.store.model_folder import WEIGHTS, Trained, load_model
from rnnzoo.store.trained import trained_run

from . import watch
from .crafted import HARMLESS, REFUSED, Craft, linked, one, put
from .models import TEXT, is_same, save_all
from .tally import REFUSED as IS_REFUSED
from .tally import SAME, SILENT, TRACEBACK, Tally
from .watch import WATCH, TooLong

LONGEST = 1500  # characters of a message
Reader = Callable[[Path], Any]


def _load(folder: Path) -> Trained:
    return load_model(folder, warn=lambda text: None)


def _from_command(folder: Path) -> Trained:
    """As evaluate, export, show and sample read it."""
    return trained_run(folder, "last", 0, lambda text: None)


class Sound:
    """The folders that each hostile one begins as."""

    def __init__(self, root: Path):
        save_all(root / "sound")
        self.sound, self.outside, self.folder = root / "sound" / "text", root / "outside", root / "hostile"
        shutil.copytree(self.sound, self.outside)
        self.expected = load_model(self.sound)
        _from_command(self.sound)  # what Python imports late is there from now on

    def judge(self, craft: Craft, reader: Reader, is_harmless: bool) -> tuple[str, str]:
        """What reading a hostile folder comes to, and why that is wrong."""
        shutil.copytree(self.sound, self.folder)
        try:
            craft(self.folder, self.outside)
            before = _contents(self.outside) | _contents(self.folder)
            outcome, why = self._outcome(reader, is_harmless)
            if _contents(self.outside) | _contents(self.folder) != before:
                return SILENT, "it has written"
            return (outcome, why) if not WATCH.notes else (SILENT, f"{WATCH.notes}; {outcome}, {why}")
        finally:
            shutil.rmtree(self.folder)

    def _outcome(self, reader: Reader, is_harmless: bool) -> tuple[str, str]:
        found: list[Trained] = []
        try:
            WATCH.during(self.folder, lambda: found.append(reader(self.folder)))
        except (UsageError, OSError) as error:
            text = str(error)
            is_short = len(text) < LONGEST and (text.isprintable() or isinstance(error, OSError))
            return (IS_REFUSED if is_short and not is_harmless else SILENT), text[:LONGEST]
        except TooLong:
            return SILENT, "it does not end"
        except Exception as error:
            return TRACEBACK, f"{type(error).__name__}: {str(error)[:200]}"
        same = found[0].model == self.expected.model and _same_numbers(found[0], self.expected)
        return (SAME if is_harmless and same else SILENT), "it was read"


def _same_numbers(found: Trained, expected: Trained) -> bool:
    fields: dict[str, Any] = {"config": None, "no_config": "", "scores": {}}
    return is_same(Trained(**vars(found) | fields), Trained(**vars(expected) | fields))


def _contents(folder: Path) -> dict[str, Any]:
    """All that is in a folder, with what links say; files too large to have been written here by their size."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        is_file = path.is_file() and not path.is_symlink() and state.st_size < 2**24
        content = hashlib.sha256(path.read_bytes()).hexdigest() if is_file else ""
        found[str(path)] = (state.st_mode, state.st_size, state.st_mtime_ns, content)
    return found


def hostile_folders(shard: int, shards: int) -> Tally:
    """Every crafted folder, read by Python's door and by that of the commands."""
    tally = Tally("a crafted model folder: links, devices, names, checksums that fit")
    with TemporaryDirectory() as name:
        root = Path(name).resolve()
        here = Sound(root)
        crafts = [(n, c, False) for n, c in REFUSED.items()] + [(n, c, True) for n, c in HARMLESS.items()]
        for what, craft, is_harmless in crafts[shard::shards]:
            for reader in (_load, _from_command):
                outcome, why = here.judge(craft, reader, is_harmless)
                tally.add(outcome, f"{reader.__name__}, {what[:60]}: {why}")
        for craft, reader in _planted(here):
            outcome, _ = here.judge(craft, reader, False)
            tally.control(outcome == SILENT)
        with mock.patch.object(watch, "SECONDS", 0.2):
            craft = lambda folder, outside: os.mkfifo(folder / "pipe")  # noqa: E731
            outcome, _ = here.judge(craft, lambda folder: _refuse((folder / "pipe").read_text()), False)
            tally.control(outcome == SILENT)
        with mock.patch.object(watch, "MEGABYTES", 50):
            outcome, _ = here.judge(one(np.nan), lambda folder: _refuse(b"x" * 2**28), False)
            tally.control(outcome == SILENT)
        with mock.patch.object(model_folder, "check_finite", lambda *args: None):
            tally.control(here.judge(one([np.nan] * TEXT.output_size), _load, False)[0] == SILENT)
    return tally


def _planted(here: Sound) -> list[tuple[Craft, Reader]]:
    """Readers that fall for it. Each refuses in the end, as if nothing had been."""
    harmless = lambda folder, outside: put(folder, WEIGHTS, pickle.dumps(os.getcwd))  # noqa: E731
    nothing = lambda folder, outside: None  # noqa: E731
    return [
        (harmless, lambda folder: _refuse(pickle.loads((folder / WEIGHTS).read_bytes()))),
        (linked(WEIGHTS), lambda folder: _refuse((folder / WEIGHTS).read_bytes())),
        (linked(WEIGHTS), lambda folder: _refuse((folder / WEIGHTS).write_bytes(b"x"))),
        (nothing, lambda folder: _refuse(compile("1", "", "eval"))),
        (nothing, lambda folder: _refuse((here.outside / "config.json").read_text())),
        (nothing, load_model),
        (nothing, lambda folder: _refuse(None, "x" * 10**5)),
    ]


def _refuse(done: Any, message: str = "refused") -> None:
    raise UsageError(message)


__all__ = ["hostile_folders"]
