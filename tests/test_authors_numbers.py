"""Cells against numbers that their authors' own code gave; each file says which code, and how its weights map."""

import json
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close

from rnnzoo import run, spec_json, unrolls
from rnnzoo.spec import find

FILES = sorted((pathlib.Path(__file__).parent / "fixtures" / "authors").glob("*.json"))


def arrays(tree: Any) -> Any:
    """The same tree, of arrays where it has lists."""
    return {k: arrays(v) for k, v in tree.items()} if isinstance(tree, dict) else jnp.asarray(tree, float)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_cell_gives_its_authors_numbers(x64, file):
    given = json.loads(file.read_text())
    fields = {name: spec_json.from_dict(value) for name, value in given["fields"].items()}
    cls: Any = find("cells", given["cell"])
    cell = cls(hidden_size=given["hidden_size"], **fields)
    params, state = arrays(given["params"]), arrays(given["state"])
    shapes = jax.eval_shape(lambda: cell.init(jax.random.key(0), given["input_size"]))
    assert jax.tree.map(np.shape, params) == jax.tree.map(np.shape, shapes)
    dt: Any = arrays(given["dt"]) if "dt" in given else None  # the elapsed times (T,), where not all are 1
    actual = run(cell, params, arrays(given["xs"]), state, unroll=unrolls.Loop(), dt=dt)
    assert_close(actual, (arrays(given["ys"]), arrays(given["last"])), given["tolerance"])
