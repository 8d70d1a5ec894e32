"""Tokens, labels and lengths: checked where their values are known, and inside compiled programs on request.

A program that is being traced does not know its integers, and JAX clamps, wraps or skips what is out of range without a
word. `checked` runs such a program with the checks compiled in:

>>> import jax, jax.numpy as jnp, rnnzoo
>>> model = rnnzoo.models.Model(cell=rnnzoo.cells.GRU(hidden_size=4), input_size=5, output_size=2, tokens=True)
>>> params = model.init(jax.random.key(0))
>>> apply = rnnzoo.checked(lambda tokens: model.apply(params, tokens)[0])
>>> apply(jnp.array([[4]])).shape
(1, 1, 2)
>>> apply(jnp.array([[5]]))
Traceback (most recent call last):
rnnzoo.spec.UsageError: x has values from 5 to 5; accepted: 0 to 4
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from rnnzoo.spec import UsageError


class _Report:
    """What the checks in one function of `checked` have found."""

    def __init__(self) -> None:
        self.messages: list[str] = []


_report = jax.make_user_context(None)  # of the function being traced: a part of the key under which JAX keeps traces


def check_integers(name: str, values: Any, low: int, high: int, where: Any = None) -> None:
    """Raise `UsageError` for an array that does not hold integers, or has some outside of `low` to `high`.

    Values that are being traced are checked when the program runs if it is one of `checked`; elsewhere not at all.

    Args:
        name: what the array is called in the message.
        values: an array of numpy or JAX. The values of one on a device are waited for.
        low: the smallest integer that is accepted.
        high: the largest.
        where: True where the values count, of the same shape (None: everywhere); padding may hold anything.
    """
    if not jnp.issubdtype(values.dtype, np.integer):
        raise UsageError(f"{name} is {values.dtype}; accepted: integers from {low} to {high}")
    if isinstance(values, Tracer) or isinstance(where, Tracer):
        if _report.value is not None:
            _check_when_run(_report.value, name, values, low, high, where)
        return
    found = np.asarray(values) if where is None else np.asarray(values)[np.asarray(where)]
    if found.size and (found.min() < low or found.max() > high):
        raise UsageError(_message(name, found.min(), found.max(), low, high))


def _check_when_run(report: _Report, name: str, values: Any, low: int, high: int, where: Any) -> None:
    # Narrow integers would wrap `high`. Unsigned ones that are too large become negative, and so stay out of range.
    wide = jnp.asarray(values).astype(jnp.promote_types(values.dtype, jnp.int32))
    counts = jnp.ones(wide.shape, bool) if where is None else jnp.asarray(where)
    limits = jnp.iinfo(wide.dtype)
    least, most = jnp.min(wide, where=counts, initial=limits.max), jnp.max(wide, where=counts, initial=limits.min)

    def check(least: Any, most: Any) -> None:
        if least < low or most > high:
            report.messages.append(_message(name, least, most, low, high))

    # A callback, since checkify cannot transform loops under vmap that run until each lane is done, as Newton's do.
    jax.debug.callback(check, least, most)


def _message(name: str, least: Any, most: Any, low: int, high: int) -> str:
    return f"{name} has values from {least} to {most}; accepted: {low} to {high}"


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, compiled by `jax.jit`, with the checks of integers that JAX's programs lack otherwise.

    Tokens of `Model.apply`, lengths of `run`, and labels of the tasks' losses and scores are checked while the program
    runs, on any device and inside `jax.grad`, `jax.vmap`, `lax.scan` and functions of `jax.jit`. For tests, and for the
    first steps with new data: each call reports to the host, and waits for its results.

    Args:
        function: of arrays, and trees of arrays; give it specifications by `functools.partial`.

    Returns:
        A function of the same arguments. It raises `UsageError` after a call in which a value was out of range, and for
        arguments that JAX would cut off, such as int64 arrays with large values where 64 bits are not enabled.
    """
    report = _Report()

    @jax.jit
    def with_checks(*args: Any, **named: Any) -> Any:
        with _report(report):
            return function(*args, **named)

    @functools.wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        for leaf in jax.tree.leaves((args, named)):
            _check_argument(leaf)
        report.messages.clear()
        result = jax.block_until_ready(with_checks(*args, **named))
        jax.effects_barrier()
        if report.messages:
            raise UsageError(report.messages[0])
        return result

    return run


def _check_argument(leaf: Any) -> None:
    """Raise `UsageError` for an argument whose integers JAX would change, and for one that is being traced."""
    if isinstance(leaf, Tracer):
        raise UsageError(
            "a function of rnnzoo.checked is called inside of another program; accepted: rnnzoo.checked of all of it"
        )
    if not isinstance(leaf, (int, np.integer, np.ndarray)) or np.asarray(leaf).dtype.kind not in "iu":
        return
    limits = np.iinfo(jax.dtypes.canonicalize_dtype(np.asarray(leaf).dtype))
    check_integers("an argument", np.asarray(leaf), int(limits.min), int(limits.max))


__all__ = ["check_integers", "checked"]
