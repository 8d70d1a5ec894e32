"""Many owners at once, and disks that are full."""

import errno
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rnnzoo import disk
from rnnzoo.spec import UsageError
from rnnzoo.training.lock import Lock

from .runs import CONFIG, contents, differences, strays, train
from .tally import REFUSED, SAME, SILENT, Tally


def double_starts(count: int) -> Tally:
    """`count` attempts at one lock, all at once, again and again: one owner each time."""
    tally = Tally("several starts in one run folder at once")
    with TemporaryDirectory() as name:
        for _ in range(max(count // 10, 1)):
            owners = _owners(Path(name), 10)
            for place in range(10):
                tally.add(
                    SAME if place == 0 and owners == 1 else REFUSED if owners == 1 else SILENT, f"{owners} owners"
                )
        tally.control(_owners(Path(name), 10, takes_lock=False) == 10)
    return tally


def _owners(folder: Path, count: int, takes_lock: bool = True) -> int:
    owners: list[Lock] = []
    barrier = threading.Barrier(count)

    def start() -> None:
        lock = Lock(folder)
        barrier.wait()
        try:
            if takes_lock:
                lock.acquire()
        except UsageError:
            return
        owners.append(lock)

    threads = [threading.Thread(target=start) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for lock in owners:
        lock.release()
    return len(owners)


def full_disks(shard: int, shards: int) -> Tally:
    """A disk that is full from one write of a run on, for each write; then it has room again."""
    tally = Tally("the disk full at one write of a run, then resumed with room")
    with TemporaryDirectory() as name, FullDisk() as full:
        twin = Path(name) / "twin"
        train(twin)
        expected, count = contents(twin), full.count
        for at in range(shard, count, shards):
            path = Path(name) / f"run{at}"
            full.fill(at)
            try:
                train(path)
                outcome = SILENT
            except OSError as error:
                outcome = REFUSED if error.strerror == "No space left on device" or "No space" in str(error) else SILENT
            full.fill(None)
            kept = [c.damage(s) for c in _checkpoints(path) for s in c.steps()]
            train(path)
            same = not differences(expected, contents(path)) and not strays(path) and not any(kept)
            tally.add(outcome if same else SILENT, f"write {at}")
        tally.control(bool(differences(expected, expected | {"final.json": {}})))
    return tally


def _checkpoints(path: Path) -> Any:
    from rnnzoo.training.run_folder import RunFolder

    return RunFolder(path).last, RunFolder(path).best


class FullDisk:
    """Writes of run folders, counted; all fail from one of them on."""

    def __enter__(self) -> "FullDisk":
        self.count, self.at = 0, None
        self.old = (np.savez, disk.os.fsync)
        self.savez, self.fsync = self.old
        np.savez, disk.os.fsync = self._savez, self._fsync  # pyright: ignore
        return self

    def __exit__(self, *error: Any) -> None:
        np.savez, disk.os.fsync = self.old

    def fill(self, at: int | None) -> None:
        self.count, self.at = 0, at

    def _write(self) -> None:
        self.count += 1
        if self.at is not None and self.count > self.at:
            raise OSError(errno.ENOSPC, "No space left on device")

    def _savez(self, *args: Any, **arrays: Any) -> None:
        self._write()
        self.savez(*args, **arrays)

    def _fsync(self, file: int) -> None:
        self._write()
        self.fsync(file)


__all__ = ["CONFIG", "double_starts", "full_disks"]
