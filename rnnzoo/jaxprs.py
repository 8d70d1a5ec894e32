"""How to read jaxprs: which equations call another jaxpr, which arguments are constants, what cannot be computed."""

from typing import Any

from jax.extend import core
from jax.extend.core import primitives

# Each evaluates its jaxpr once, on its own arguments. Loops and branches hold jaxprs too, but are not calls.
CALLS = frozenset(
    {
        primitives.call_p,
        primitives.closed_call_p,
        primitives.custom_jvp_call_p,
        primitives.custom_vjp_call_p,
        primitives.jit_p,
        primitives.remat_p,  # jax.checkpoint
    }
)

# Primitives of JAX that act on each entry by itself.
ELEMENTWISE = frozenset(
    """abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp convert_element_type copy copy_p cos
    cosh digamma div eq erf erf_inv erfc exp exp2 expm1 floor ge gt integer_pow is_finite le lgamma log log1p logistic
    lt max min mul ne neg nextafter not or pow reduce_precision rem round rsqrt select_n sign sin
    sinh sqrt square stop_gradient sub tan tanh xor""".split()
)


def inner_jaxpr(eqn: core.JaxprEqn) -> core.ClosedJaxpr | None:
    """The jaxpr that an equation calls, which has the equation's arguments and results; None if it is no call."""
    if eqn.primitive not in CALLS:
        return None
    inner = eqn.params["jaxpr" if "jaxpr" in eqn.params else "call_jaxpr"]
    closed = closed_jaxpr(inner)
    return closed if len(closed.jaxpr.invars) == len(eqn.invars) else None


def closed_jaxpr(jaxpr: Any) -> core.ClosedJaxpr:
    """A jaxpr with its constants, of which one that is not closed has none."""
    return jaxpr if isinstance(jaxpr, core.ClosedJaxpr) else core.ClosedJaxpr(jaxpr, ())


def is_literal(atom: Any) -> bool:
    """Whether an argument of an equation, or a result of a jaxpr, is a constant (`atom.val`) rather than a variable."""
    return isinstance(atom, core.Literal)


def reverse_only(jaxpr: core.Jaxpr) -> bool:
    """Whether a tangent in it is that of a `jax.custom_vjp`, which can be transposed but not computed."""
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "custom_lin":
            return True
        for value in eqn.params.values():
            for inner in value if isinstance(value, (tuple, list)) else (value,):
                inner = getattr(inner, "jaxpr", inner)
                if isinstance(inner, core.Jaxpr) and reverse_only(inner):
                    return True
    return False


__all__ = ["CALLS", "ELEMENTWISE", "closed_jaxpr", "inner_jaxpr", "is_literal", "reverse_only"]
