"""JAX's operations as ONNX operators. A rule takes the graph, the equation and its arguments, and returns the result,
or a list of results."""

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from rnnzoo.export.onnx_graph.graph import Graph, Name, Pair
from rnnzoo.export.primitives import Refused

Rule = Callable[[Graph, Any, list[Any]], Any]
RULES: dict[str, Rule] = {}

UNARY = {
    "abs": "Abs", "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh", "erf": "Erf", "exp": "Exp", "floor": "Floor",
    "log": "Log", "logistic": "Sigmoid", "neg": "Neg", "not": "Not", "sign": "Sign", "sin": "Sin", "sinh": "Sinh",
    "sqrt": "Sqrt", "tan": "Tan", "tanh": "Tanh",
}  # fmt: skip
BINARY = {
    "add": "Add", "add_any": "Add", "and": "And", "div": "Div", "eq": "Equal", "ge": "GreaterOrEqual", "gt": "Greater",
    "le": "LessOrEqual", "lt": "Less", "max": "Max", "min": "Min", "mul": "Mul", "or": "Or", "pow": "Pow",
    "sub": "Sub", "xor": "Xor",
}  # fmt: skip
IDENTITY = ("copy", "copy_p", "stop_gradient", "reduce_precision")
REDUCTIONS = {
    "reduce_sum": "ReduceSum",
    "reduce_max": "ReduceMax",
    "reduce_min": "ReduceMin",
    "reduce_prod": "ReduceProd",
}


def rule(function: Rule) -> Rule:
    """Register a function as the rule of the operation that it is named after."""
    RULES[function.__name__.strip("_")] = function
    return function


def each_part(function: Rule) -> Rule:
    """A rule that moves entries or adds them up does so with both parts of complex ones."""

    @functools.wraps(function)
    def either(g: Graph, eqn: Any, args: list[Any]) -> Any:
        if not any(jnp.iscomplexobj(a.aval) for a in eqn.invars):
            return function(g, eqn, args)
        found = [function(g, eqn, [part(g, a, name) for a in args]) for name in ("re", "im")]
        if isinstance(found[0], list):
            return [Pair(re, im) for re, im in zip(*found, strict=True)]
        return Pair(*found)

    return either


def part(g: Graph, value: Any, name: str) -> Any:
    """The real or imaginary part of a value."""
    if isinstance(value, Pair):
        return getattr(value, name)
    if isinstance(value, Name):
        return value if name == "re" else g.node("Sub", [value, value])
    value = np.asarray(value)
    if value.dtype.kind in "bi":  # places, which are the same in both
        return value
    return np.asarray(value.real if name == "re" else value.imag, np.float32)


def _refuses_integers(eqn: Any) -> None:
    if any(a.aval.dtype.kind in "iu" for a in eqn.invars):
        raise Refused("is of integers")


def _simple(operator: str) -> Rule:
    def apply(g: Graph, eqn: Any, args: list[Any]) -> Any:
        if any(jnp.iscomplexobj(a.aval) for a in eqn.invars):
            raise Refused("is of complex numbers")
        if operator in ("And", "Or", "Xor", "Not"):
            _refuses_integers(eqn)
        return g.node(operator, args)

    return apply


RULES |= {name: _simple(operator) for name, operator in {**UNARY, **BINARY}.items()}
RULES |= {name: lambda g, eqn, args: args[0] for name in IDENTITY}


@rule
def optimization_barrier(g, eqn, args):
    return args


@rule
def ne(g, eqn, args):
    return g.node("Not", [g.node("Equal", args)])


@rule
def rem(g, eqn, args):
    return g.node("Mod", args, fmod=1)


@rule
def square(g, eqn, args):
    return g.node("Mul", [args[0], args[0]])


@rule
def rsqrt(g, eqn, args):
    return g.node("Reciprocal", [g.node("Sqrt", args)])


@rule
def erfc(g, eqn, args):
    return g.node("Sub", [np.float32(1), g.node("Erf", args)])


@rule
def integer_pow(g, eqn, args):
    power = eqn.params["y"]
    return square(g, eqn, args) if power == 2 else g.node("Pow", [args[0], np.float32(power)])


@rule
def expm1(g, eqn, args):
    """2 t / (1 - t) with t = tanh(x / 2), which is exact near 0, where exp(x) - 1 is not."""
    t = g.node("Tanh", [g.node("Mul", [args[0], np.float32(0.5)])])
    near = g.node("Div", [g.node("Add", [t, t]), g.node("Sub", [np.float32(1), t])])
    far = g.node("Sub", [g.node("Exp", args), np.float32(1)])
    return g.node("Where", [g.node("Less", [g.node("Abs", args), np.float32(1)]), near, far])


@rule
def log1p(g, eqn, args):
    """2 atanh(x / (2 + x)), which is exact near 0, where log(1 + x) is not."""
    a = g.node("Atanh", [g.node("Div", [args[0], g.node("Add", [args[0], np.float32(2)])])])
    far = g.node("Log", [g.node("Add", [args[0], np.float32(1)])])
    return g.node("Where", [g.node("Less", [g.node("Abs", args), np.float32(0.5)]), g.node("Add", [a, a]), far])


@rule
def is_finite(g, eqn, args):
    return g.node("Not", [g.node("Or", [g.node("IsInf", args), g.node("IsNaN", args)])])


@rule
def _round(g, eqn, args):
    if eqn.params["rounding_method"] != lax.RoundingMethod.TO_NEAREST_EVEN:
        raise Refused("is away from zero where two are equally near, other than ONNX's")
    return g.node("Round", args)


@rule
def clamp(g, eqn, args):
    return g.node("Min", [g.node("Max", [args[1], args[0]]), args[2]])


@rule
@each_part
def select_n(g, eqn, args):
    if len(args) != 3 or eqn.invars[0].aval.dtype != bool:
        raise Refused("chooses among more than two")
    return g.node("Where", [args[0], args[2], args[1]])


def onnx_type(dtype: Any) -> int:
    """ONNX's number of a dtype."""
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


@rule
def convert_element_type(g, eqn, args):
    old, new = eqn.invars[0].aval.dtype, eqn.outvars[0].aval.dtype
    if str(new) == "bfloat16":
        raise Refused("makes bfloat16")
    if old == new:
        return args[0]
    if jnp.issubdtype(new, jnp.complexfloating):
        if isinstance(args[0], Pair) or jnp.issubdtype(old, jnp.complexfloating):
            return args[0]
        re = g.node("Cast", args, to=onnx_type(np.float32))
        return Pair(re, g.node("Sub", [re, re]))
    return g.node("Cast", [part(g, args[0], "re")], to=onnx_type(new))


__all__ = ["BINARY", "RULES", "UNARY", "Rule", "each_part", "onnx_type", "part", "rule"]
