"""The self-test finds faults that are planted in what it checks, and reports in words."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from rnnzoo.__main__ import command
from rnnzoo.analysis import selftest as own
from rnnzoo.commands import selftest as shown


def test_a_reduction_that_drops_nan_is_wrong_only_where_rnnzoo_relies_on_it():
    blind = {"nansum": lambda x: jnp.isnan(jnp.nansum(x))}
    relied, other = own.nan_in_reductions(blind, blind)
    assert relied.wrong and "lost in nansum of (5, 3), nansum of (4096,)" in relied.said
    assert not other.wrong and "nansum of (5, 3)" in other.said and "does not rely on it" in other.said
    sees = {"sum": lambda x: jnp.isnan(x.sum())}
    assert [f.said for f in own.nan_in_reductions(sees, sees)] == ["is seen"] * 2


@pytest.fixture
def one_pair(monkeypatch):
    monkeypatch.setattr(own, "PAIRS", own.PAIRS[-1:])


@pytest.mark.parametrize(("fault", "wrong"), [(1.0, False), (1.001, True), (np.nan, True)])
def test_gradients_are_held_against_float64(fault, wrong, one_pair):
    def gradient(cell, unroll):
        program = own.gradient_of(cell, unroll)
        return lambda *args: jax.tree.map(lambda a: a * fault, program(*args))

    (finding,) = own.gradients(gradient)
    assert finding.wrong is wrong and finding.name == "gradient of MinGRU by Associative"
    assert not jax.config.jax_enable_x64  # pyright: ignore


def test_one_other_bit_is_no_determinism(one_pair):
    calls = []

    def gradient(cell, unroll):
        program = own.gradient_of(cell, unroll)

        def run(*args):
            calls.append(None)
            found = program(*args)
            return jax.tree.map(lambda a: np.nextafter(a, np.float32(9)), found) if len(calls) == 2 else found

        return run

    assert own.determinism(gradient).wrong and len(calls) == 3
    assert not own.determinism().wrong


def test_the_precision_of_products_has_a_name():
    def rounded(bits):
        return lambda a, b: lax.reduce_precision(a, 8, bits) @ lax.reduce_precision(b, 8, bits)

    for product, name in ((jnp.matmul, "float32"), (rounded(10), "tf32"), (rounded(7), "bfloat16")):
        finding = own.matmul_precision(product)
        assert f"as in {name}" in finding.said and not finding.wrong
        assert ("is slower and exact" in finding.said) == (name != "float32")
    assert own.matmul_precision(rounded(3)).wrong
    assert own.matmul_precision(lambda a, b: (a @ b).at[0, 0].set(jnp.nan)).wrong


def test_a_scan_that_loses_a_step_is_found():
    def scan(step, h, xs):
        last, ys = lax.scan(step, h, xs)
        return last, ys.at[-1].set(ys[-2])

    assert own.scan_and_loop(scan).wrong and not own.scan_and_loop().wrong


@pytest.mark.parametrize("wrong", [False, True])
def test_the_command_says_what_a_bug_report_needs(wrong, monkeypatch, capsys):
    findings = [own.Finding("scan", "is well"), own.Finding("determinism", "other bits", wrong)]
    monkeypatch.setattr(shown, "selftest", lambda: iter(findings))
    assert command(["selftest"]) == wrong
    said = capsys.readouterr().out
    for text in (f"jax: {jax.__version__}", "device: ", "ok     scan: is well"):
        assert text in said
    assert said.splitlines()[-1] == (
        "do not trust results on this device: determinism" if wrong else "rnnzoo can rely on this device"
    )


def test_without_a_cpu_there_is_nothing_to_compare_with(monkeypatch):
    def devices(platform):
        raise RuntimeError("unknown backend")

    monkeypatch.setattr(own.jax, "devices", devices)
    with pytest.raises(own.UsageError, match="JAX has no CPU beside this device"):
        next(own.gradients(lambda cell, unroll: lambda *args: None))
