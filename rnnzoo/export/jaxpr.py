"""Translate a jaxpr to lines of numpy. What depends only on constants is computed here; unused lines are left out."""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from rnnzoo.export.primitives import RULES, Refused
from rnnzoo.jaxprs import inner_jaxpr, is_literal
from rnnzoo.spec import UsageError

_ACCEPTED = "accepted: another cell or structure, or the format stablehlo"
_NAME = re.compile(r"\b[vW]\d+\b")


@dataclasses.dataclass(frozen=True)
class Name:
    """A variable of the program."""

    text: str


@dataclasses.dataclass(frozen=True)
class Program:
    """A function body in Python."""

    lines: list[str]  # "name = expression"
    weights: dict[str, np.ndarray]  # the constant arrays that the lines use, by name
    outputs: list[str]  # expressions of the results


def translate(closed: Any, names: list[str]) -> Program:
    """The program of a closed jaxpr whose arguments have these names. `UsageError` for an operation without a rule."""
    writer = _Writer()
    results = writer.run(closed.jaxpr, closed.consts, [Name(n) for n in names])
    outputs = [writer.expression(value) for value in results]
    live, kept = set(_NAME.findall(" ".join(outputs))), []
    for target, text in reversed(writer.lines):
        if target in live:
            kept.append(f"{target} = {text}")
            live |= set(_NAME.findall(text))
    return Program(kept[::-1], {n: a for n, a in writer.weights.items() if n in live}, outputs)


class _Writer:
    """The state of one translation."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []  # name of the result, expression
        self.weights: dict[str, np.ndarray] = {}

    def run(self, jaxpr: Any, consts: Any, args: list[Any]) -> list[Any]:
        """The results of a jaxpr: each a `Name`, or an array if it is constant."""
        env: dict[Any, Any] = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *args), strict=True))

        def value(atom: Any) -> Any:
            return atom.val if is_literal(atom) else env[atom]

        for eqn in jaxpr.eqns:
            env |= zip(eqn.outvars, self.equation(eqn, [value(a) for a in eqn.invars]), strict=True)
        return [value(a) for a in jaxpr.outvars]

    def equation(self, eqn: Any, args: list[Any]) -> list[Any]:
        """The results of one equation; writes a line if they are not constant."""
        if (called := inner_jaxpr(eqn)) is not None:
            return self.run(called.jaxpr, called.consts, args)
        name = eqn.primitive.name
        if not any(isinstance(a, Name) for a in args):
            found = eqn.primitive.bind(*args, **eqn.params)
            return list(found) if eqn.primitive.multiple_results else [found]
        rule: Callable[..., Any] | None = RULES.get(name)
        if rule is None:
            raise UsageError(f"numpy cannot carry this model: there is no rule for the operation {name!r}; {_ACCEPTED}")
        if any(str(a.aval.dtype) in ("bfloat16", "key<fry>") for a in (*eqn.invars, *eqn.outvars)):
            raise UsageError(
                f"numpy cannot carry this model: {name!r} uses a dtype that numpy does not have; {_ACCEPTED}"
            )
        constants = [None if isinstance(a, Name) else np.asarray(a) for a in args]
        try:
            text = rule(eqn, [self.expression(a) for a in args], constants)
        except Refused as error:
            raise UsageError(f"numpy cannot carry this model: {name!r} {error}; {_ACCEPTED}") from None
        if isinstance(text, tuple):  # an array that the rule made, written "@" in the text
            text = text[0].replace("@", self.expression(text[1]))
        target = f"v{len(self.lines)}"
        self.lines.append((target, text))
        many = eqn.primitive.multiple_results
        return [Name(f"{target}[{k}]" if many else target) for k in range(len(eqn.outvars))]

    def expression(self, value: Any) -> str:
        """The text of a value. An array is stored under a name, equal arrays under the same."""
        if isinstance(value, Name):
            return value.text
        array = np.asarray(value)
        if array.dtype.kind in "biufc" and array.ndim == 0 and np.isfinite(array):
            return f"np.{array.dtype}({array.item()!r})" if array.dtype != bool else str(bool(array))
        for name, known in self.weights.items():
            if known is value or (known.dtype == array.dtype and np.array_equal(known, array)):
                return name
        name = f"W{len(self.weights)}"
        self.weights[name] = array
        return name


__all__ = ["Name", "Program", "translate"]
