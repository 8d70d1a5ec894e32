"""How a specification answers to arguments that its class does not take: with the name that was meant or the remedy."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from rnnzoo.fields import brief
from rnnzoo.names import suggest

# What other libraries call a field, or pass to a cell where rnnzoo has it elsewhere.
ELSEWHERE = {
    "batch_first": "time is the first axis of xs, (T, B, I): jnp.swapaxes(xs, 0, 1) makes it so",
    "time_major": "time is the first axis of xs, (T, B, I); the Flax modules take time_major",
    "bidirectional": "models.Stack(bidirectional=True) runs a cell in both directions",
    "dropout": "models.Stack(dropout=...) drops between layers",
    "features": "the number of units is hidden_size",
    "input_size": "it is given to init: cell.init(key, input_size)",
    "layers": "models.Stack(layers=n) stacks a cell",
    "num_layers": "models.Stack(layers=n) stacks a cell",
    "num_units": "the number of units is hidden_size",
    "size": "the number of units is hidden_size",
    "units": "the number of units is hidden_size",
}


def with_help(init: Callable[..., None], cls: type) -> Callable[..., None]:
    """The `__init__` of a dataclass with keyword-only fields, with errors that help."""

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **given: Any) -> None:
        name, known = type(self).__name__, [f.name for f in dataclasses.fields(cls) if f.init]
        if args:
            shown = [f"{field}={brief(value)}" for field, value in zip(known, args, strict=False)]
            raise TypeError(f"{name} takes its fields by name; accepted: {name}({', '.join(shown)})")
        for field in given:
            if field not in known:
                there = ELSEWHERE.get(field) if "hidden_size" in known else None
                raise TypeError(f"{name} has no field {field!r}; {there or suggest(field, known)}")
        init(self, **given)

    return checked


__all__ = ["with_help"]
