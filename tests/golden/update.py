"""Golden files: what each member looks like to whoever stored its parameters. A change here breaks checkpoints.

``python -m tests.golden.update`` writes them anew, ``tests/golden/<family>/<Name>.json`` and, for the Flax faces,
``tests/golden/faces.json``; read the difference before you commit it.
"""

import json
import pathlib
from typing import Any

import jax

import rnnzoo
from rnnzoo.spec import to_dict

FOLDER = pathlib.Path(__file__).parent
SIZE, INPUT_SIZE = 8, 4


def shapes(tree: Any, root: str = "") -> dict[str, str]:
    """Path -> shape of every array: {"u.h.a": "(8, 1)", ...}."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    names = [".".join(filter(None, [root, jax.tree_util.keystr(p, simple=True, separator=".")])) for p, _ in leaves]
    return {name: str(leaf.shape) for name, (_, leaf) in zip(names, leaves, strict=True)}


def structure(cls: Any) -> dict[str, Any]:
    """A structure with its default fields, of size 8."""
    member = cls()
    u = jax.eval_shape(lambda: member.init(jax.random.key(0), SIZE))
    return {
        "spec": to_dict(member),
        "params": shapes(u, "u"),
        "num_params": member.num_params(SIZE),
        "nonzeros": member.nonzeros(SIZE),
        "connectivity": member.connectivity,
    }


def cell(cls: Any) -> dict[str, Any]:
    """A cell with its default fields, 8 hidden units and 4 input features."""
    member = cls(hidden_size=SIZE)
    params = jax.eval_shape(lambda: member.init(jax.random.key(0), INPUT_SIZE))
    return {
        "spec": to_dict(member),
        "params": shapes(params),
        "state": shapes(jax.eval_shape(member.initial_state, params)),
        "output_size": member.output_size,
    }


def faces() -> dict[str, dict[str, str]]:
    """The paths of an LSTM's parameters in each of the Flax faces."""
    import flax.linen as nn
    from flax import nnx

    import rnnzoo.linen
    import rnnzoo.nnx

    cell = rnnzoo.cells.LSTM(hidden_size=SIZE, structure=rnnzoo.structures.Banded(bandwidth=1))
    linen = {
        "linen.RNN": rnnzoo.linen.RNN(cell),
        "linen.RNNCell in nn.RNN": nn.RNN(rnnzoo.linen.RNNCell(cell)),
        "linen.RNN in nn.Bidirectional": nn.Bidirectional(rnnzoo.linen.RNN(cell), rnnzoo.linen.RNN(cell)),
    }
    xs = jax.ShapeDtypeStruct((1, 1, INPUT_SIZE), "float32")
    found = {name: shapes(jax.eval_shape(module.init, jax.random.key(0), xs)) for name, module in linen.items()}
    for kind in (rnnzoo.nnx.RNN, rnnzoo.nnx.RNNCell):
        module = kind(cell, INPUT_SIZE, rngs=nnx.Rngs(0))
        found[f"nnx.{kind.__name__}"] = shapes(nnx.to_pure_dict(nnx.state(module)))
    return found


FAMILIES = {"structures": structure, "cells": cell}


def current(family: str) -> dict[str, dict[str, Any]]:
    """Name -> what the golden file of each of the package's own members should say."""
    own = {n: c for n, c in rnnzoo.members(family).items() if c.__module__.startswith("rnnzoo.")}
    return {name: json.loads(json.dumps(FAMILIES[family](cls))) for name, cls in own.items()}


def stored(family: str) -> dict[str, dict[str, Any]]:
    """Name -> what its golden file says."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / family).glob("*.json"))}


def main() -> None:
    """Write the files of all members, remove those of members that are gone."""
    for family in FAMILIES:
        members = current(family)
        (FOLDER / family).mkdir(exist_ok=True)
        for name in stored(family).keys() - members.keys():
            (FOLDER / family / f"{name}.json").unlink()
        for name, content in members.items():
            (FOLDER / family / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    (FOLDER / "faces.json").write_text(json.dumps(faces(), indent=1) + "\n")


if __name__ == "__main__":
    main()
