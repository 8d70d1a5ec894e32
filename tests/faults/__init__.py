"""Faults injected into rnnzoo, and what each one did: `python -m tests.faults` runs all of them."""
