"""The process dies at a file operation: every later one in the run folder fails too, so that nothing tidies up."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .runs import Action, contents, differences, strays, train
from .tally import SAME, SILENT, TRACEBACK, Tally, outcome_of

RESTORING = 20  # file operations from which one is taken to kill a run that is being resumed
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


def killed_at_each_operation(shard: int, shards: int) -> Tally:
    """A kill at each file operation of a run, each once; and one more while it is resumed."""
    tally = Tally("killed at each file operation of a run, again while it restores, then resumed")
    with TemporaryDirectory() as name:
        twin = Path(name) / "twin"
        count = KILLS.during(twin, lambda: train(twin))
        expected = contents(twin)
        for at in range(shard, count, shards):
            path = Path(name) / "run"
            KILLS.during(path, lambda path=path: train(path), at)
            what, again = KILLS.seen[-1], random.Random(at).randrange(RESTORING)
            KILLS.during(path, lambda path=path: train(path), again)
            outcome, error = outcome_of(lambda path=path: _resumed(path, expected))
            tally.add(outcome, f"operation {at}: {what}, then {again}; {error}")
            shutil.rmtree(path)
        tally.control(_resumed(twin, expected | {"final.json": {}}) == SILENT)
    return tally


def _resumed(path: Path, expected: dict[str, Any]) -> str:
    train(path)
    return SILENT if differences(expected, contents(path)) or strays(path) else SAME


def killed_at_random_times(count: int, seed: int) -> Tally:
    """SIGKILL, SIGTERM or two SIGINTs to a training process at a random time, up to three times; then resumed."""
    tally, rng = Tally("a training process killed at random times, up to three, then resumed"), random.Random(seed)
    with TemporaryDirectory() as name:
        twin, path = Path(name) / "twin", Path(name) / "run"
        began = time.monotonic()
        _process(twin).wait()
        whole = time.monotonic() - began
        expected = contents(twin)
        for _ in range(count):
            kills = [_killed(path, rng, whole) for _ in range(rng.randint(1, 3))]
            outcome, error = outcome_of(lambda: _resumed(path, expected))
            what = ", ".join(what for what, _ in kills)
            tally.add(TRACEBACK if any(traceback for _, traceback in kills) else outcome, f"{what}; {error}")
            shutil.rmtree(path, ignore_errors=True)
        tally.control(_resumed(twin, expected | {"metrics.jsonl": []}) == SILENT)
    return tally


def _killed(path: Path, rng: random.Random, whole: float) -> tuple[str, bool]:
    """Start or resume, and send a signal. Returns what was done, and whether there was a traceback."""
    how = rng.choice(["SIGKILL", "SIGKILL", "SIGTERM", "SIGINT twice"])
    process, after = _process(path), rng.uniform(0.4, 1.05) * whole
    time.sleep(after)
    for _ in range(2 if how == "SIGINT twice" else 1):
        process.send_signal(getattr(signal, how.split()[0]))
    return f"{how} after {after:.2f} s", b"Traceback" in process.communicate()[1]


def _process(path: Path) -> "subprocess.Popen[bytes]":
    root = Path(__file__).parents[2]
    code = f"""
try:
    from tests.faults.runs import train_slowly
except KeyboardInterrupt:  # as train.py does
    raise SystemExit(130)
train_slowly({str(path)!r})
"""
    return subprocess.Popen([sys.executable, "-c", code], cwd=root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
