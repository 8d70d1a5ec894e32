"""All layers of a network, one after the other; those that repeat, in one loop, which is compiled once. Only the
copying of weights into it, and of gradients out of it, grows with the number of layers."""

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
    parts = groups(_alike(network)) if loops else [Group(n, 1, 1) for n in range(len(network.layers))]
    for part in parts:
        if part.times > 1:
            # What goes round a loop has one form. The first round may change it: by a cell that gives something to
            # later ones, or by parameters of a wider dtype than the inputs.
            first, rest = part._replace(times=1), Group(part.start + part.period, part.period, part.times - 1)
            after = jax.eval_shape(lambda stream, first=first: _round(network, call, first, stream)[0], stream)
            if _form(after) != _form(stream):
                stream, more = _round(network, call, first, stream)
                lasts, part = lasts + more, rest
        stream, more = (_round if part.times == 1 else _loop)(network, call, part, stream)
        lasts += more
    return stream, lasts


def _alike(network: Network) -> list[Any]:
    """What is equal for layers that may share a loop: the layers themselves, and the form of what belongs to them. The
    first plain layer reads the input, and the others what a layer returns, which may have another width."""
    belongs = zip(network.params, network.states, strict=True)
    return [(layer, _form(tree)) for layer, tree in zip(network.layers, belongs, strict=True)]


def _form(tree: Any) -> Any:
    return jax.tree.map(lambda a: (jnp.shape(a), jnp.result_type(a)), tree)


def _round(network: Network, call: Call, part: Group, stream: Stream) -> tuple[Stream, list[State]]:
    """The layers of a period once, one after the other."""
    lasts: list[State] = []
    for number in range(part.start, part.start + part.period):
        stream, last = _one(network, call, number, number, stream, *_at(network, number))
        lasts.append(last)
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
        lasts = []
        for i in range(period):
            stream, last = _one(network, call, start + i, first + i, stream, params[i], states[i])
            lasts.append(last)
        return stream, tuple(lasts)

    stream, lasts = lax.scan(body, stream, (start + period * jnp.arange(times), params, states))
    return stream, [jax.tree.map(lambda a, n=n: a[n], lasts[i]) for n in range(times) for i in range(period)]


__all__ = ["FEWEST", "Network", "groups", "through"]
