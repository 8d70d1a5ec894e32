"""The run folder: configuration, metrics, checkpoints, and a lock."""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from rnnzoo.spec import UnknownMember, UsageError
from rnnzoo.spec_json import to_json
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Data
from rnnzoo.training.checkpoints import Checkpoints, write_whole
from rnnzoo.training.config import Config, difference, read_config, read_text
from rnnzoo.training.definitions import DEFINITIONS, definitions, to_text
from rnnzoo.training.symbols import SYMBOLS, read_symbols


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
        write_whole(self.path / name, text)

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


__all__ = ["RunFolder"]
