"""Checkpoints with checksums."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from rnnzoo.spec import UsageError
from rnnzoo.training.config import read_text
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
            write_whole(path / PLACE, json.dumps(place))
        write_whole(self._manifest(step), json.dumps(_checksums(path), indent=1))
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


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a crash leaves either the old one or the new one, whole."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


__all__ = ["Checkpoints", "write_whole"]
