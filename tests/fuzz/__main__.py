"""Fuzz our parsers by atheris (libFuzzer), guided by the coverage of the package.

python -m tests.fuzz --seconds 60                        # each parser, as many at once as there are cores
python -m tests.fuzz --parser text --parser run          # some of them
python -m tests.fuzz --parser run --input crashes/run-0  # once more, with the traceback

A crash is any exception but those that the parser says it raises, more than 2 seconds of processor time, or memory that
grew by 500 MB. The input is written to a file, and the exit code is 1.
"""

import argparse
import concurrent.futures
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

NAMES = ("specification", "options", "text", "data", "run", "checkpoint", "folder", "weights", "foreign")
GRACE = 240  # seconds to start and to end in, on a busy machine
ROOT = Path(__file__).parents[2]


class Result(NamedTuple):
    """What fuzzing a parser has found."""

    name: str
    executions: int
    covered: int
    crash: Path | None
    said: str


def main() -> int:
    """Fuzz, print what was found, and return the exit code."""
    known = _arguments()
    names = known.parser or list(NAMES)
    if known.input:
        return subprocess.call([sys.executable, "-m", "tests.fuzz.child", names[0], str(known.input)], cwd=ROOT)
    crashed = False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        made = [pool.submit(fuzz, name, known.seconds, known.crashes, known.seed) for name in names]
        for result in concurrent.futures.as_completed(made):
            crashed |= _say(result.result())
    return int(crashed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each parser (60)")
    parser.add_argument("--parser", action="append", help=f"one of {', '.join(NAMES)}; repeatable (all of them)")
    parser.add_argument("--crashes", type=Path, default=Path("crashes"), help="the folder for inputs that crash")
    parser.add_argument("--seed", type=int, default=0, help="of libFuzzer's random numbers (0: another one each time)")
    parser.add_argument("--input", type=Path, help="a file to parse once")
    return parser.parse_args()


def fuzz(name: str, seconds: int, crashes: Path, seed: int) -> Result:
    """Fuzz a parser in a process of its own."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory) as folder:
        args = [sys.executable, "-m", "tests.fuzz.child", name, folder, str(time.time() + seconds), str(seed)]
        with open(Path(folder) / "log", "wb") as log:
            process = subprocess.Popen(args, cwd=ROOT, stdout=log, stderr=log)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds + GRACE)
            process.kill()
            failed = process.wait() != 0
        return _result(name, Path(folder), failed, crashes)


def _result(name: str, folder: Path, failed: bool, crashes: Path) -> Result:
    said = (folder / "log").read_text(errors="replace")
    numbers = [int(number) for number in re.findall(r"^(?:#|stat::number_of_executed_units: )(\d+)", said, re.M)]
    covered = [int(number) for number in re.findall(r" cov: (\d+)", said)]
    if not failed:
        return Result(name, max(numbers, default=0), max(covered, default=0), None, said)
    crashes.mkdir(parents=True, exist_ok=True)
    kept = crashes / f"{name}-{len(list(crashes.glob(f'{name}-*')))}"
    found = [*folder.glob("crash-*"), *folder.glob("timeout-*"), *folder.glob("oom-*")]
    kept.write_bytes(found[0].read_bytes() if found else b"")
    return Result(name, max(numbers, default=0), max(covered, default=0), kept, said)


def _say(result: Result) -> bool:
    """Print a result. Whether it is a crash."""
    end = f"crashed by {result.crash}:\n{result.said[-3000:]}" if result.crash else "0 crashes"
    print(f"{result.name}: {result.executions:,} executions, {result.covered:,} branches covered, {end}", flush=True)
    return result.crash is not None


if __name__ == "__main__":
    raise SystemExit(main())
