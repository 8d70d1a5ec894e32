"""On a CUDA device: cuDNN's own kernel, and every unroll against the plain loop. Skipped where there is none."""

import dataclasses
import functools
from typing import Any

import jax
import pytest
from support import assert_close
from unroll_support import LENGTHS, RESETS, arguments, loss, values_and_gradients
from zoo import CELLS, HIDDEN, UNROLLS, all_cells, label

from rnnzoo import cells, run, structures, unrolls
from rnnzoo.analysis.selftest import report, selftest
from rnnzoo.cells.base import Cell

IS_CUDA = "cuda" in jax.devices()[0].client.platform_version.lower()
pytestmark = pytest.mark.skipif(not IS_CUDA, reason="there is no CUDA device")
LSTM = cells.LSTM(hidden_size=HIDDEN)
SEQUENCES: list[dict[str, Any]] = [{}, {"lengths": LENGTHS}, {"lengths": LENGTHS, "reverse": True}, {"reverse": True}]


@pytest.fixture(autouse=True)
def float32_products():
    """Not the tensor cores' shorter numbers, which are the default on a GPU."""
    with jax.default_matmul_precision("highest"):
        yield


@functools.cache
def gradients(unroll: unrolls.Unroll, **options: Any) -> Any:
    def both(cell: Cell, args: Any, controls: Any) -> Any:
        return values_and_gradients(cell, unroll, args, **options, **controls)

    return jax.jit(both, static_argnums=0)


def check(cell: Cell, unroll: unrolls.Unroll, sequences: dict[str, Any]) -> None:
    """Values and all gradients are those of the plain loop."""
    controls = {k: v for k, v in sequences.items() if k != "reverse"}
    options = {k: v for k, v in sequences.items() if k == "reverse"}
    args = arguments(cell)
    found = gradients(unroll, **options)(cell, args, controls)
    expected = gradients(unrolls.Loop(), **options)(cell, args, controls)
    assert_close(found, expected, 2e-5)


@pytest.mark.parametrize("sequences", SEQUENCES, ids=lambda s: "-".join(s) or "plain")
@pytest.mark.parametrize("bias", [True, False])
def test_cudnn(bias, sequences):
    check(dataclasses.replace(LSTM, bias=bias), unrolls.CuDNN(), sequences)


def test_cudnn_with_a_mask():
    params, xs, state = arguments(LSTM)
    mask = jax.random.bernoulli(jax.random.key(4), 0.6, xs.shape[:2]).at[:, 0].set(False)
    found = run(LSTM, params, xs, state, mask=mask, unroll=unrolls.CuDNN())
    assert_close(found, run(LSTM, params, xs, state, mask=mask), 2e-5)


@pytest.mark.parametrize("shape", [(1, 1), (33, 17)])
def test_cudnn_at_other_sizes(shape):
    cell = cells.LSTM(hidden_size=65)
    args = arguments(cell, shape[0], (shape[1],))
    function = jax.jit(lambda unroll, args: jax.value_and_grad(
        lambda a: loss(cell, unroll, *a, options={})[0])(args), static_argnums=0)  # fmt: skip
    assert_close(function(unrolls.CuDNN(), args), function(unrolls.Scan(), args), 1e-4)


def test_auto_takes_cudnn():
    unroll, reason = unrolls.Auto().choose(LSTM, 128, 8)
    assert unroll == unrolls.CuDNN(), reason


@pytest.mark.parametrize("cell", all_cells(HIDDEN, structures.Diagonal()), ids=label)
@pytest.mark.parametrize("route", ["mosaic", "triton"])
def test_fused(route, cell):
    unroll = unrolls.Fused(route=route)
    if (reason := unroll.refuses(cell)) is not None:
        pytest.skip(reason)
    check(cell, unroll, {"lengths": LENGTHS, "resets": RESETS, "reverse": True})


@pytest.mark.parametrize("cell", CELLS, ids=label)
def test_every_cell_by_every_unroll(cell):
    for unroll in UNROLLS:
        if unroll != unrolls.CuDNN() and unroll.refuses(cell) is None:
            check(cell, unroll, {"lengths": LENGTHS, "resets": RESETS, "reverse": True})


def test_what_rnnzoo_relies_on():
    findings = list(selftest())
    assert not any(finding.wrong for finding in findings), report(findings)
