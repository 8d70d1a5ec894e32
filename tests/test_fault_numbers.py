"""Faults in numbers, in short: random cases against NumPy, lines of the source changed, NaN at sizes that hide it.

`python -m tests.faults` has many more of each, and so have the slow tests.
"""

import jax
import numpy as np
import pytest
from faults import cases, mutants, mutations, nans, properties
from faults.tally import KILLED, SILENT, TRACEBACK


@pytest.fixture(autouse=True)
def single_precision():
    """Whatever a file before this one has left."""
    with jax.enable_x64(False):
        yield


def check(tally, least):
    assert tally.is_good, tally.failures
    assert tally.outcomes.total() >= least and tally.planted == tally.found


def test_random_cases_are_those_of_numpy():
    check(properties.property_cases(300, 0), 300)


@pytest.mark.slow
def test_many_random_cases_are_those_of_numpy():
    check(properties.property_cases(20_000, 0), 20_000)


@pytest.mark.slow
def test_nan_is_noticed_at_sizes_that_hide_it():
    check(nans.nan_injected(0, 1, (4096,)), 15)


@pytest.mark.slow
def test_nan_is_noticed_at_any_size():
    check(nans.nan_injected(0, 1), 200)


@pytest.mark.slow
def test_a_mutant_is_killed_and_a_comment_is_not():
    tally = mutants.source_mutants(0, 1, mutations.STRUCTURES[:1])
    check(tally, 1)
    assert tally.outcomes == {KILLED: 1}


@pytest.mark.slow
def test_all_mutants_are_killed():
    check(mutants.source_mutants(0, 1), 20)


def test_a_mutant_that_cannot_be_run_is_not_killed(tmp_path):
    (tmp_path / "rnnzoo").mkdir()
    (tmp_path / "rnnzoo/a.py").write_text("x = 1\ny = 1\n")
    twice = mutations.Mutant("", "a.py", " = 1", " = 2", "test_no_such_file.py", "")
    with pytest.raises(ValueError, match=r"has ' = 1' 2 times; accepted: once"):
        mutants.outcome_of(twice, tmp_path / "rnnzoo")
    once = mutations.Mutant("", "a.py", "x = 1", "x = 2", "test_no_such_file.py", "")
    assert mutants.outcome_of(once, tmp_path / "rnnzoo")[0] == TRACEBACK
    assert (tmp_path / "rnnzoo/a.py").read_text() == "x = 1\ny = 1\n"


def test_results_that_are_not_close():
    one = {"h": np.ones(5000)}
    for wrong in (np.nan, np.inf, 1.01):
        other = {"h": np.ones(5000)}
        other["h"][17] = wrong
        assert not cases.close(other, one, 1e-3) and not cases.close(one, other, 1e-3)
    assert cases.close(one, one, 0) and not cases.close(one, {"h": np.ones(4999)}, 1)
    assert nans.hidden(np.ones(3)) == SILENT
