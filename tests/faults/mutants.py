"""Faults in a copy of the package's own source, and whether the tests of the project notice them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from . import TESTS
from .mutations import COMMENT, MUTANTS, Mutant
from .tally import KILLED, SILENT, TRACEBACK, Tally

LIMIT_S = 600


def source_mutants(shard: int, shards: int, mutants: Sequence[Mutant] = MUTANTS) -> Tally:
    """One of so many shards of the mutants. One that the tests do not kill is a hole in the tests."""
    tally = Tally("a line of the source changed: whether the tests notice")
    with TemporaryDirectory() as name:
        copy = Path(name) / "rnnzoo"
        shutil.copytree(TESTS.parent / "rnnzoo", copy, ignore=shutil.ignore_patterns("__pycache__"))
        for mutant in mutants[shard::shards]:
            outcome, said = outcome_of(mutant, copy)
            tally.add(outcome, f"{mutant.what} (rnnzoo/{mutant.file}), {mutant.tests} -k '{mutant.keyword}': {said}")
        # What changes nothing must survive: tests that fail anyway would kill everything.
        tally.control(outcome_of(COMMENT, copy)[0] == SILENT)
    return tally


def outcome_of(mutant: Mutant, copy: Path) -> tuple[str, str]:
    """Killed if a test fails, silently wrong if all pass; whatever else is no verdict."""
    with changed(mutant, copy):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider", "-k", mutant.keyword,
             f"tests/{mutant.tests}"],
            cwd=TESTS.parent, env=os.environ | {"PYTHONPATH": str(copy.parent), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, timeout=LIMIT_S,
        )  # fmt: skip
    said = done.stdout.strip().splitlines()[-1:] or [done.stderr[-200:]]
    outcome = {0: SILENT, 1: KILLED}.get(done.returncode, TRACEBACK)  # 2: could not be imported; 5: no such test
    return outcome, said[0]


@contextmanager
def changed(mutant: Mutant, copy: Path) -> Iterator[None]:
    """The copy with the fault.

    Raises:
        ValueError: its old text is not there, or more than once.
    """
    path = copy / mutant.file
    text = path.read_text()
    if (count := text.count(mutant.old)) != 1:
        raise ValueError(f"rnnzoo/{mutant.file} has {mutant.old!r} {count} times; accepted: once")
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        yield
    finally:
        path.write_text(text)


__all__ = ["changed", "outcome_of", "source_mutants"]
