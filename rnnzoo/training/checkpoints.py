"""Checkpoints: the arrays of a run and its record, in a folder that appears whole under its name or not at all."""

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnnzoo.disk import read_json, write_whole
from rnnzoo.spec import UsageError
from rnnzoo.training.arrays import read_arrays, read_orbax, write_arrays
from rnnzoo.trees import named
from rnnzoo.typing import PyTree

Warn = Callable[[str], None]
Passing = Callable[[int], bool]  # whether the checkpoint of a step is of use only while it is the newest
ARRAYS, RECORD, MANIFEST = "arrays.npz", "record.json", "manifest.json"
FORMAT = 2
ASIDE = "damaged"  # what the names of damaged checkpoints begin with


class CannotSave(OSError):
    """A checkpoint could not be written: the disk is full, say. Older ones are as they were."""


class Checkpoints:
    """Checkpoints of one kind, each a folder ``<folder>/<step>`` of arrays.npz, record.json and manifest.json.

    The manifest has the checksum of each file, the step, the shapes of the arrays, and what the run began with
    (`RunFolder.identity`), so that a file of another step or another run is noticed. The first edition had arrays in
    orbax's format, their checksums in ``<folder>/<step>.sha256``, and no record: its checkpoints are read as well."""

    def __init__(self, folder: Path, keep: int, identity: Callable[[], str | None] = lambda: None):
        self.folder, self.keep, self.identity = folder.absolute(), keep, identity

    def steps(self) -> list[int]:
        """The steps saved, newest first."""
        names = [p.name for p in self.folder.glob("[0-9]*")] if self.folder.is_dir() else []
        return sorted((int(name) for name in names if re.fullmatch("0|[1-9][0-9]{0,17}", name)), reverse=True)

    # ---- writing ----

    def save(self, step: int, tree: PyTree, record: dict[str, Any], passing: Passing = lambda step: False) -> None:
        """Write a checkpoint, then remove those that `prune` does. Returns when all is on disk.

        Raises:
            CannotSave: it could not be written.
        """
        new = self.folder / f".{step}-{secrets.token_hex(8)}"
        try:
            new.mkdir(parents=True)
            self._write(new, step, tree, record)
            if (old := self.folder / str(step)).exists():
                self._remove(old)
            new.rename(self.folder / str(step))
        except OSError as error:
            raise CannotSave(f"cannot save the checkpoint of step {step} in {self.folder}: {error.strerror}") from error
        finally:
            shutil.rmtree(new, ignore_errors=True)
        self.prune(passing)

    def _write(self, path: Path, step: int, tree: PyTree, record: dict[str, Any]) -> None:
        write_arrays(path / ARRAYS, tree)
        write_whole(path / RECORD, json.dumps(record, allow_nan=False))
        manifest = {"format": FORMAT, "step": step, "run": self.identity(), "tree": _shapes(tree)}
        manifest["files"] = _checksums(path)
        write_whole(path / MANIFEST, json.dumps(manifest | {"sha256": _checksum(manifest)}, indent=1))

    def _remove(self, path: Path) -> None:
        """Remove a checkpoint. A crash leaves all of it, or nothing that has the name of a checkpoint."""
        path.rename(old := path.with_name(f".{path.name}-{secrets.token_hex(8)}"))
        shutil.rmtree(old)
        self._older_manifest(int(path.name)).unlink(missing_ok=True)

    def prune(self, passing: Passing) -> None:
        """Keep the newest, and of the older ones, up to `keep` in all, those that are not `passing`."""
        newest, older = self.steps()[:1], self.steps()[1:]
        kept = newest + [step for step in older if not passing(step)][: self.keep - 1]
        for step in older:
            if step not in kept:
                self._remove(self.folder / str(step))

    def left(self) -> list[Path]:
        """What a crash has left of checkpoints that were being written or removed, and damaged ones."""
        return sorted([*self.folder.glob(".[0-9]*-*"), *self.folder.glob(f"{ASIDE}-*")])

    def remove_unfinished(self) -> None:
        """Remove what a crash has left. Only for the owner of the run."""
        for left in self.left():
            if not left.name.startswith(ASIDE):
                shutil.rmtree(left)

    def copy_from(self, other: "Checkpoints", step: int) -> None:
        """Take over a checkpoint of another kind, whole or not at all."""
        new = self.folder / f".{step}-{secrets.token_hex(8)}"
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(other.folder / str(step), new)
        new.rename(self.folder / str(step))

    def keep_only(self, step: int) -> None:
        """Remove all checkpoints but that of a step."""
        for other in self.steps():
            if other != step:
                self._remove(self.folder / str(other))

    def set_aside_damaged(self, after: int | None = None) -> list[Path]:
        """Rename damaged checkpoints, and all after a step, and return their new paths: kept to be looked at, under
        names that no reader takes for a checkpoint. Only for the owner of the run."""
        damaged = [s for s in self.steps() if self.damage(s) is not None or (after is not None and s > after)]
        return [self._set_aside(step) for step in damaged]

    def _set_aside(self, step: int) -> Path:
        number = 0
        while (aside := self.folder / f"{ASIDE}-{step}-{number}").exists():
            number += 1
        (self.folder / str(step)).rename(aside)
        self._older_manifest(step).unlink(missing_ok=True)
        return aside

    # ---- reading ----

    def restore(self, like: PyTree, warn: Warn) -> tuple[int, PyTree] | None:
        """The newest intact checkpoint: (step, tree like `like`). Damaged ones are skipped, with a warning.

        Changes nothing: another process may be training, and may be writing or removing the checkpoint just now."""
        tried: set[int] = set()
        while steps := [s for s in self.steps() if s not in tried]:
            tried.add(step := steps[0])
            reason = self.damage(step)
            if reason is None:
                try:
                    return step, self._load(step, like)
                except OSError as error:
                    reason = f"cannot be read: {error}"
            then = f"falling back to step {steps[1]}" if steps[1:] else "no older one is left"
            warn(f"the checkpoint of step {step} is damaged ({reason}); {then}")
        return None

    def record(self, step: int) -> dict[str, Any] | None:
        """What `save` was given as the record; None if the first edition wrote the checkpoint."""
        path = self.folder / str(step)
        return read_json(path / RECORD) if (path / MANIFEST).exists() else None

    def _load(self, step: int, like: PyTree) -> PyTree:
        path = self.folder / str(step)
        try:
            return read_arrays(path / ARRAYS, like) if (path / MANIFEST).exists() else read_orbax(path, like)
        except ValueError as error:
            raise UsageError(f"{path} does not fit this configuration: {error}") from error

    def damage(self, step: int) -> str | None:
        """What is wrong with a checkpoint; None if it is as it was written."""
        path = self.folder / str(step)
        try:
            if (path / MANIFEST).exists():
                return self._foreign(step, manifest := _read_manifest(path / MANIFEST)) or _changed(
                    path, manifest["files"]
                )
            if not self._older_manifest(step).exists():
                return f"{MANIFEST} is missing"
            return _changed(path, _as_files(read_json(self._older_manifest(step))))
        except (OSError, ValueError, RecursionError) as error:
            return f"cannot be read: {error}"

    def _foreign(self, step: int, manifest: dict[str, Any]) -> str | None:
        """How a manifest is that of another checkpoint."""
        if manifest["step"] != step:
            return f"it was saved at step {manifest['step']}"
        expected = self.identity()
        if expected is not None and manifest["run"] != expected:
            return "it was saved by a run that began with another configuration or other data"
        return None

    def _older_manifest(self, step: int) -> Path:
        return self.folder / f"{step}.sha256"


def _read_manifest(path: Path) -> dict[str, Any]:
    found = read_json(path)
    if not isinstance(found, dict) or found.get("format") != FORMAT or not {"step", "run", "files"} <= found.keys():
        raise ValueError(f"{path.name} is not the manifest of a checkpoint")
    if found.pop("sha256", None) != _checksum(found):
        raise ValueError(f"{path.name} is not what was written")
    return found | {"files": _as_files(found["files"])}


def _as_files(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("the list of files is no object")
    return value


def _changed(path: Path, expected: dict[str, str]) -> str | None:
    """The first file of a checkpoint that is not what was written."""
    actual = _checksums(path)
    for name in sorted(expected.keys() | actual.keys()):
        if expected.get(name) != actual.get(name):
            return f"{path.name}/{name} is not what was written"
    return None


def _checksums(path: Path) -> dict[str, str]:
    files = sorted(p for p in path.rglob("*") if p.is_file() and p != path / MANIFEST)
    return {str(p.relative_to(path)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def _checksum(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _shapes(tree: PyTree) -> dict[str, str]:
    return {name: f"{leaf.dtype}{list(leaf.shape)}" for name, leaf in named(tree).items()}


__all__ = ["CannotSave", "Checkpoints"]
