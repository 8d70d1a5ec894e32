"""Cells against numbers that their authors' own code gave; each file says which code and how its weights map."""

import json
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from support import assert_close

from rnnzoo import run, unrolls
from rnnzoo.spec import find

FILES = sorted((pathlib.Path(__file__).parent / "fixtures" / "authors").glob("*.json"))


def arrays(tree):
    """A tree of nested dicts, with its nested lists as arrays."""
    return jax.tree.map(jnp.asarray, tree, is_leaf=lambda leaf: not isinstance(leaf, dict))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_cell_gives_the_numbers_of_its_authors(x64, file):
    given = json.loads(file.read_text())
    cls: Any = find("cells", given["cell"])
    cell = cls(hidden_size=given["hidden_size"], **given["fields"])
    params, state, xs, ys, last = (arrays(given[name]) for name in ("params", "state", "xs", "ys", "last"))
    shapes = jax.eval_shape(lambda key: cell.init(key, given["input_size"]), jax.random.key(0))
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, shapes)
    assert_close(run(cell, params, xs, state, unroll=unrolls.Loop()), (ys, last), given["tolerance"])
