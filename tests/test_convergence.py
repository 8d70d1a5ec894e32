"""The convergence report, of every unroll that iterates."""

import jax
import jax.numpy as jnp
import pytest
from support import inputs
from zoo import UNROLLS

import rnnzoo
from rnnzoo import cells, convergence_report, unrolls
from rnnzoo.unrolls.iterative import Iterative

ITERATIVE = [unroll for unroll in UNROLLS if isinstance(unroll, Iterative)]


@pytest.mark.parametrize("unroll", ITERATIVE, ids=lambda unroll: type(unroll).__name__)
def test_every_iterative_unroll_reports_each_sequence(unroll):
    cell = cells.Elman(hidden_size=4)
    report = convergence_report(cell, cell.init(jax.random.key(0), 3), inputs(9, (2, 3), 3), unroll=unroll)
    assert [leaf.shape for leaf in report] == [(2, 3)] * 3
    assert report.converged.all() and (report.iterations >= 1).all() and (report.residual <= 1e-6).all()


def test_what_did_not_converge_is_reported_and_not_raised():
    cell = cells.Elman(hidden_size=4)
    params = jax.tree.map(lambda a: 3 * a, cell.init(jax.random.key(0), 3))
    report = convergence_report(
        cell, params, inputs(40, (2,), 3), unroll=unrolls.QuasiNewton(max_iterations=1), lengths=jnp.array([40, 0])
    )
    assert report.converged.tolist() == [False, True]
    assert report.residual[0] > 1e-6 and report.iterations.tolist() == [1, 0]


def test_the_name_of_the_first_edition_stays():
    assert rnnzoo.newton_report is rnnzoo.convergence_report
