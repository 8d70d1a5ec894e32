"""Inputs that say how to change JSON. Bytes that libFuzzer changes at random are rarely JSON still; a recipe is."""

import json

from tests.mutated_specifications import HOW, STRANGE, mutated, places

MARK, EDIT = 0xFE, 5  # the first byte of a recipe; bytes of an edit
LARGEST = 2**16  # bytes of a text that is edited further: with itself in itself, it would double each time


def cooked(data: bytes, seeds: list[bytes], first: int) -> bytes:
    """What a recipe makes of a seed whose text is JSON from byte `first` on; other inputs as they are.

    After the mark comes the number of the seed, then for each edit a line of the text, a place in it (two bytes), what
    to do there, and a value."""
    if data[:1] != bytes([MARK]) or len(data) < 2:
        return data
    seed = seeds[data[1] % len(seeds)]
    lines = [seed[first:]] if _is_json(seed[first:]) else seed[first:].split(b"\n")
    for start in range(2, len(data) - EDIT + 1, EDIT):
        line, high, low, how, value = data[start : start + EDIT]
        number = line % len(lines)
        if len(lines[number]) <= LARGEST and _is_json(lines[number]):
            lines[number] = _edited(lines[number], 256 * high + low, how, value)
    return seed[:first] + b"\n".join(lines)


def recipes(seeds: list[bytes], first: int) -> list[bytes]:
    """Recipes to start from, for the seeds that are JSON."""
    found = [
        n for n, seed in enumerate(seeds) if all(map(_is_json, seed[first:].split(b"\n")[:1])) or _is_json(seed[first:])
    ]
    return [bytes([MARK, number, 0, 0, place, 0, 19]) for number in found for place in range(3)]


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _edited(text: bytes, place: int, how: int, value: int) -> bytes:
    data, new = json.loads(text), STRANGE[value % len(STRANGE)]
    try:
        paths = places(data)
        found = mutated(data, paths[place % len(paths)], HOW[how % len(HOW)], data if new == "itself" else new)
        return json.dumps(found).encode()
    except RecursionError:  # deep enough as it is
        return text


__all__ = ["cooked", "recipes"]
