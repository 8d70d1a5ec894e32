"""`run`, steppers, and what reads and writes models, from eight threads at once: the same numbers as from one."""

import os
import subprocess
import sys
from pathlib import Path

import in_eight_threads as program


def test_eight_threads_compute_what_one_does():
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, program.__file__]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=570)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"{program.THREADS} threads, {len(program.JOBS)} results each\n"
