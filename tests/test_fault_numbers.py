"""Faults in numbers, in short: random cases against NumPy, lines of the source changed, NaN. `python -m tests.faults`
runs many times as many."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from faults import mutants, mutations, nans, properties
from faults.tally import KILLED, SILENT, TRACEBACK
from own_support import forget

from rnnzoo import cells, tasks
from rnnzoo.models import Stack
from rnnzoo.training.config import Config
from rnnzoo.training.update import init_state, train_steps


def check(tally, least):
    assert tally.is_good, tally.failures
    assert tally.outcomes.total() >= least and tally.planted == tally.found


def test_random_cases_are_those_of_numpy():
    check(properties.property_cases(300, 0, 50), 300)


def test_nan_is_noticed_at_any_size():
    check(nans.nan_injected(0, 1, (8, 4096)), 40)


def test_a_mutant_is_killed_and_a_comment_is_not(tmp_path):
    check(mutants.source_mutants(0, 1, mutations.MUTANTS[:1]), 1)
