"""What a reader of files does besides: what it runs, opens elsewhere and writes, how long it takes, what it holds."""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS, MEGABYTES = 2.0, 400  # for one folder
RUNS = ("import", "exec", "compile", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "ctypes.dlopen")
FAMILIES = ("subprocess.", "socket.", "pickle.", "urllib.")
CHANGES = "os.rename os.remove os.mkdir os.rmdir os.truncate os.link os.symlink os.chmod os.chown shutil.rmtree".split()


class TooLong(BaseException):
    """In place of waiting for ever."""


class Watch:
    """Notes what happens while it is on."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.notes: list[str] = []
        own = (*sys.path, sys.prefix, sys.base_prefix, os.environ.get("JAX_COMPILATION_CACHE_DIR"))
        self.own = tuple({str(Path(p).resolve()) for p in own if p})
        sys.addaudithook(self._hook)  # which cannot be taken away again

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        if event == "open":
            self._opened(args)
        elif event in RUNS or event.startswith(FAMILIES):
            self.notes.append(f"ran {event} {str(args[0])[:80]}")
        elif event in CHANGES:
            self.notes.append(f"changed {event} {args[0]}")

    def _opened(self, args: tuple[Any, ...]) -> None:
        assert self.folder is not None
        if not isinstance(args[0], (str, bytes)):
            return
        path = Path(os.fsdecode(args[0])).absolute()
        is_near = path.is_relative_to(self.folder.parent)  # whatever Python's path says
        if not is_near and str(path).startswith((*self.own, "/proc/self/")):
            return
        if isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self.notes.append(f"opened to write {path}")
        elif path.parent != self.folder or path.is_symlink():
            self.notes.append(f"opened {path}")

    def during(self, folder: Path, action: Callable[[], Any]) -> list[str]:
        """What was noted while the action ran. Its error is raised."""
        self.notes = []
        began, before = time.monotonic(), _peak(reset=True)
        try:
            with _limited(2 * SECONDS):
                self.folder = folder
                action()
        finally:
            self.folder = None
            if (took := time.monotonic() - began) > SECONDS:
                self.notes.append(f"took {took:.1f} s")
            if (grew := _peak() - before) > MEGABYTES:
                self.notes.append(f"held {grew} MB")
        return self.notes


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in what takes longer, whatever it waits for."""

    def end(*args: Any) -> None:
        raise TooLong

    old = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def _peak(reset: bool = False) -> int:
    """The most memory that the process has held, in MB: since the last reset, where Linux can."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) // 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


WATCH = Watch()

__all__ = ["WATCH", "TooLong"]
