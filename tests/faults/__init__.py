"""Faults injected into rnnzoo, and what each one did: `python -m tests.faults` runs all of them."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]

# What the harness shares with the tests (the product of members, the published equations) lies beside it.
if str(TESTS) not in sys.path:
    sys.path.append(str(TESTS))
