"""JSON with a change in it is a specification or a UsageError, and nothing else."""

import subprocess
import sys
from pathlib import Path


def test_mutated_specifications_are_read_or_refused():
    script = Path(__file__).with_name("mutated_specifications.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=script.parents[1])
    assert done.returncode == 0, done.stderr[-4000:]
    refused, read = map(int, done.stdout.split())
    assert refused > 1500 and read > 100
