"""The process dies at a file operation: every later one in the run folder fails too, so that nothing tidies up."""

import sys
from pathlib import Path
from typing import Any

from .runs import Action

OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink")


class Killed(BaseException):
    """In place of the end of the process."""


class Kills:
    """Counts the file operations below a folder, and kills at one of them."""

    def __init__(self) -> None:
        self.folder, self.count, self.at = "", 0, -1
        self.seen: list[str] = []
        sys.addaudithook(self._hook)  # which cannot be taken away again

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.folder or event not in OPERATIONS or not args or not isinstance(args[0], str):
            return
        if not args[0].startswith(self.folder) or (event == "open" and not _writes(args)):
            return
        self.count += 1
        self.seen.append(f"{event} {args[0].removeprefix(self.folder)}")
        if 0 <= self.at < self.count:
            raise Killed(f"at operation {self.count}: {self.seen[-1]}")

    def during(self, folder: Path, action: Action, at: int = -1) -> int:
        """Run an action; die at the operation of that number, from 0. Returns how many operations there were."""
        self.folder, self.count, self.at, self.seen = str(folder), 0, at, []
        try:
            action()
        except BaseException as error:
            if not _caused_by_kill(error):
                raise
        finally:
            self.folder = ""
        return self.count


def _writes(args: tuple[Any, ...]) -> bool:
    mode, flags = args[1], args[2]
    if isinstance(mode, str) and any(letter in mode for letter in "wax+"):
        return True
    return isinstance(flags, int) and bool(flags & 3)  # O_WRONLY or O_RDWR


def _caused_by_kill(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, Killed) or "at operation" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


KILLS = Kills()
