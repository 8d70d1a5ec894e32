"""Model folders of somebody who means harm, and knows how to compute a checksum."""

import json
import os
import pickle
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from rnnzoo.store.files import DEFINITIONS, SYMBOLS, TRAINING, WEIGHTS, sealed, size_and_checksum

Craft = Callable[[Path, Path], Any]  # the folder, a sound one to begin with; and a folder outside of it
INDEX, CARD = "config.json", "README.md"
REFUSED: dict[str, Craft] = {}
HARMLESS: dict[str, Craft] = {}  # as if nothing were there, or only text


# ---- tools -----------------------------------------------------------------------------------------------


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change config.json, with its checksum."""
    facts = json.loads((folder / INDEX).read_text())
    change(facts)
    (folder / INDEX).write_text(json.dumps(sealed(facts)))


def put(folder: Path, name: str, content: bytes | str) -> None:
    """Write a file, and list it with its size and checksum."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    edit(folder, lambda facts: facts["files"].update({name: size_and_checksum(folder / name)}))


def tensors(header: Any, body: bytes = bytes(64), length: int | None = None) -> Craft:
    """Weights with a header as it is given."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = struct.pack("<Q", len(text) if length is None else length)
    return lambda folder, outside: put(folder, WEIGHTS, size + text + body)


def member(name: Any) -> Craft:
    return lambda folder, outside: edit(folder, lambda f: f["model"]["cell"].update(type=name))


def field(**fields: Any) -> Craft:
    return lambda folder, outside: edit(folder, lambda f: f["model"]["cell"].update(fields))


def fact(**facts: Any) -> Craft:
    return lambda folder, outside: edit(folder, lambda f: f.update(facts))


def listed(name: str) -> Craft:
    entry = {"bytes": 2, "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}  # of {}
    return lambda folder, outside: edit(folder, lambda f: f["files"].update({name: entry}))


def index(content: bytes) -> Craft:
    return lambda folder, outside: (folder / INDEX).write_bytes(content)


def encoded(code: str) -> Craft:
    return lambda folder, outside: (folder / INDEX).write_bytes((folder / INDEX).read_text().encode(code))


def file(name: str, content: bytes | str) -> Craft:
    return lambda folder, outside: put(folder, name, content)


def one(array: Any) -> Craft:
    """Another array in place of one of the weights."""
    return lambda folder, outside: put(
        folder, WEIGHTS, save(load((folder / WEIGHTS).read_bytes()) | {"head/b": np.asarray(array)})
    )


def replaced(name: str, make: Callable[[Path], Any]) -> Craft:
    """Something else under the name of a file, whose entry in config.json stays."""

    def craft(folder: Path, outside: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return craft


def linked(name: str, to: str | None = None) -> Craft:
    def craft(folder: Path, outside: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(to or outside / name)

    return craft


def sparse(name: str, size: int) -> Craft:
    """A file that says it is huge, and takes no room on the disk."""

    def craft(folder: Path, outside: Path) -> None:
        os.truncate(folder / name, size)
        if name != INDEX:
            edit(folder, lambda f: f["files"][name].update(bytes=size))

    return craft


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path has at most 107 characters
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def nested(depth: int) -> Any:
    return {"type": "cells.Zoneout", "cell": nested(depth - 1)} if depth else {"type": "cells.GRU", "hidden_size": 4}


class Payload:
    """What a pickle would run."""

    def __reduce__(self) -> Any:
        return os.system, ("touch escaped",)


# ---- names -----------------------------------------------------------------------------------------------

NAMES = (
    "../x.json",
    "/etc/passwd",
    "a/../../x",
    f"{WEIGHTS}\0.txt",
    "MODEL.SAFETENSORS",
    f"{WEIGHTS}/",
    r"\\h\s\x",
    "",
)
REFUSED |= {
    f"listed: {name!r}": listed(name) for name in (*NAMES, "file:///etc/passwd", "~/.bashrc", INDEX, "model.pkl")
}
TYPES = ("os.system", "builtins.eval", "cells.base.Cell", "cells.__class__", "cells.GRU.__init__", "subprocess.Popen")
REFUSED |= {
    f"type {name!r}": member(name) for name in (*TYPES, "rnnzoo.cells.GRU", "cells.Cell", ["cells.GRU"], "x" * 10**5)
}
REFUSED |= {f"type {name!r}": member(name) for name in ("cells.\x1b[2J", "cells.\ud800", "\u202e.GRU", "cells.GRU\0")}
KEYS = ("__reduce__", "__class__", "__init__", "__dict__", "py/object", "$ref", "_target_", "x" * 10**5)
REFUSED |= {f"key {key[:20]!r}": field(**{key: ["os.system", "id"]}) for key in KEYS}
HARMLESS["keys beside the model"] = fact(__reduce__=["os.system", ["id"]], auto_map={"AutoModel": "evil.Model"})

# ---- files that are none ---------------------------------------------------------------------------------

FILES = (INDEX, WEIGHTS, TRAINING, SYMBOLS)
REFUSED |= {f"{name}: a link outside": linked(name) for name in FILES}
REFUSED |= {f"{name}: a FIFO": replaced(name, os.mkfifo) for name in FILES}
REFUSED |= {f"{name}: a folder": replaced(name, os.mkdir) for name in FILES}
REFUSED |= {f"{name}: a device": linked(name, "/dev/zero") for name in FILES}
REFUSED |= {f"{name}: a loop": linked(name, name) for name in (INDEX, WEIGHTS)}
REFUSED |= {f"{name}: a socket": replaced(name, _socket) for name in (INDEX, WEIGHTS)}
REFUSED |= {f"{name}: a terabyte": sparse(name, 2**40) for name in FILES}
HARMLESS["the card: a link outside"] = linked(CARD)
HARMLESS["the card: a FIFO"] = replaced(CARD, os.mkfifo)
HARMLESS["code beside it"] = lambda folder, outside: (folder / "rnnzoo.py").write_text("raise SystemExit")

# ---- texts -----------------------------------------------------------------------------------------------

REFUSED |= {f"{depth} levels of lists": index(b"[" * depth + b"]" * depth) for depth in (10**3, 10**5, 5 * 10**5)}
REFUSED |= {
    f"{depth} levels of scores": fact(scores={"a": json.loads("[" * depth + "]" * depth)}) for depth in (90, 400)
}
REFUSED |= {f"{depth} cells in cells": fact(model=nested(depth)) for depth in (20, 120, 300)}
LEVELS = b'{"format": 1, "files": {"model.safetensors": {}}, "model": %s}'
REFUSED |= {f"{n} levels in a model": index(LEVELS % (b"[" * n + b"]" * n)) for n in range(900, 1000, 7)}
REFUSED |= {
    f"{n} levels, sealed": index(LEVELS[:-1] % (b"[" * n + b"]" * n) + b', "sha256": "a"}') for n in range(900, 1000, 9)
}
REFUSED["a long number"] = index(b'{"format": ' + b"9" * 5000 + b"}")
REFUSED |= {f"a size of {len(str(n))} digits": field(hidden_size=n) for n in (2**31 - 1, 10**18, 10**400, 10**4000, -1)}
REFUSED |= {f"a score of {n!r}"[:40]: fact(scores={"a": n}) for n in (10**4000, "1", None, True, [1])}
REFUSED |= {text.decode(): index(text) for text in (b'{"format": NaN}', b'{"format": 1e999}', b'{"a": 1, "a": 2}', b"")}
REFUSED |= {
    f"a model: {value!r}": fact(model=value) for value in (None, 1, [], "cells.GRU", {}, {"type": "tasks.Parity"})
}
REFUSED |= {f"config.json in {code}": encoded(code) for code in ("utf-16", "utf-32", "utf-8-sig", "cp037")}
REFUSED["config.json: bytes"] = index(b'{"format": 1, "model": "\xff\xfe\xed\xa0\x80"}')
REFUSED["a sealed list"] = index(b'{"format": 1, "files": ["model.safetensors"], "sha256": ["a"]}')
REFUSED |= {
    f"symbols {text[:20]!r}": file(SYMBOLS, text) for text in ('"aa"', "[]", "3", '"\\ud800', '"a"', "[" * 10**5)
}
REFUSED |= {
    f"training {text[:20]!r}": file(TRAINING, text) for text in ('{"type": "os.system"}', "[1]", "[" * 10**5, "\0")
}
REFUSED["definitions: a control character"] = file(
    DEFINITIONS, '{"cells.X": {"source": "\\u001b", "sha256": "", "module": ""}}'
)
REFUSED["definitions: no text"] = file(DEFINITIONS, '{"cells.X": {"source": [], "sha256": 1, "module": null}}')
HARMLESS["definitions: of others"] = file(
    DEFINITIONS, '{"cells.GRU": {"source": "/etc/passwd", "sha256": "a", "module": "os"}}'
)
HARMLESS["a task of theirs"] = file(
    TRAINING, '{"type": "configs.Config", "task": {"type": "tasks.Evil"}, "cell": {"type": "cells.X"}}'
)

# ---- weights ---------------------------------------------------------------------------------------------

PART = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
HEADERS: dict[str, Any] = {
    "overlap": {"a": PART, "b": PART}, "negative": {"a": PART | {"data_offsets": [-8, 0]}},
    "backwards": {"a": PART | {"data_offsets": [8, 0]}}, "outside": {"a": PART | {"data_offsets": [0, 2**40]}},
    "a gap": {"a": PART | {"data_offsets": [16, 24]}}, "overflow": {"a": PART | {"shape": [2**62, 4]}},
    "a huge shape": {"a": PART | {"shape": [2**31, 2**31]}}, "a negative shape": {"a": PART | {"shape": [-2]}},
    "nothing, hugely": {"a": {"dtype": "F32", "shape": [0, 2**60], "data_offsets": [0, 0]}},
    "objects": {"a": PART | {"dtype": "O"}}, "no offsets": {"a": {"dtype": "F32", "shape": [2]}},
    "metadata": {"__metadata__": {"a": {"__reduce__": []}}}, "a list": [1], "a number": 3,
    "levels": b"[" * 10**5, "twice": b'{"a": {"dtype":"F32","shape":[2],"data_offsets":[0,8]}, "a": {}}',
    "no text": b"\xff\xfe", "spaces": b" " * 10**6, "escapes": {"\x1b[2J\u202e": PART}, "paths": {"../../x": PART},
}  # fmt: skip
REFUSED |= {f"weights: {name}": tensors(header) for name, header in HEADERS.items()}
REFUSED |= {f"weights: a header of {n} bytes": tensors({}, length=n) for n in (2**63, 2**64 - 1, 10**9, 10**4)}
REFUSED["weights: a pickle"] = file(WEIGHTS, pickle.dumps(Payload()))
REFUSED |= {
    f"weights: {raw[:8]!r}": file(WEIGHTS, raw)
    for raw in (b"", b"PK\3\4" + bytes(99), b"\x93NUMPY\1\0", b"\x89HDF\r\n")
}
ARRAYS = {
    "nan": [np.nan, 0],
    "inf": [np.inf, 0],
    "1e300": [1e300, 0],
    "ints": [1, 2],
    "bools": [True, False],
    "complex": np.ones(2, "complex64"),
}
REFUSED |= {f"weights: {name}": one(array) for name, array in ARRAYS.items()}
REFUSED |= {f"weights: shape {a.shape}": one(a) for a in (np.ones(3), np.ones((2, 1)), np.ones(()), np.ones(0))}

__all__ = ["HARMLESS", "REFUSED", "put"]
