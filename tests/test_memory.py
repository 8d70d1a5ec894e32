"""Freed memory that the process keeps: fewer new pages from the kernel, and settings made by hand stay."""

import os
import subprocess
import sys

import pytest

from rnnzoo.training import memory

# Page faults of a program that holds 64 MiB at a time, in the median of many runs: in the first ones small pieces may
# settle in the middle of large ones.
FAULTS = """
import resource, statistics, sys
import rnnzoo
kept = rnnzoo.keep_memory() if sys.argv[1] == "keep" else False
import jax, jax.numpy as jnp
f = jax.jit(lambda x: jax.lax.scan(lambda h, t: (0.9 * h + x, h), x, jnp.arange(64.0))[1].sum())
x = jnp.arange(2.0**18)
counts = [0]
for _ in range(30):
    f(x).block_until_ready()
    counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(kept, statistics.median(b - a for a, b in zip(counts[10:], counts[11:])))
"""


def faults(*args, **settings):
    unset = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run([sys.executable, "-c", FAULTS, *args], env=unset | settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kept, count = done.stdout.split()
    return kept == "True", float(count)


def test_a_program_asks_the_kernel_for_its_pages_once():
    kept, few = faults("keep")
    if not kept:
        pytest.skip("the C library is not glibc")
    assert few < faults("do not")[1] / 4


def test_settings_made_by_hand_stay():
    assert not faults("keep", MALLOC_TRIM_THRESHOLD_="131072")[0]


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(memory.os, "environ", {})
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert not memory.keep_memory()
