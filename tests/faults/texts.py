"""Data files that are no text, or an odd one: refused with file and place, or read exactly as they are."""

import gzip
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rnnzoo import cells, tasks
from rnnzoo.spec_json import to_dict, to_json
from rnnzoo.training.config import Config, load_config

from .tally import REFUSED, SAME, SILENT, Tally, outcome_of

LENGTH = 8
PROSE = "".join(f"line {n}, na\u00efve \u4e2d {n * n} \U0001f680\n" for n in range(20))
CONFIG = Config(task=tasks.Parity(), cell=cells.GRU(hidden_size=4), lr=0.125)
SMALLEST = {2: 0x80, 3: 0x800, 4: 0x10000}  # code point by length of its UTF-8


# ---- an independent reading ------------------------------------------------------------------------------


def decoded(raw: bytes) -> str | int:
    """UTF-8 by the definition of RFC 3629, byte by byte; or the offset of the first byte that begins no character."""
    text, at = [], 0
    while at < len(raw):
        first = raw[at]
        length = 1 if first < 0x80 else 2 if 0xC2 <= first < 0xE0 else 3 if first & 0xF0 == 0xE0 else 4
        rest = raw[at + 1 : at + length]
        if first >= 0x80 and (not 0xC2 <= first <= 0xF4 or len(rest) < length - 1):
            return at
        point = first if length == 1 else first & (0x7F >> length)
        for byte in rest:
            if byte & 0xC0 != 0x80:
                return at
            point = point << 6 | byte & 0x3F
        if point < SMALLEST.get(length, 0) or 0xD800 <= point < 0xE000 or point > 0x10FFFF:
            return at
        text.append(chr(point))
        at += length
    return "".join(text)


def expected(raw: bytes) -> str | tuple[int, int]:
    """The text that a task should see; or the offset and the line, from 1, of what is no text."""
    text = decoded(raw)
    if isinstance(text, int) or "\0" in text:
        at = text if isinstance(text, int) else raw.index(b"\0")
        lines = raw[:at].replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # a "\n" of the same line end may be yet to come
        return at, lines.count(b"\n") + 1
    text = text[1:] if text[:1] == "\ufeff" else text
    return "\n".join(text.replace("\r\n", "\n").split("\r"))


# ---- contents --------------------------------------------------------------------------------------------

ODD = {
    "empty": b"", "one byte": b"a", "NUL": b"\0", "NULs": bytes(500), "line ends": b"\n\r\n\r" * 99,
    "a mark": b"\xef\xbb\xbf", "two marks": b"\xef\xbb\xbf" * 2 + PROSE.encode(), "a huge line": b"ab " * 10**6,
    "gzip": gzip.compress(PROSE.encode(), mtime=0), "PNG": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "UTF-16": PROSE.encode("utf-16"), "UTF-16 LE": PROSE.encode("utf-16-le"), "UTF-16 BE": PROSE.encode("utf-16-be"),
    "UTF-32": PROSE.encode("utf-32"), "UTF-7": PROSE.encode("utf-7"),
    "Latin-1": "na\u00efve\n".encode("latin-1") * 20, "cp1252": b"\x93quoted\x94\n" * 9,
    "EBCDIC": b"abc".decode().encode("cp037") * 50, "a lone surrogate": PROSE.encode() + b"\xed\xa0\x80",
    "two surrogates": b"\xed\xa0\xbd\xed\xb8\x80" * 30, "overlong": b"abc\r\ndef\xc0\xaf" * 9,
    "overlong NUL": b"abc\xc0\x80" * 30, "beyond Unicode": PROSE.encode() + b"\xf4\x90\x80\x80",
    "five bytes": b"ab\rc" * 9 + b"\xf8\x88\x80\x80\x80", "mark inside": (PROSE + "\ufeff" + PROSE).encode(),
    "old Mac": PROSE.replace("\n", "\r").encode(), "Windows": PROSE.replace("\n", "\r\n").encode(),
    "controls": bytes(range(1, 128)) * 3, "separators": "a\u2028b\u2029c\x85d\x0be\x0cf".encode() * 20,
    "nonsense": b"\xff" * 300, "shortest": b"ab" * 5, "too short": b"a" * 9,
}  # fmt: skip


def contents(rng: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """The odd contents, then prose with random bytes in it."""
    yield from list(ODD.items())[:count]
    for number in range(count - len(ODD)):
        raw = rng.choice([PROSE, PROSE.replace("\n", "\r\n"), PROSE.replace("\n", "\r")]).encode()
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(raw))
            character = rng.choice(["\u00ff", "\u2028", "\U0010ffff", "\r"]).encode()
            odd = rng.choice([bytes([rng.randrange(256)]), character, b""])
            raw = raw[:at] + odd + raw[at + rng.randrange(2) :]
        yield f"number {number}", raw


def others(folder: Path) -> Iterator[tuple[str, Path]]:
    """Paths of what is no file, or cannot be read."""
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    for path in (folder, folder / "pipe", folder / "loop", folder / "none", folder / ("n" * 5000), folder / "a\0b"):
        yield path.name[:9], path
    for name in ("/dev/zero", "/dev/null", "/proc/self/mem", "/dev/full", "/", "/proc/1/nothing"):
        yield name, Path(name)
    with (folder / "huge").open("wb") as huge:
        huge.truncate(2**40)
    yield "huge", folder / "huge"


# ---- judgement -------------------------------------------------------------------------------------------


def read_text(path: Path) -> str:
    """The text that a task sees: its training part has all the characters, and the parts overlap by one."""
    data = tasks.CharLM(path=str(path), length=LENGTH).open()
    parts: list[Any] = [np.asarray(data.arrays[part]) for part in ("train", "validation", "test")]
    return data.decode(np.concatenate([parts[0], parts[1][1:], parts[2][1:]]))


def _as_seen(text: str) -> str:
    known = set(text[: len(text) * 90 // 100])
    return "".join(c if c in known else "\ufffd" for c in text)


def judge(path: Path, raw: bytes | None, reader: Any = read_text) -> str:
    """What a task makes of a file; None where nothing can be read."""
    right = expected(raw) if raw is not None else (0, 0)
    outcome, error = outcome_of(lambda: SAME if isinstance(right, str) and reader(path) == _as_seen(right) else SILENT)
    if outcome == SILENT and not isinstance(right, str):
        outcome, error = outcome_of(lambda: reader(path) and SILENT)
    if outcome != REFUSED:
        return outcome
    names_it = ascii(str(path))[1:-1] in ascii(error).replace("\\\\", "\\") and len(error) < 6000
    if not names_it or raw is None:
        return REFUSED if names_it else SILENT
    if isinstance(right, str):
        return REFUSED if len(right) * 90 // 100 < LENGTH + 1 else SILENT
    return REFUSED if f"byte {right[0]} (line {right[1]})" in error else SILENT


def _as_config(path: Path, raw: bytes) -> str:
    """What load_config makes of it: the configuration that Python's own reader of JSON finds there, or a refusal."""

    def read() -> str:
        found = to_dict(load_config(str(path)))
        text = decoded(raw)
        return SAME if isinstance(text, str) and found == to_dict(CONFIG) | json.loads(text) else SILENT

    outcome, error = outcome_of(read)
    return SILENT if outcome == REFUSED and len(error) > 1500 else outcome


def malformed_texts(count: int, seed: int) -> Tally:
    """`count` contents, each as a text to learn from and as a configuration; and what is no file."""
    tally, rng = Tally("a data file that is no text, or an odd one: opened"), random.Random(seed)
    with TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "text.txt"
        for what, raw in contents(rng, count):
            path.write_bytes(raw)
            tally.add(judge(path, raw), f"text, {what}")
        for what, odd in others(folder):
            tally.add(judge(odd, None), f"text, {what}")
            tally.add(outcome_of(lambda odd=odd: load_config(str(odd)) and SILENT)[0], f"configuration, {what}")
        path = folder / "config.json"
        for what, raw in contents(rng, count):
            text = to_json(CONFIG, indent=1).encode()
            at = rng.randrange(len(text))
            inside, crlf = text[:at] + raw[:3] + text[at:], text.replace(b"\n", b"\r\n")
            mixed = rng.choice([raw, inside, raw[:4] + text, text + raw[:2], crlf])
            path.write_bytes(mixed)
            tally.add(_as_config(path, mixed), f"configuration, {what}")
        _plant(tally, folder / "planted")
    return tally


def _plant(tally: Tally, path: Path) -> None:
    """Readers that replace what they cannot read, drop a character, name no place, or no file."""
    path.write_bytes(PROSE.encode() + b"\xff")
    tally.control(judge(path, path.read_bytes(), lambda p: p.read_text(errors="replace")) == SILENT)
    tally.control(judge(path, path.read_bytes()[:-1] + b"a\xff") == SILENT)
    path.write_bytes(PROSE.encode())
    tally.control(judge(path, path.read_bytes(), lambda p: read_text(p)[1:]) == SILENT)
    tally.control(judge(path, None) == SILENT)
    tally.control(judge(path, path.read_bytes(), lambda p: read_text(p.with_name("none"))) == SILENT)


__all__ = ["malformed_texts"]
