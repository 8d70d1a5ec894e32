"""What the tests of structures share: sizes that fit, random parameters, and what every structure promises."""

import functools
import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from support import assert_close

import rnnzoo
from rnnzoo.structures.base import Algebra, Structure

SIZES = range(1, 18)


def fits(structure: Structure, size: int) -> bool:
    try:
        structure.check(size)
    except rnnzoo.UsageError:
        return False
    return True


def few_sizes(structure: Structure) -> list[int]:
    """The least and a middle one of SIZES that fit, and for algebras with default fields the greatest: each costs a
    compilation."""
    possible = [size for size in SIZES if fits(structure, size)]
    make: Any = type(structure)
    greatest = [possible[-1]] if structure == make() and isinstance(structure, Algebra) else []
    return sorted({possible[0], possible[len(possible) // 2], *greatest})


def fitting(structure: Structure, *sizes: int) -> int:
    """The first of the sizes that fits."""
    return next(size for size in sizes if fits(structure, size))


def draw(structure: Structure, size: int, seed: int = 0) -> Any:
    """Random parameters with no regard to how training starts."""
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(lambda: structure.init(jax.random.key(0), size))
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), leaf.dtype), shapes)


def product(structure: Structure, u: Any, h: Any) -> Any:
    """U h from the parameters u."""
    return structure.matvec(structure.materialize(u), h)


def lifted(structure: Structure, u: Any, size: int) -> Any:
    """The same matrix as a member of the structure's closure."""
    if structure.closure == structure:
        return u
    columns = jax.vmap(functools.partial(product, structure), (None, 0))(u, structure.closure.probes(size))
    return structure.closure.from_probes(columns)


@functools.cache
def observed(structure: Structure, size: int) -> Any:
    """All that the methods say about two members of the family and two vectors, in one compilation."""

    def observe(u, v, h, k, g):
        prepared_u, prepared_v = structure.materialize(u), structure.materialize(v)
        pull_u, pull_h = jax.vjp(functools.partial(product, structure), u, h)[1](g)
        said = {
            "matvec": structure.matvec(prepared_u, h),
            "linear": structure.matvec(prepared_u, 2 * h - 3 * k),
            "transpose": pull_h,
            "batch of vectors": jax.vmap(structure.matvec, (None, 0))(prepared_u, jnp.stack([h, k])),
            "batch of both": jax.vmap(functools.partial(product, structure))(
                jax.tree.map(lambda *a: jnp.stack(a), u, v), jnp.stack([h, k])
            ),
            "lift": structure.closure.matrix(lifted(structure, u, size), size),
        }
        if isinstance(structure, Algebra):
            bare_u, bare_v = structure.bare(prepared_u), structure.bare(prepared_v)
            composed = structure.compose(bare_u, bare_v)
            assert jax.tree.map(jnp.shape, composed) == jax.tree.map(jnp.shape, bare_u)
            said["bare"] = structure.matvec(bare_u, h)
            said["compose"] = jax.vmap(structure.matvec, (None, 0), 1)(composed, jnp.eye(size))
            images = jax.vmap(structure.matvec, (None, 0))(prepared_u, structure.probes(size))
            said["from_probes"] = structure.matrix(structure.from_probes(images), size)
        after = structure.matrix(jax.tree.map(jnp.add, u, pull_u), size)
        return said, structure.matrix(u, size), structure.matrix(v, size), after

    return jax.jit(observe, compiler_options={"xla_backend_optimization_level": 0})


def with_dense_matrices(cell: Any, params: Any) -> Any:
    """The parameters with every recurrent matrix U as a dense one, and zeros for biases that the cell lacks: what a
    reference takes. Traceable."""
    found = jax.tree.map(lambda a: a, params)
    for name, structure in cell.structures.items():
        *scopes, gate = name.split(".")
        us = functools.reduce(operator.getitem, scopes, found)["u"]
        us[gate] = structure.matrix(us[gate], cell.hidden_size)
    weights = found.get("w", {})
    found.setdefault("b", {g: jnp.zeros(len(weights[g]) if g in weights else cell.hidden_size) for g in cell.gates})
    return found


def check_identities(structure: Structure, size: int, seed: int) -> None:
    h, k, g = np.random.default_rng(seed).normal(size=(3, size))
    arguments = draw(structure, size, seed), draw(structure, size, seed + 1), h, k, g
    said, u, v, after = jax.tree.map(np.asarray, observed(structure, size)(*arguments))
    expected = {
        "matvec": u @ h,
        "bare": u @ h,
        "linear": 2 * (u @ h) - 3 * (u @ k),
        "transpose": u.T @ g,
        "batch of vectors": np.stack([u @ h, u @ k]),
        "batch of both": np.stack([u @ h, v @ k]),
        "lift": u,
        "compose": u @ v,
        "from_probes": u,
    }
    assert_close(said, {name: expected[name] for name in said})
    if structure.nonzeros(size) < size**2:
        assert not after[(u == 0) & (v == 0)].any(), "the gradient left the pattern"
