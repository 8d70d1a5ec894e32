"""The .ts format of the UCR and UEA archives: a header of lines with "@", then a series a line.

A line is ``v,v,...:v,v,...:label``: the values of each dimension, and the class. "?" and "NaN" are missing values."""

import dataclasses

import numpy as np

from rnnzoo.spec import UsageError, brief


@dataclasses.dataclass(frozen=True, eq=False)
class Labelled:
    """Series (T_i, I) in float64, with NaN where a value is missing, and a class for each."""

    series: list[np.ndarray]
    labels: np.ndarray  # (N,) int32, places in `classes`
    classes: tuple[str, ...]


def parse_ts(content: bytes, name: str) -> Labelled:
    """What a file holds.

    Raises:
        UsageError: it is no such file, or one that has time stamps or no classes; the message names file and line.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}: line {line} is not UTF-8; accepted: a .ts file") from None
    header, first = _header(lines, name)
    rows = [(number, line.strip()) for number, line in enumerate(lines[first:], first + 1)]
    rows = [(number, line) for number, line in rows if line and not line.startswith("#")]
    if not rows:
        raise UsageError(f"{name} has no series after @data; accepted: at least one")
    places = {label: place for place, label in enumerate(header.classes)}
    series, labels = [], []
    for number, line in rows:
        *dimensions, label = line.split(":")
        where = f"{name}: line {number}"
        label = label.strip()
        if label not in places:
            raise UsageError(f"{where} ends with the class {brief(label)}; accepted: {named(header.classes)}")
        series.append(_series(dimensions, header, where))
        labels.append(places[label])
    for one, (number, _) in zip(series, rows, strict=True):
        if (found := one.shape[1]) != (first := series[0].shape[1]):
            raise UsageError(f"{name}: line {number} has {found} dimensions; accepted: {first}, as in the first series")
    return Labelled(series, np.array(labels, np.int32), header.classes)


@dataclasses.dataclass(frozen=True)
class _Header:
    classes: tuple[str, ...]
    dimensions: int | None
    length: int | None


def _header(lines: list[str], name: str) -> tuple[_Header, int]:
    """What the lines before the series say, and how many they are."""
    said: dict[str, list[str]] = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        if not line.startswith("@"):
            raise UsageError(f"{name}: line {number} is {brief(line)}; accepted before @data: lines with @ or #")
        key, *values = line[1:].split() or [""]
        if key.lower() == "data":
            return _checked(said, name), number
        said[key.lower()] = values
    raise UsageError(f"{name} has no line @data; accepted: a .ts file")


def _checked(said: dict[str, list[str]], name: str) -> _Header:
    if said.get("timestamps", ["false"])[:1] != ["false"]:
        raise UsageError(f"{name}: @timeStamps is {brief(said['timestamps'])}; accepted: false")
    flag, *classes = said.get("classlabel", ["false"]) or ["false"]
    if flag != "true" or len(set(classes)) < 2 or len(set(classes)) < len(classes):
        raise UsageError(f"{name}: @classLabel is {brief([flag, *classes])}; accepted: true and at least two names")
    dimensions = 1 if said.get("univariate") == ["true"] else _number(said, "dimensions", name)
    equal = said.get("equallength") == ["true"]
    return _Header(tuple(classes), dimensions, _number(said, "serieslength", name) if equal else None)


def _number(said: dict[str, list[str]], key: str, name: str) -> int | None:
    values = said.get(key)
    if values is None:
        return None
    if len(values) != 1 or not (values[0].isascii() and values[0].isdigit() and len(values[0]) < 10 and int(values[0])):
        raise UsageError(f"{name}: @{key} is {brief(' '.join(values))}; accepted: a number above 0")
    return int(values[0])


def _series(dimensions: list[str], header: _Header, where: str) -> np.ndarray:
    """Values (T, I) of a line."""
    if header.dimensions not in (None, len(dimensions)) or not dimensions:
        raise UsageError(f"{where} has {len(dimensions)} dimensions; accepted: {header.dimensions or 'at least one'}")
    values = [_values(text, f"{where}, dimension {number}") for number, text in enumerate(dimensions, 1)]
    lengths = sorted({len(one) for one in values})
    if len(lengths) > 1 or header.length not in (None, lengths[0]):
        accepted = f"{header.length} in each" if header.length else "as many in each dimension"
        raise UsageError(f"{where} has {' or '.join(map(str, lengths))} values; accepted: {accepted}")
    return np.stack(values, axis=1)


def _values(text: str, where: str) -> np.ndarray:
    """Numbers (T,) of a dimension; NaN where one is missing."""
    words = ["nan" if word.strip() == "?" else word for word in text.split(",")]
    if not text.strip():
        raise UsageError(f"{where} has no values; accepted: at least one")
    try:
        found = np.array([float(word) for word in words])
    except ValueError:
        place, word = next((n, word) for n, word in enumerate(words, 1) if not _is_number(word))
        raise UsageError(f"{where}: value {place} is {brief(word)}; accepted: a number, ?, or NaN") from None
    if np.isinf(found).any():
        place = int(np.isinf(found).argmax())
        raise UsageError(f"{where}: value {place + 1} is {brief(words[place])}; accepted: finite numbers")
    return found


def named(classes: tuple[str, ...], most: int = 20) -> str:
    """The classes for a message, of which there may be thousands."""
    return ", ".join([*(one[:100] for one in classes[:most]), *(["..."] if len(classes) > most else [])])


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


__all__ = ["Labelled", "named", "parse_ts"]
