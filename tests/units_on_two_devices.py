"""Run by test_devices.py in a process of its own with two CPU devices: units over both, which need not talk."""

import dataclasses
import functools
import re

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding
from support import assert_close
from unroll_support import arguments
from zoo import CELLS, parameters

import rnnzoo
from rnnzoo import cells, run, structures
from rnnzoo.cells.base import Recurrent
from rnnzoo.unrolls.fused.unroll import unfit

FEATURES = 4
COLLECTIVE = re.compile(r"= \S+ (all-gather|all-reduce|all-to-all|collective-permute|reduce-scatter)")
SPARSE = (structures.Diagonal(), structures.BlockDiagonal(block=3))
QUICK = (cells.LSTM, cells.GRU)


def with_structure(cell, structure):
    return dataclasses.replace(cell, structure=structure)


RECURRENT = [cell for cell in CELLS if isinstance(cell, Recurrent)]
ALONE = [cell for cell in RECURRENT if unfit(with_structure(cell, structures.Diagonal())) is None]
RUNS = [with_structure(cell, structure) for cell in ALONE for structure in SPARSE]
MEETING = [
    with_structure(cells.GRU(hidden_size=6), structures.Dense()),
    with_structure(cells.LSTM(hidden_size=6), structures.Banded(bandwidth=1)),
    cells.LayerNormLSTM(hidden_size=6),
    cells.GLA(hidden_size=8),
    cells.LRU(hidden_size=8),
]


@functools.cache
def split(cell):
    """Parameters, whole and with their units on two devices, and inputs."""
    params, xs, _ = arguments(cell)
    mesh = jax.make_mesh((2,), ("units",), axis_types=(AxisType.Auto,))
    specs = rnnzoo.unit_specs(cell, cell.input_size_of(FEATURES))
    return params, jax.device_put(params, jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs)), xs


def outputs(cell, params, xs):
    return run(cell, params, xs)


def gradients(cell, params, xs):
    def loss(params):
        ys, last = run(cell, params, xs)
        return sum((jnp.abs(a) ** 2).sum() for a in jax.tree.leaves((ys, last)))

    return jax.grad(loss, allow_int=True)(params)


def loops_of(program: str) -> list[str]:
    """The computations of a compiled program but for its first, which runs once."""
    parts = re.split(r"^(?=(?:ENTRY )?%?[\w.\-]+ .*\{$)", program, flags=re.MULTILINE)
    return [part for part in parts[1:] if not part.startswith("ENTRY")]


def inside_loops(cell, function):
    _, params, xs = split(cell)
    program = jax.jit(functools.partial(function, cell)).lower(params, xs).compile().as_text() or ""
    return [found.group(1) for part in loops_of(program) for found in COLLECTIVE.finditer(part)]


@parameters("cell", RUNS, lambda cell: type(cell) in QUICK)
def test_units_that_do_not_meet_need_no_communication_in_the_loop(cell):
    assert inside_loops(cell, outputs) == []
    assert inside_loops(cell, gradients) == []


def test_a_collective_would_be_seen():
    assert inside_loops(MEETING[0], outputs) and inside_loops(MEETING[0], gradients)


@parameters("cell", RUNS + MEETING, lambda cell: cell in MEETING or type(cell) in QUICK)
def test_values_and_gradients_are_those_of_one_device(cell):
    whole, params, xs = split(cell)
    for function in (outputs, gradients):
        one, two = (jax.jit(functools.partial(function, cell))(p, xs) for p in (whole, params))
        assert_close(jax.tree.map(jnp.asarray, jax.device_get(two)), jax.device_get(one), 1e-5)
