"""Golden files: what a stored file of each member depends on, its JSON and its parameters. A change breaks old files.

``python -m tests.golden.update`` rewrites them: ``tests/golden/<family>/<Name>.json`` and, for the Flax faces,
``tests/golden/faces.json``. Read the difference before you commit it.
"""

import dataclasses
import json
import pathlib
from typing import Any

import jax

import rnnzoo
from rnnzoo.spec_json import to_dict

FOLDER = pathlib.Path(__file__).parent
SIZE, INPUT_SIZE = 8, 4


def shapes(tree: Any, root: str = "") -> dict[str, str]:
    """Path -> shape of every array: {"u.h.a": "(8, 1)", ...}."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    names = [".".join(filter(None, [root, jax.tree_util.keystr(p, simple=True, separator=".")])) for p, _ in leaves]
    return {name: str(leaf.shape) for name, (_, leaf) in zip(names, leaves, strict=True)}


def specification(member: Any) -> dict[str, Any]:
    """The JSON of a member: the names and the values of its fields."""
    return {"spec": to_dict(member)}


def pattern(member: Any) -> dict[str, Any]:
    """A pattern of 8 units, whose edges say what stored numbers mean: row i has a 1 where unit i hears unit j."""
    rows = ["".join(map(str, row)) for row in member.mask(SIZE).astype(int)]
    return specification(member) | {"mask": rows}


def structure(member: Any) -> dict[str, Any]:
    """A structure of size 8."""
    u = jax.eval_shape(lambda: member.init(jax.random.key(0), SIZE))
    return specification(member) | {
        "params": shapes(u, "u"),
        "num_params": member.num_params(SIZE),
        "nonzeros": member.nonzeros(SIZE),
        "connectivity": member.connectivity,
    }


def cell(member: Any) -> dict[str, Any]:
    """A cell with 4 input features."""
    params = jax.eval_shape(lambda: member.init(jax.random.key(0), INPUT_SIZE))
    return specification(member) | {
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


def model(member: Any) -> dict[str, Any]:
    """A whole network, or how its layers are stacked."""
    params = jax.eval_shape(lambda: member.init(jax.random.key(0))) if isinstance(member, rnnzoo.models.Model) else {}
    return specification(member) | {"params": shapes(params)}


FAMILIES = {  # what the golden file of a member says
    "attentions": specification,
    "blocks": specification,
    "cells": cell,
    "configs": specification,
    "initializers": specification,
    "loggers": specification,
    "mlps": specification,
    "models": model,
    "norms": specification,
    "patterns": pattern,
    "per_gate": specification,
    "structures": structure,
    "tasks": specification,
    "unrolls": specification,
}


def current(family: str) -> dict[str, dict[str, Any]]:
    """Name -> what the golden file of each of the package's own members should say, with its default fields."""
    own: dict[str, Any] = {n: c for n, c in rnnzoo.members(family).items() if c.__module__.startswith("rnnzoo.")}
    return {name: json.loads(json.dumps(FAMILIES[family](_made(cls)))) for name, cls in own.items()}


def _made(cls: Any) -> Any:
    """A member with its default fields, and with small ones where there is no default."""
    cell = rnnzoo.cells.LSTM(hidden_size=SIZE)
    small = {"hidden_size": SIZE, "task": rnnzoo.tasks.Parity(), "input_size": INPUT_SIZE, "output_size": 2}
    bare = [f.name for f in dataclasses.fields(cls) if f.name == "hidden_size" or f.default is dataclasses.MISSING]
    return cls(**{name: small.get(name, cell) for name in bare})


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
