"""All layers of a network, one after the other; those that repeat, in one loop, so that the program does not grow with
their number."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.models.layer import Call, Keys, Layer, Stream
from rnnzoo.trees import vary_like
from rnnzoo.typing import Key, Params, State

FEWEST = 4  # repetitions that are worth a loop: its body reads the weights from where they have been copied to
LONGEST = 8  # layers that may repeat together


class Group(NamedTuple):
    """Layers `start`, ... that are `period` layers `times` times."""

    start: int
    period: int
    times: int


def groups(layers: Sequence[Any]) -> list[Group]:
    """The layers in order: repetitions where there are enough of them, else single layers."""
    found, at = [], 0
    while at < len(layers):
        best = Group(at, 1, 1)
        for period in range(1, LONGEST + 1):
            times = _times(layers, at, period)
            if times >= FEWEST and times * period > best.times * best.period:
                best = Group(at, period, times)
        found.append(best)
        at += best.period * best.times
    return found


def _times(layers: Sequence[Any], at: int, period: int) -> int:
    """How often the `period` layers from `at` on are there in a row."""
    first, times = tuple(layers[at : at + period]), 1
    while tuple(layers[at + times * period : at + (times + 1) * period]) == first:
        times += 1
    return times


class Network(NamedTuple):
    """The layers, and what belongs to each."""

    layers: Sequence[Layer]
    params: Sequence[Params]
    states: Sequence[State | None]
    key: Key | None  # of dropout and noise


def through(network: Network, call: Call, stream: Stream, loops: bool) -> tuple[Stream, list[State]]:
    """What the last layer gives, and the last states of all. Without `loops`, every layer is in the program itself."""
    lasts: list[State] = []
    parts = groups(network.layers) if loops else [Group(n, 1, 1) for n in range(len(network.layers))]
    for part in parts:
        if part.times == 1:
            stream, last = _one(network, call, part.start, part.start, stream, *_at(network, part.start))
            lasts.append(last)
        else:
            stream, more = _loop(network, call, part, stream)
            lasts += more
    return stream, lasts


def _at(network: Network, number: int) -> tuple[Params, State | None]:
    return network.params[number], network.states[number]


def _one(
    network: Network, call: Call, which: int, number: Any, stream: Stream, params: Params, state: State | None
) -> tuple[Stream, State]:
    """Layer `number`, which is like layer `which`."""
    keys, count = None, len(network.layers)
    if network.key is not None:
        keys = Keys(jax.random.fold_in(network.key, number), jax.random.fold_in(network.key, count + number))
    return network.layers[which].apply(call, params, stream, state, keys)


def _loop(network: Network, call: Call, part: Group, stream: Stream) -> tuple[Stream, list[State]]:
    start, period, times = part

    def stacked(values: Sequence[Any]) -> Any:
        rounds = [tuple(values[start + n * period + i] for i in range(period)) for n in range(times)]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *rounds)

    params, states = stacked(network.params), stacked(network.states)
    stream = vary_like(stream, (stream, params, states))

    def body(stream: Stream, each: Any) -> tuple[Stream, tuple[State, ...]]:
        first, params, states = each
        before, lasts = stream, []
        for i in range(period):
            stream, last = _one(network, call, start + i, first + i, stream, params[i], states[i])
            lasts.append(last)
        return jax.tree.map(lambda new, old: new.astype(old.dtype), stream, before), tuple(lasts)

    stream, lasts = lax.scan(body, stream, (start + period * jnp.arange(times), params, states))
    return stream, [jax.tree.map(lambda a, n=n: a[n], lasts[i]) for n in range(times) for i in range(period)]


__all__ = ["FEWEST", "Network", "groups", "through"]
