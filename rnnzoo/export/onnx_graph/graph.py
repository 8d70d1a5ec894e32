"""Translate a jaxpr whose shapes may have symbols to ONNX. What depends only on constants is computed here; nodes that
nothing uses are left out."""

import ast
import dataclasses
from typing import Any

import numpy as np
from jax import tree

from rnnzoo.export.primitives import Refused
from rnnzoo.jaxprs import inner_jaxpr, is_literal
from rnnzoo.spec import UsageError

OPSET = 18
_ACCEPTED = "accepted: another cell or structure, or the formats stablehlo and numpy"


@dataclasses.dataclass(frozen=True)
class Name:
    """A tensor of the graph."""

    text: str


@dataclasses.dataclass(frozen=True)
class Pair:
    """A complex tensor, which ONNX's operators do not have: its real and imaginary parts, each a name or an array."""

    re: Any
    im: Any


class Weights:
    """The constants of a graph and of all graphs in it, and what gives names to everything."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.count = 0

    def fresh(self, start: str) -> str:
        self.count += 1
        return f"{start}{self.count}"

    def name(self, array: np.ndarray) -> str:
        """The name of a constant; equal ones have the same."""
        for name, known in self.arrays.items():
            if known is array or (
                (known.dtype, known.shape) == (array.dtype, array.shape) and np.array_equal(known, array)
            ):
                return name
        self.arrays[name := self.fresh("w")] = array
        return name


class Graph:
    """The nodes of one graph. `dims` has the size of each symbol, a tensor of one int64; `rules` has a function of the
    graph, an equation and its arguments for the name of every operation."""

    def __init__(self, weights: Weights, dims: dict[str, str], rules: dict[str, Any]) -> None:
        self.weights, self.dims, self.rules = weights, dims, rules
        self.nodes: list[Any] = []

    def node(self, operator: str, inputs: list[Any], outputs: int = 1, **attributes: Any) -> Any:
        """A node's results: a `Name`, or a list of them. Inputs are names, arrays, or None where there is none."""
        from onnx import helper

        names = [self.weights.fresh("v") for _ in range(outputs)]
        self.nodes.append(helper.make_node(operator, [self.text(a) for a in inputs], names, **attributes))
        return Name(names[0]) if outputs == 1 else [Name(n) for n in names]

    def text(self, value: Any) -> str:
        """The name of a tensor or of an array; "" for None."""
        if value is None:
            return ""
        if isinstance(value, (Name, str)):
            return value if isinstance(value, str) else value.text
        return self.weights.name(np.asarray(value))

    def ints(self, values: Any) -> np.ndarray:
        return np.asarray(values, np.int64)

    def shape(self, sizes: Any) -> Any:
        """A shape as a tensor of int64."""
        if all(isinstance(size, (int, np.integer)) for size in sizes):
            return self.ints(sizes)
        return self.node("Concat", [self.size(size) for size in sizes], axis=0)

    def size(self, size: Any) -> Any:
        """A size, which may be an expression of symbols, as a tensor of one int64."""
        if isinstance(size, (int, np.integer)):
            return self.ints([size])
        return self._expression(ast.parse(str(size), mode="eval").body, size)

    def _expression(self, part: ast.AST, whole: Any) -> Any:
        match part:
            case ast.Constant(value=int(value)):
                return self.ints([value])
            case ast.Name(id=name) if name in self.dims:
                return Name(self.dims[name])
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() as op, right=right):
                operator = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul"}[type(op)]
                return self.node(operator, [self._expression(left, whole), self._expression(right, whole)])
        raise Refused(f"has the size {whole}")

    # ---- equations ---------------------------------------------------------------------------------------

    def run(self, jaxpr: Any, consts: Any, args: list[Any]) -> list[Any]:
        """The results of a jaxpr: each a `Name`, a `Pair`, or an array if it is constant."""
        env: dict[Any, Any] = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *args), strict=True))

        def value(atom: Any) -> Any:
            return atom.val if is_literal(atom) else env[atom]

        for eqn in jaxpr.eqns:
            env |= zip(eqn.outvars, self._equation(eqn, [value(a) for a in eqn.invars]), strict=True)
        return [value(a) for a in jaxpr.outvars]

    def _equation(self, eqn: Any, args: list[Any]) -> list[Any]:
        if (called := inner_jaxpr(eqn)) is not None:
            return self.run(called.jaxpr, called.consts, args)
        name = eqn.primitive.name
        if not any(isinstance(a, (Name, Pair)) for a in args) and _has_numbers_only(eqn):
            found = eqn.primitive.bind(*args, **eqn.params)
            return list(found) if eqn.primitive.multiple_results else [found]
        args = [a if isinstance(a, (Name, Pair)) else np.asarray(a) for a in args]
        if name not in self.rules:
            raise UsageError(f"ONNX cannot carry this model: there is no rule for the operation {name!r}; {_ACCEPTED}")
        try:
            found = self.rules[name](self, eqn, args)
        except Refused as error:
            raise UsageError(f"ONNX cannot carry this model: {name!r} {error}; {_ACCEPTED}") from None
        return found if isinstance(found, list) else [found]

    # ---- the end -----------------------------------------------------------------------------------------

    def live(self, outputs: list[str]) -> tuple[list[Any], set[str]]:
        """The nodes that lead to these outputs, and the names that they and the outputs read."""
        used, kept = set(outputs), []
        for node in reversed(self.nodes):
            if used.intersection(node.output):
                kept.append(node)
                used.update(node.input)
                for attribute in node.attribute:
                    used.update(name for inner in attribute.g.node for name in _reads(inner))
        return kept[::-1], used


def _has_numbers_only(eqn: Any) -> bool:
    """Whether no shape of the equation has a symbol."""
    shapes = [a.aval.shape for a in (*eqn.invars, *eqn.outvars)]
    return eqn.primitive.name != "dim_as_value" and all(isinstance(n, int) for n in tree.leaves(shapes))


def is_symbol(size: Any) -> bool:
    """Whether a size is an expression of symbols."""
    return not isinstance(size, (int, np.integer))


def _reads(node: Any) -> list[str]:
    inner = [name for a in node.attribute for n in a.g.node for name in _reads(n)]
    return [*node.input, *inner]


__all__ = ["OPSET", "Graph", "Name", "Pair", "Weights", "is_symbol"]
