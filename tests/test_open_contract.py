"""A cell, a structure and an unroll written outside the package work with all the others, and everywhere."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from support import assert_close, inputs, random_like
from zoo import all_cells, all_structures, is_varied, marked

import rnnzoo
from rnnzoo import cells, structures, unrolls
from rnnzoo.cells.base import Cell, Recurrent
from rnnzoo.spec import find, spec
from rnnzoo.structures.base import Structure
from rnnzoo.training.config import Config
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.loop import Loop


@spec
class Anti(Structure):
    """The anti-diagonal."""

    closure = structures.Dense()  # pyright: ignore
    connectivity = "cyclic"  # pyright: ignore

    def init(self, key, size):
        return jax.random.normal(key, (size,))

    def matvec(self, u, h):
        return u * h[::-1]


@spec
class Leaky(Recurrent):
    """A leaky integrator with a learned rate per unit."""

    structure: Structure = structures.Dense()

    def init(self, key, input_size):
        return super().init(key, input_size) | {"rate": jnp.full(self.hidden_size, 0.5)}

    def step(self, params, state, z_t, recur):
        h_tilde = jnp.tanh(recur(state["h"])["h"])
        return {"h": (1 - params["rate"]) * state["h"] + params["rate"] * h_tilde}


@spec
class Backwards(Unroll):
    """A loop that is written another way."""

    def __call__(self, cell, params, state, zs, controls):
        time = jax.tree.leaves(zs)[0].shape[0]
        pick = functools.partial(jax.tree.map, lambda a: a[0])
        rest = functools.partial(jax.tree.map, lambda a: a[1:])
        if not time:
            return jax.tree.map(lambda a: a[None][:0], state)
        first = Loop()(cell, params, state, jax.tree.map(lambda a: a[:1], zs), jax.tree.map(lambda a: a[:1], controls))
        tail = self(cell, params, pick(first), rest(zs), rest(controls))
        return jax.tree.map(lambda a, b: jnp.concatenate([a, b]), first, tail)


def run_both(cell: Cell, unroll: Unroll) -> Any:
    params = random_like(jax.random.key(3), cell.init(jax.random.key(0), 4), 0.4)

    def loss(params, xs, unroll):
        ys, last = rnnzoo.run(cell, params, xs, lengths=jnp.array([3, 2]), unroll=unroll)
        return (ys**2).sum() + sum((leaf**3).sum() for leaf in last.values())

    xs = inputs(3, (2,))
    return tuple(jax.jit(jax.value_and_grad(loss, (0, 1)), static_argnums=2)(params, xs, u) for u in (unroll, Loop()))


@pytest.mark.parametrize("structure", all_structures(6), ids=str)
def test_a_new_cell_works_with_every_structure(x64, structure):
    assert_close(*run_both(Leaky(hidden_size=6, structure=structure), unrolls.Scan()))


@pytest.mark.parametrize("cell", marked(all_cells(6, Anti()), is_varied))
def test_a_new_structure_works_with_every_cell(x64, cell):
    assert_close(*run_both(cell, unrolls.Scan()))


@pytest.mark.parametrize("cell", marked(all_cells(6), is_varied))
def test_a_new_unroll_works_with_every_cell(x64, cell):
    assert_close(*run_both(cell, Backwards()))


def test_a_new_member_is_refused_where_it_cannot_work():
    cell = Leaky(hidden_size=6)
    with pytest.raises(rnnzoo.UsageError, match="Leaky is not affine in its state"):
        rnnzoo.run(cell, cell.init(jax.random.key(0), 4), inputs(), unroll=unrolls.Associative())


@spec
class ByHand(Leaky):
    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(recur(state["h"])["h"] + params["u"]["h"] @ state["h"])}


@pytest.mark.parametrize("unroll", [Loop(), unrolls.Scan()], ids=str)
def test_a_step_that_reads_the_numbers_of_u_is_refused(unroll):
    cell = ByHand(hidden_size=6)
    params = cell.init(jax.random.key(0), 4)
    with pytest.raises(rnnzoo.UsageError, match=r"step of ByHand reads params\['u'\]; accepted: recur"):
        rnnzoo.run(cell, params, inputs(), unroll=unroll)


def test_new_members_work_in_json_configuration_and_training(tmp_path):
    config = Config(
        task=rnnzoo.tasks.BinaryAddition(bits=3),
        cell=Leaky(hidden_size=6, structure=Anti()),
        unroll=Backwards(),
        steps=4,
        log_every=2,
        eval_every=4,
        seeds=2,
    )
    assert rnnzoo.from_json(rnnzoo.to_json(config)) == config
    final = Job(config, tmp_path / "run", Progress(config)).run()
    assert len(final["metrics"]["wrong_sums"]["per_seed"]) == 2


def test_new_members_are_listed_and_found_by_name():
    assert find("cells", "leaky") is Leaky
    assert "Anti" in rnnzoo.members("structures") and "Backwards" in rnnzoo.members("unrolls")
    assert cells.LSTM in rnnzoo.members("cells").values()
