"""One owner of a run folder at a time: a lock that the operating system takes back when its process ends."""

import errno
import os
import socket
import stat
from pathlib import Path

from rnnzoo.spec import UsageError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NAME = "lock"


class Lock:
    """The lock of a folder. `release` it, or end the process."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            UsageError: another process has it, or there is no such lock here.
        """
        if fcntl is None:
            raise UsageError("training needs file locks, which rnnzoo has on Linux and macOS only; on Windows, use WSL")
        path = self.folder / NAME
        while self._file is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            try:
                file = os.open(path, flags, 0o666)
            except OSError as error:
                if error.errno == errno.ELOOP:
                    raise UsageError(f"{path} is a link; accepted: a run folder, where it is a file") from None
                raise
            self._take(file, path)

    def _take(self, file: int, path: Path) -> None:
        """Lock an opened file, unless it is not the one under that name any more: then the caller tries again."""
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise UsageError(f"{path} is no regular file; accepted: a run folder")
            self._flock(file)
            if _is_at(file, path):
                os.ftruncate(file, 0)
                os.pwrite(file, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
                self._file = file
        finally:
            if self._file is None:
                os.close(file)

    def _flock(self, file: int) -> None:
        assert fcntl is not None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(file, 200, 0).decode("utf-8", "replace").strip()
            by = owner if owner and owner.isprintable() else "another process"
            raise UsageError(f"{self.folder} is in use by {by}") from None
        except OSError as error:
            raise UsageError(
                f"{self.folder} cannot be locked ({error.strerror}); accepted: a --workdir on a file system with locks"
            ) from None

    def check(self) -> None:
        """Raise `UsageError` if the folder was moved or removed since, or the lock file: another process may own it."""
        if self._file is None or not _is_at(self._file, self.folder / NAME):
            raise UsageError(
                f"{self.folder} was moved or removed, or {NAME} in it, while it was in use; nothing more is written"
            )

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _is_at(file: int, path: Path) -> bool:
    """Whether that path leads to the opened file."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    here = os.fstat(file)
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


__all__ = ["Lock"]
