"""Run after run in one process for minutes, with random faults: the files stay right, and memory and handles flat."""

import os
import random
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rnnzoo.spec import UsageError
from rnnzoo.training.lock import Lock

from .kills import KILLS
from .locks import FullDisk
from .runs import contents, differences, strays, train
from .tally import SAME, SILENT, Tally, outcome_of

AT_LEAST = 4  # runs, however slow the machine is
WARM_UP = 20  # runs, after which all programs are compiled and memory has its working size


def soak(seconds: float, seed: int) -> Tally:
    """Faults one after the other for so many seconds, each in a run that is then resumed and compared with its twin."""
    tally, rng, samples = Tally("minutes of random faults in one process, each then resumed"), random.Random(seed), []
    with TemporaryDirectory() as name, FullDisk() as disk:
        twin, run = Path(name) / "twin", Path(name) / "run"
        operations = KILLS.during(twin, lambda: train(twin))
        expected, writes = contents(twin), disk.count
        began = time.monotonic()
        while time.monotonic() - began < seconds or len(samples) < AT_LEAST:
            what = rng.choice(["kill", "full disk", "second start", "nothing"])
            at = rng.randrange(operations if what == "kill" else writes)
            outcome, error = outcome_of(lambda what=what, at=at: _survives(what, at, run, disk, expected))
            tally.add(outcome, f"{what} at {at}; {error}")
            shutil.rmtree(run, ignore_errors=True)
            samples.append((time.monotonic() - began, _memory(), _handles()))
        if len(samples) > 2 * WARM_UP:
            tally.notes.append(_slopes(samples))
        tally.control(_resumed(twin, expected | {"final.json": {}}) == SILENT)
    return tally


def _survives(what: str, at: int, run: Path, disk: FullDisk, expected: dict[str, Any]) -> str:
    """One run with a fault, resumed."""
    if what == "kill":
        KILLS.during(run, lambda: train(run), at)
    elif what == "full disk":
        disk.fill(at)
        try:
            train(run)
        except OSError:
            pass
        disk.fill(None)
    elif what == "second start":
        train(run)
        with_lock = Lock(run)
        with_lock.acquire()
        try:
            train(run)
            return SILENT  # two owners
        except UsageError:
            pass
        finally:
            with_lock.release()
    return _resumed(run, expected)


def _resumed(run: Path, expected: dict[str, Any]) -> str:
    train(run)
    return SILENT if differences(expected, contents(run)) or strays(run) else SAME


def _memory() -> float:
    """MiB of this process in memory; NaN where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20 if statm.exists() else float("nan")


def _handles() -> float:
    """Open files of this process; NaN where the system does not say."""
    open_files = Path("/proc/self/fd")
    return len(list(open_files.iterdir())) if open_files.exists() else float("nan")


def _slopes(samples: list[tuple[float, float, float]]) -> str:
    """How memory and handles grew after the first runs."""
    times, memory, handles = np.array(samples[WARM_UP:]).T
    a_run = len(times) / (times[-1] - times[0])
    per_run = [np.polyfit(times, values, 1)[0] / a_run for values in (memory, handles)]
    return (
        f"{len(samples)} runs in {samples[-1][0] / 60:.1f} minutes; memory {memory[0]:.0f} MiB after {WARM_UP} runs, "
        f"{memory[-1]:.0f} at the end, slope {1024 * per_run[0]:+.1f} KiB a run; open files {handles[0]:.0f} and "
        f"{handles[-1]:.0f}, slope {per_run[1]:+.4f} a run"
    )
