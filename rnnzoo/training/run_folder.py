"""The run folder: what a run began with, metrics, checkpoints, and a lock.

run.json is the one source of what the run began with: a folder is a run from the moment that it is there.
config.json, data.sha256, symbols.json and definitions.json are parts of it for people and for other programs, and
metrics.jsonl is a part of the record in the newest checkpoint. Each is written again where it is missing, and refused
where it says something else.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from rnnzoo.disk import append, is_temporary, parse_json, read_json, read_text, write_whole
from rnnzoo.spec import UnknownMember, UsageError
from rnnzoo.spec_json import to_dict, to_json
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Data
from rnnzoo.training.begun import CONFIG, DATA, RUN, Begun, begin, fixed, identity_of, parts_of, read_begun, update
from rnnzoo.training.checkpoints import Checkpoints
from rnnzoo.training.config import Config, difference, read_config
from rnnzoo.training.definitions import DEFINITIONS, read_specification
from rnnzoo.training.lock import NAME as LOCK
from rnnzoo.training.lock import Lock
from rnnzoo.training.record import Line, finite, restored
from rnnzoo.training.symbols import SYMBOLS, read_symbols

METRICS = "metrics.jsonl"


class RunFolder:
    """One training run's files."""

    def __init__(self, path: Path):
        self.path = path
        self.last = Checkpoints(path / "checkpoints" / "last", keep=2, identity=self.identity)
        self.best = Checkpoints(path / "checkpoints" / "best", keep=1, identity=self.identity)
        self.lock = Lock(path)

    # ---- what the run began with ----

    def begun(self) -> Begun | None:
        """What the run began with; None if there is no run.json, as in a folder of the first edition."""
        begun, file = read_begun(self.path / RUN), self.path / CONFIG
        if begun is not None and file.is_file():
            with contextlib.suppress(UsageError):  # which `config` will say
                present = read_json(file)
                if isinstance(present, dict) and fixed(present) == fixed(begun["config"]):
                    update(begun, present)
        return begun

    def identity(self) -> str | None:
        """What binds checkpoints to what the run began with."""
        begun = self.begun()
        return None if begun is None else identity_of(begun)

    def config(self) -> Config:
        """The configuration of the run in the folder."""
        if not self.path.is_dir():
            raise UsageError(f"no run folder {str(self.path)!r}")
        if (self.path / "model.safetensors").exists():
            raise UsageError(f"{self.path} is a model folder, without a checksum of its data; accepted: a run folder")
        if (begun := self.begun()) is None:
            return read_config(self.path / CONFIG)
        self._check_parts(begun)
        config = read_specification(json.dumps(begun["config"]), self.path / RUN)
        if not isinstance(config, Config):
            raise UsageError(f"{self.path / RUN} holds no configuration of a training run")
        return config

    def symbols(self) -> str | None:
        """The characters by token with which the run began; None if it has none, or is too old to have kept them."""
        if (begun := self.begun()) is not None:
            return begun.get("symbols")
        path = self.path / SYMBOLS
        if not path.exists() or read_text(path).strip().isdigit():  # CopyMemory once wrote a number there by mistake
            return None
        return read_symbols(path)

    def _fingerprint(self) -> str | None:
        if (begun := self.begun()) is not None:
            return begun["data"]
        path = self.path / DATA
        return read_text(path).strip() if path.exists() else None

    def _check_parts(self, begun: Begun) -> None:
        """Raise `UsageError` for a file that says something else than run.json, of those that decide on results."""
        for name, text in parts_of(begun).items():
            file = self.path / name
            if name == DEFINITIONS or not file.exists() or (found := read_text(file)) == text:
                continue
            lines = f":\n{difference(text, found)}\n" if name == CONFIG else "; "
            raise UsageError(
                f"{file} is not what the run began with{lines}Accepted: {name} as it was; without it, it is written "
                "again when the run goes on"
            )

    # ---- checks before anything is written ----

    def check(self, config: Config) -> None:
        """Raise `UsageError` if the folder holds anything but a run of this configuration."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise UsageError(f"{self.path} is a file; accepted: a run folder, or a new name")
        if not self.is_run():
            strange = [p.name for p in self.path.iterdir() if p.name not in (LOCK, DATA, SYMBOLS, DEFINITIONS)]
            if not all(map(is_temporary, strange)):
                raise UsageError(f"{self.path} is not empty and holds no run; accepted: a run folder, or a new name")
            return
        with contextlib.suppress(UnknownMember):  # all members of `config` are known
            own = self.config()
            if fixed(to_dict(own)) == fixed(to_dict(config)):
                return
            lines = difference(to_json(own, indent=1), to_json(config, indent=1))
            raise UsageError(f"{self.path} belongs to another configuration:\n{lines}\nGive another --workdir.")
        begun = self.begun()
        text = read_text(self.path / CONFIG) if begun is None else json.dumps(begun["config"], indent=1)
        lines = difference(text.rstrip(), to_json(config, indent=1))
        raise UsageError(f"{self.path} belongs to another configuration:\n{lines}\nGive another --workdir.")

    def is_run(self) -> bool:
        """Whether a run has begun here."""
        return (self.path / RUN).exists() or (self.path / CONFIG).exists()

    def check_data(self, task: Task, data: Data) -> None:
        """Raise `UsageError` if the run began with other data, say another text under the same path.

        The fingerprint is of token numbers, so that replacing each letter by the next does not change it: the
        characters are compared as well."""
        if not self.is_run():
            return
        fingerprint, symbols = self._fingerprint(), self.symbols()
        same = fingerprint is None or fingerprint == data.fingerprint
        if not same or (symbols is not None and symbols != data.symbols):
            raise UsageError(
                f"the data have changed since the run in {self.path} began; accepted: the old data at {task}, "
                "or another --workdir to train on the new ones"
            )

    # ---- for the owner ----

    def open(self, config: Config, data: Data, environment: dict[str, str] | None = None) -> None:
        """Make the folder or take the one that is there, lock it, and check it again: another process may have come
        first. Then write what it lacks.

        Raises:
            UsageError: another process has locked it, or it is not a run of this configuration and data.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.lock.acquire()
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror}") from None
        try:
            self.check(config)
            self.check_data(config.task, data)
            self._check_links()
            begun = self.begun() or begin(config, data, environment or {})
            update(begun, to_dict(config))
            text = json.dumps(begun, indent=1, allow_nan=False) + "\n"
            self._write_if_other(RUN, text)
            for name, part in parts_of(begun).items():
                self._write_if_other(name, part)
            self._remove_unfinished()
        except BaseException:
            self.lock.release()
            raise

    def _remove_unfinished(self) -> None:
        for left in self.path.glob(".*.tmp"):
            left.unlink()
        self.last.remove_unfinished()
        self.best.remove_unfinished()

    def _check_links(self) -> None:
        for name in ("checkpoints", "checkpoints/last", "checkpoints/best"):
            if (self.path / name).is_symlink():
                raise UsageError(f"{self.path / name} is a link, and is not written through; accepted: a folder")

    def _write_if_other(self, name: str, text: str) -> None:
        file = self.path / name
        if file.is_symlink() or not file.exists() or read_text(file) != text:
            self.write(name, text)

    def close(self) -> None:
        """Unlock the folder."""
        self.lock.release()

    def write(self, name: str, text: str) -> None:
        """Write a whole file."""
        write_whole(self.path / name, text)

    def remove_results(self) -> None:
        """Remove the results of a run that goes on: they are those of fewer steps. Scores stay in metrics.jsonl."""
        for name in ("final.json", "curves.png"):
            (self.path / name).unlink(missing_ok=True)

    # ---- metrics.jsonl ----

    def log(self, line: Line) -> None:
        """Append one line to metrics.jsonl."""
        append(self.path / METRICS, json.dumps(finite(line)) + "\n")

    def write_metrics(self, lines: list[Line]) -> bool:
        """Make metrics.jsonl these lines and no others. Whether one of them was missing or another."""
        text = "".join(json.dumps(finite(line)) + "\n" for line in lines)
        with contextlib.suppress(UsageError):
            if (found := read_text(self.path / METRICS)) == text:
                return False
            if found.startswith(text):
                self.write(METRICS, text)
                return False
        self.write(METRICS, text)
        return bool(lines)

    def records(self) -> Iterator[Line]:
        """The lines of metrics.jsonl, without any that are damaged."""
        path = self.path / METRICS
        for line in read_text(path).splitlines() if path.exists() else ():
            with contextlib.suppress(ValueError):
                yield restored(parse_json(line, METRICS))

    def has_saved(self) -> bool:
        """Whether the run had got as far as its first checkpoint."""
        if self.last.folder.is_dir() and any(not p.name.startswith(".") for p in self.last.folder.iterdir()):
            return True
        with contextlib.suppress(UsageError):
            return (self.path / "final.json").exists() or any("validation" in line for line in self.records())
        return True


__all__ = ["RunFolder"]
