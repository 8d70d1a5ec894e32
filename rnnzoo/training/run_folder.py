"""The run folder: configuration, metrics, checkpoints with checksums, and a lock."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import jax
import numpy as np

from rnnzoo.spec import UnknownMember, UsageError
from rnnzoo.spec_json import to_json
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Data
from rnnzoo.training.config import Config, difference, read_config, read_text
from rnnzoo.training.definitions import DEFINITIONS, definitions, to_text
from rnnzoo.training.symbols import SYMBOLS, read_symbols
from rnnzoo.typing import PyTree

Warn = Callable[[str], None]
PLACE = "data.json"  # in a checkpoint


class Checkpoints:
    """Checkpoints of one kind, ``<folder>/<step>``, each with its checksums in ``<folder>/<step>.sha256``."""

    def __init__(self, folder: Path, keep: int):
        self.folder, self.keep = folder.resolve(), keep  # orbax needs absolute paths

    def steps(self) -> list[int]:
        """The steps saved, newest first."""
        return sorted((int(p.name) for p in self.folder.glob("[0-9]*") if p.name.isdigit()), reverse=True)

    def save(self, step: int, tree: PyTree, place: Any = None) -> None:
        """Write a checkpoint and its checksums, then remove the oldest beyond `keep`. Returns when all is on disk.

        `place` is a JSON value kept with the arrays: where iterators over training data are."""
        import orbax.checkpoint as ocp

        path = self.folder / str(step)
        if path.exists():
            self._set_aside(step)
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(path, _without_empty(tree))
            checkpointer.wait_until_finished()
        if place is not None:
            _write(path / PLACE, json.dumps(place))
        _write(self._manifest(step), json.dumps(_checksums(path), indent=1))
        for old in self.steps()[self.keep :]:
            shutil.rmtree(self.folder / str(old))
            self._manifest(old).unlink(missing_ok=True)

    def restore(self, like: PyTree, warn: Warn) -> tuple[int, PyTree] | None:
        """The newest intact checkpoint: (step, tree like `like`). Damaged ones are skipped, with a warning.

        Changes nothing: another process may be training, and may be writing or removing the checkpoint just now."""
        tried: set[int] = set()
        while steps := [s for s in self.steps() if s not in tried]:
            tried.add(step := steps[0])
            reason = self._damage(step)
            if reason is None:
                try:
                    return step, self._load(step, like)
                except OSError as error:
                    reason = f"cannot be read: {error}"
            then = f"falling back to step {steps[1]}" if steps[1:] else "no older one is left"
            warn(f"the checkpoint of step {step} is damaged or not finished ({reason}); {then}")
        return None

    def place(self, step: int) -> Any:
        """What `save` was given as `place`; None if that was nothing."""
        path = self.folder / str(step) / PLACE
        return json.loads(read_text(path)) if path.exists() else None

    def set_aside_newer(self, step: int) -> None:
        """Rename the checkpoints that `restore` skipped on its way to `step`. Only for the holder of the run's lock."""
        for newer in self.steps():
            if newer > step:
                self._set_aside(newer)

    def _load(self, step: int, like: PyTree) -> PyTree:
        import orbax.checkpoint as ocp

        with ocp.StandardCheckpointer() as checkpointer:
            try:
                return _with_empty(checkpointer.restore(self.folder / str(step), _without_empty(like)), like)
            except ValueError as error:
                raise UsageError(f"{self.folder / str(step)} does not fit this configuration: {error}") from error

    def _damage(self, step: int) -> str | None:
        """What is wrong with a checkpoint's files; None if all are as they were written."""
        path, manifest = self.folder / str(step), self._manifest(step)
        try:
            expected = dict(json.loads(manifest.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return f"{manifest.name} is missing or not readable"
        try:
            actual = _checksums(path)
        except OSError as error:
            return f"cannot be read: {error}"
        for name in sorted(expected.keys() | actual.keys()):
            if expected.get(name) != actual.get(name):
                return f"{step}/{name} is not what was written"
        return None

    def _set_aside(self, step: int) -> None:
        """Keep a damaged checkpoint for inspection, under a name that no reader takes for a checkpoint."""
        number = 0
        while (aside := self.folder / f"damaged-{step}-{number}").exists():
            number += 1
        (self.folder / str(step)).rename(aside)
        self._manifest(step).unlink(missing_ok=True)

    def _manifest(self, step: int) -> Path:
        return self.folder / f"{step}.sha256"


def _without_empty(tree: PyTree) -> PyTree:
    """None in place of empty arrays, such as a parameter of `Masked`, which orbax refuses to store."""
    return jax.tree.map(lambda a: a if a.size else None, tree)


def _with_empty(tree: PyTree, like: PyTree) -> PyTree:
    """The empty arrays back in their places."""
    return jax.tree.map(lambda a, found: np.zeros(a.shape, a.dtype) if found is None else found, like, tree)


def _checksums(path: Path) -> dict[str, str]:
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def _write(path: Path, text: str) -> None:
    """Write a file so that a crash leaves either the old one or the new one, whole."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


class RunFolder:
    """One training run's files: config.json, definitions.json, metrics.jsonl, final.json, curves.png, checkpoints/."""

    def __init__(self, path: Path):
        self.path = path
        self.last = Checkpoints(path / "checkpoints" / "last", keep=2)
        self.best = Checkpoints(path / "checkpoints" / "best", keep=1)
        self._lock: IO[str] | None = None

    def check_data(self, task: Task, data: Data) -> None:
        """Raise `UsageError` if the run began with other data, say another text under the same path.

        The fingerprint is of token numbers, so that replacing each letter by the next does not change it: the
        characters are compared as well."""
        path, symbols = self.path / "data.sha256", self.symbols()
        same = not path.exists() or read_text(path).strip() == data.fingerprint
        if not same or (symbols is not None and symbols != data.symbols):
            raise UsageError(
                f"the data have changed since the run in {self.path} began; accepted: the old data at {task}, "
                "or another --workdir to train on the new ones"
            )

    def symbols(self) -> str | None:
        """The characters by token with which the run began; None if it has none, or is too old to have kept them."""
        path = self.path / SYMBOLS
        if not path.exists() or read_text(path).strip().isdigit():  # CopyMemory once wrote a number there by mistake
            return None
        return read_symbols(path)

    def check(self, config: Config) -> None:
        """Raise `UsageError` if the folder holds anything but a run of this configuration."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise UsageError(f"{self.path} is a file; accepted: a run folder, or a new name")
        if not (self.path / "config.json").exists():
            if any(p.name != "lock" for p in self.path.iterdir()):
                raise UsageError(f"{self.path} is not empty and holds no run; accepted: a run folder, or a new name")
            return
        with contextlib.suppress(UnknownMember):  # all members of `config` are known
            if self.config() == config:
                return
        lines = difference(read_text(self.path / "config.json").rstrip(), to_json(config, indent=1))
        raise UsageError(f"{self.path} belongs to another configuration:\n{lines}\nGive another --workdir.")

    def config(self) -> Config:
        """The configuration of the run in the folder."""
        if not self.path.is_dir():
            raise UsageError(f"no run folder {str(self.path)!r}")
        if (self.path / "model.safetensors").exists():
            raise UsageError(f"{self.path} is a model folder, without a checksum of its data; accepted: a run folder")
        return read_config(self.path / "config.json")

    def open(self, config: Config, data: Data) -> None:
        """Create the folder, or lock the one that is there. Raises `UsageError` if another process has locked it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = (self.path / "lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.seek(0)
            owner = self._lock.read().strip() or "another process"
            raise UsageError(f"{self.path} is in use by {owner}") from None
        self._lock.truncate(0)
        self._lock.write(f"process {os.getpid()} on {socket.gethostname()}")
        self._lock.flush()
        if not (self.path / "config.json").exists():
            self.write("data.sha256", data.fingerprint + "\n")
            if data.symbols is not None:
                self.write(SYMBOLS, json.dumps(data.symbols) + "\n")
            if own := definitions(config):
                self.write(DEFINITIONS, to_text(own))
            self.write("config.json", to_json(config, indent=1) + "\n")

    def close(self) -> None:
        """Unlock the folder."""
        if self._lock is not None:
            self._lock.close()

    def write(self, name: str, text: str) -> None:
        """Write a whole file."""
        _write(self.path / name, text)

    def log(self, record: dict[str, Any]) -> None:
        """Append one line to metrics.jsonl."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def records(self) -> Iterator[dict[str, Any]]:
        """The lines of metrics.jsonl, without one that a crash left unfinished."""
        path = self.path / "metrics.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                yield json.loads(line)
            except ValueError:
                continue

    def rewind(self, step: int) -> None:
        """Drop the metrics after `step`: those steps will run again."""
        kept = [json.dumps(r) for r in self.records() if r["step"] <= step]
        self.write("metrics.jsonl", "".join(line + "\n" for line in kept))


__all__ = ["Checkpoints", "RunFolder"]
