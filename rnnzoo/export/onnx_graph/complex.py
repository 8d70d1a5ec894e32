"""JAX's operations on complex numbers as ONNX operators on their parts."""

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from rnnzoo.export.onnx_graph.graph import Graph, Pair
from rnnzoo.export.onnx_graph.rules import BINARY, RULES, UNARY, Rule, each_part, part, rule


@rule
def _complex(g, eqn, args):
    return Pair(*args)


@rule
def real(g, eqn, args):
    return part(g, args[0], "re")


@rule
def imag(g, eqn, args):
    return part(g, args[0], "im")


@rule
def conj(g, eqn, args):
    return Pair(part(g, args[0], "re"), g.node("Neg", [part(g, args[0], "im")]))


def parts(g: Graph, value: Any) -> tuple[Any, Any]:
    """Both parts of a value."""
    return part(g, value, "re"), part(g, value, "im")


def product(g: Graph, multiply: Callable[[Any, Any], Any], x: Any, y: Any) -> Pair:
    """A product of complex values by that of real ones."""
    (a, b), (c, d) = parts(g, x), parts(g, y)
    re = g.node("Sub", [multiply(a, c), multiply(b, d)])
    return Pair(re, g.node("Add", [multiply(a, d), multiply(b, c)]))


def _times(g: Graph, a: Any, b: Any) -> Any:
    return g.node("Mul", [a, b])


def _complex_mul(g: Graph, eqn: Any, args: list[Any]) -> Pair:
    return product(g, functools.partial(_times, g), *args)


def _complex_abs(g: Graph, eqn: Any, args: list[Any]) -> Any:
    a, b = parts(g, args[0])
    return g.node("Sqrt", [g.node("Add", [_times(g, a, a), _times(g, b, b)])])


def _complex_div(g: Graph, eqn: Any, args: list[Any]) -> Pair:
    c, d = parts(g, args[1])
    size = g.node("Add", [_times(g, c, c), _times(g, d, d)])
    found = product(g, functools.partial(_times, g), args[0], Pair(c, g.node("Neg", [d])))
    return Pair(g.node("Div", [found.re, size]), g.node("Div", [found.im, size]))


def _complex_exp(g: Graph, eqn: Any, args: list[Any]) -> Pair:
    a, b = parts(g, args[0])
    size = g.node("Exp", [a])
    return Pair(_times(g, size, g.node("Cos", [b])), _times(g, size, g.node("Sin", [b])))


def _complex_square(g: Graph, eqn: Any, args: list[Any]) -> Pair:
    return _complex_mul(g, eqn, [args[0], args[0]])


def _either(name: str, of_complex: Rule) -> None:
    """Let the rule of an operation take complex numbers, too."""
    of_real = RULES[name]

    def apply(g: Graph, eqn: Any, args: list[Any]) -> Any:
        return (of_complex if jnp.iscomplexobj(eqn.invars[0].aval) else of_real)(g, eqn, args)

    RULES[name] = apply


for _name, _rule in (
    ("mul", _complex_mul), ("abs", _complex_abs), ("div", _complex_div), ("exp", _complex_exp),
    ("square", _complex_square),
):  # fmt: skip
    _either(_name, _rule)
for _name in ("add", "add_any", "sub", "neg"):
    _either(_name, each_part(lambda g, eqn, args, operator={**UNARY, **BINARY}[_name]: g.node(operator, args)))


__all__ = ["parts", "product"]
