"""Parameters u reach `materialize` alone; `matvec` and `compose` get prepared matrices, whoever calls them."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from zoo import own_structures

import rnnzoo
from rnnzoo import structures, unrolls
from rnnzoo.spec import field_types, spec
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.structures.nearest import nearest_member
from rnnzoo.structures.spectral import pattern, with_unit_radius


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Prepared:
    """What `_Guarded.materialize` makes of u."""

    u: Any


@spec
class _Guarded(Algebra):
    """Another structure that refuses parameters where a prepared matrix is due, and the other way around."""

    inner: Algebra = structures.Diagonal()

    additive = True

    @property
    def connectivity(self):  # pyright: ignore
        return self.inner.connectivity

    @property
    def jacobian(self):  # pyright: ignore
        return self

    def check(self, size):
        self.inner.check(size)

    def init(self, key, size):
        return self.inner.init(key, size)

    def materialize(self, u):
        assert not isinstance(u, Prepared), "materialize takes parameters"
        return Prepared(self.inner.materialize(u))

    def matvec(self, u, h):
        assert isinstance(u, Prepared), "matvec takes a prepared matrix"
        return self.inner.matvec(u.u, h)

    def compose(self, a, b):
        assert isinstance(a, Prepared) and isinstance(b, Prepared), "compose takes prepared matrices"
        return Prepared(self.inner.compose(a.u, b.u))

    def identity(self, size):
        return self.inner.identity(size)

    def probes(self, size):
        return self.inner.probes(size)

    def from_probes(self, columns):
        return self.inner.from_probes(columns)

    def nearest(self, dense):
        return self.inner.nearest(dense)


AROUND = {  # structures that have another one as a part, with one that refuses what it should not get
    "itself": _Guarded(),
    "Masked": structures.Masked(structure=_Guarded()),
    "Scaled": structures.Scaled(structure=_Guarded()),
    "Sum": structures.Sum(a=_Guarded(), b=structures.Scaled(structure=_Guarded())),
    "ComplexPairs": structures.ComplexPairs(structure=_Guarded()),
    "Partitioned": structures.Partitioned(entry=_Guarded()),
}


def parts_of(structure: Structure) -> list[str]:
    """The fields that hold a structure."""
    return [name for name in field_types(type(structure)) if isinstance(getattr(structure, name), Structure)]


def test_every_structure_with_parts_is_guarded():
    with_parts = {type(s).__name__ for s in own_structures() if parts_of(s)}
    assert with_parts == AROUND.keys() - {"itself"}


# What is refused is refused while a function is traced, so that nothing needs to be compiled.
@pytest.mark.parametrize("name", AROUND)
def test_only_prepared_matrices_reach_matvec(name):
    structure, size = AROUND[name], 4
    u = structure.init(jax.random.key(0), size)
    shapes = jax.tree.map(jnp.shape, u)
    assert jax.eval_shape(lambda u: structure.matrix(u, size), u).shape == (size, size)
    found = jax.eval_shape(functools.partial(nearest_member, structure), jnp.eye(size))
    assert jax.tree.map(jnp.shape, found) == shapes
    scaled = jax.eval_shape(lambda u: with_unit_radius(structure, u, size), u)
    assert jax.tree.map(jnp.shape, scaled) == shapes
    assert pattern(structure, size).sum() == structure.nonzeros(size)


@pytest.mark.parametrize("initializer", rnnzoo.members("initializers").values(), ids=lambda cls: cls.__name__)
def test_only_prepared_matrices_reach_matvec_in_initializers(initializer):
    structure, size = _Guarded(inner=structures.Triangular()), 4
    if initializer().refuses(structure, size) is None:
        u = jax.eval_shape(lambda: initializer().matrix(jax.random.key(0), structure, size))
        assert u.shape == (10,)


@pytest.mark.parametrize("unroll", [unrolls.Scan(), unrolls.Loop(), unrolls.Newton(), unrolls.QuasiNewton()], ids=str)
@pytest.mark.parametrize("name", AROUND)
def test_only_prepared_matrices_reach_matvec_in_a_run(name, unroll):
    cell = rnnzoo.cells.Elman(hidden_size=4, structure=AROUND[name])
    params = cell.init(jax.random.key(0), 2)
    gradient = jax.grad(lambda params: rnnzoo.run(cell, params, jnp.ones((3, 2)), unroll=unroll)[0].sum())
    assert jax.tree.map(jnp.shape, jax.eval_shape(gradient, params)) == jax.tree.map(jnp.shape, params)
