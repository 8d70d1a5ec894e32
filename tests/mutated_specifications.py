"""Mutate the JSON of every member: only a specification or a UsageError may come of it. Run by
test_mutated_specifications in a process of its own: here beartype, which would complain first, is not on."""

import copy
import itertools
import json
import sys
import time
from typing import Any

from hypothesis import given, seed, settings
from hypothesis import strategies as st

import rnnzoo
from rnnzoo import tasks
from rnnzoo.cells.base import Cell
from rnnzoo.models import Model
from rnnzoo.spec import _FAMILIES, Spec, UsageError, members
from rnnzoo.spec_json import from_json, to_dict, to_json
from rnnzoo.training.config import Config

EXAMPLES, SECONDS = 10, 2.0  # of each member; for one text, of which JAX's tracing takes most
STRANGE: list[Any] = [
    None, True, False, 0, 1, -1, 3, 2**31, 10**12, 10**400, -(10**30), 0.5, -1e300, float("nan"), float("inf"), "", "h",
    "itself", "bfloat16", "x" * 1000, [], [1], [[]], ["h", "h"], [2] * 40, {}, {"type": None}, {"type": 3},
    {"type": ["cells.LSTM"]}, {"type": "cells."}, {"type": ".LSTM"}, {"type": "cells.Cell"}, {"type": "os.system"},
    {"a": 1}, {"type": "cells.LRU", "hidden_size": 4}, {"type": "patterns.RandomRows", "others": 3},
    {"type": "cells.Elman", "hidden_size": 6, "structure": {"type": "structures.Ring"}},
    {"type": "structures.Diagonal"}, {"type": "structures.SparseMask"}, {"type": "tasks.Adding"},
    {"type": "unrolls.Newton"}, {"type": "initializers.Orthogonal"}, {"type": "models.Stack"},
    {"type": "per_gate.PerGate", "gates": ["h"], "structures": [{"type": "structures.Dense"}]},
]  # fmt: skip


class Twice(dict):
    """An object whose names are all written twice."""

    def items(self) -> Any:
        return itertools.chain.from_iterable((pair, pair) for pair in super().items())


def examples() -> list[Spec]:
    """Every member of every family, as small as it can be."""
    cell = rnnzoo.cells.Elman(hidden_size=4)
    found: list[Spec] = [Config(task=tasks.Parity(), cell=cell), Model(cell=cell, input_size=2, output_size=2)]
    for kind in _FAMILIES:
        for cls in members(kind).values():
            if issubclass(cls, Cell):
                found.append(cls(hidden_size=4))  # pyright: ignore[reportCallIssue]
            elif not issubclass(cls, (Config, Model)):
                found.append(cls())
    return found


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in JSON data."""
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, part in parts for place in places(part, (*path, key)))]


def mutated(data: Any, path: tuple[Any, ...], how: str, value: Any) -> Any:
    """The data with one change at that path."""
    if how == "delete" and path:
        holder = copy.deepcopy(data)
        inner = holder
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]
        return holder
    if path:
        changed = dict(data) if isinstance(data, dict) else list(data)
        changed[path[0]] = mutated(data[path[0]], path[1:], how, value)
        return changed
    match how:
        case "twice" if isinstance(data, dict):
            return Twice(data)
        case "add" if isinstance(data, dict):
            return {**data, "extra": value}
        case "wrap":
            return [data]
        case "nest":
            return {"type": "cells.Zoneout", "cell": data}
        case "as type":
            return {"type": data}
    return value


HOW = ("change", "change", "delete", "twice", "add", "wrap", "nest", "as type")


def check(member: Spec) -> list[int]:
    """How many mutations of a member were refused, and how many read."""
    data, counts = to_dict(member), [0, 0]
    paths = places(data)

    @seed(0)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=False)
    @given(st.sampled_from(paths), st.sampled_from(HOW), st.sampled_from(STRANGE) | st.integers() | st.text())
    def try_one(path: tuple[Any, ...], how: str, value: Any) -> None:
        text = json.dumps(mutated(data, path, how, data if value == "itself" else value))
        began = time.process_time()
        try:
            found = from_json(text)
        except UsageError as error:
            assert len(str(error)) < 3000, text
            counts[0] += 1
        else:
            assert isinstance(found, Spec) and from_json(to_json(found)) == found, text
            counts[1] += 1
        assert time.process_time() - began < SECONDS, text

    try_one()
    return counts


def main() -> None:
    """Check every member, and print how many mutations were refused and read."""
    totals = [0, 0]
    for member in examples():
        try:
            totals = [a + b for a, b in zip(totals, check(member), strict=True)]
        except BaseException:
            print(f"of {member}", file=sys.stderr)
            raise
    print(*totals)


if __name__ == "__main__":
    main()
