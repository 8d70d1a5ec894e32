"""The parsers of files in folders: run folders, checkpoints, model folders, weights of other libraries.

The first byte of an input says which file its rest is. Checksums are made to fit, since they would refuse everything:
they find damage, and whoever forges a file can forge them."""

import abc
import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo import cells, convert
from rnnzoo.models import Model, Stack
from rnnzoo.spec import UsageError
from rnnzoo.store.files import WEIGHTS, size_and_checksum
from rnnzoo.store.model_folder import load_model, save_model
from rnnzoo.store.safetensors import read, write
from rnnzoo.training.begun import begin, parts_of
from rnnzoo.training.checkpoints import ARRAYS, MANIFEST, RECORD, Checkpoints
from rnnzoo.training.definitions import to_text
from rnnzoo.training.record import Record
from rnnzoo.training.results import known_scores
from rnnzoo.training.run_folder import METRICS, RunFolder
from rnnzoo.training.verify import verify

from .parsers import CONFIG, Parser, json_words

TREE = {"w": jnp.ones((2, 3)), "n": jnp.int32(4), "empty": jnp.zeros((0,)), "half": jnp.ones(2, jnp.bfloat16)}
SCORES = {"error": [0.5, 0.25]}
LINE = {"step": 3, "loss": [1.0, 2.0], "grad_norm": [1.0, 1.0], "steps_per_second": 9.0, "seconds": 0.1}
RECORD_OF = Record(
    step=3,
    seconds=0.1,
    lines=[LINE | {"validation": SCORES, "scores": SCORES}],
    best={"step": 3, "validation": SCORES},
    environment={"jax": "0"},
)
DEFINED = {"cells.Own": {"source": "/own.py", "sha256": "0" * 64, "module": "own"}}


class OfFolder(Parser):
    """A parser of a folder. The first byte of an input chooses the file that is made of the rest."""

    first = 1

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.fill()
        self.whole = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    @abc.abstractmethod
    def fill(self) -> None:
        """Write a valid folder."""

    @abc.abstractmethod
    def files(self) -> list[str]:
        """The files to replace, one at a time."""

    @abc.abstractmethod
    def parse(self) -> None:
        """Read the folder."""

    def seal(self, name: str) -> None:
        """Make the checksums of a file that has been replaced fit."""

    def seeds(self) -> list[bytes]:
        return [bytes([number]) + self.whole[self.folder / name] for number, name in enumerate(self.files())]

    def read(self, data: bytes) -> None:
        names = self.files()
        name = names[data[0] % len(names)] if data else names[0]
        (self.folder / name).write_bytes(data[1:])
        self.seal(name)
        try:
            self.parse()
        finally:
            for file, content in self.whole.items():
                file.write_bytes(content)


OLDER = 140  # a first byte from which on there is no run.json, as in the first edition


class Run(OfFolder):
    """The files of a run folder but its arrays: all that evaluating, verifying and going on read."""

    def fill(self) -> None:
        begun = begin(CONFIG, CONFIG.task.open(), {"jax": "0"}) | {"definitions": DEFINED}
        for name, text in {"run.json": json.dumps(begun), **parts_of(begun)}.items():
            (self.folder / name).write_text(text)
        (self.folder / METRICS).write_text(json.dumps(RECORD_OF.lines[0]) + "\n" + json.dumps(LINE) + "\n")
        final = {"best": {"step": 3, "metrics": {"error": {"per_seed": [0.5, 0.25]}}}, "metrics": {"error": 0.5}}
        (self.folder / "final.json").write_text(json.dumps(final))
        (self.folder / "symbols.json").write_text(json.dumps("abc"))
        RunFolder(self.folder).last.save(3, TREE, RECORD_OF.to_json())

    def files(self) -> list[str]:
        record = f"checkpoints/last/3/{RECORD}"
        return ["run.json", "config.json", METRICS, "final.json", "definitions.json", "symbols.json", record]

    def seal(self, name: str) -> None:
        if name.endswith(RECORD):
            reseal(self.folder / "checkpoints/last/3")

    def seeds(self) -> list[bytes]:
        return [bytes([seed[0] + older]) + seed[1:] for seed in super().seeds() for older in (0, OLDER)]

    def read(self, data: bytes) -> None:
        if data and data[0] >= OLDER:
            (self.folder / "run.json").unlink()
            data = bytes([1 + (data[0] - OLDER) % (len(self.files()) - 1)]) + data[1:]
        super().read(data)

    def parse(self) -> None:
        folder = RunFolder(self.folder)
        for one in (folder.config, folder.symbols, folder.has_saved, lambda: list(folder.records())):
            with contextlib.suppress(UsageError):
                one()
        with contextlib.suppress(UsageError):
            known_scores(folder, 3)
        with contextlib.suppress(UsageError):
            Record.from_json(folder.last.record(3), "the record").validation()
        verify(self.folder)


def reseal(folder: Path) -> None:
    """Make the manifest of a checkpoint fit its files."""
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest["sha256"]
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest | {"sha256": checksum(manifest)}))


def checksum(manifest: dict[str, Any]) -> str:
    """That of a manifest without it."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


class Checkpoint(OfFolder):
    """A checkpoint: its arrays as a file, one of them as numpy's bytes in a sound zip file, and its manifest."""

    def fill(self) -> None:
        Checkpoints(self.folder / "last", keep=1).save(3, TREE, RECORD_OF.to_json())

    def files(self) -> list[str]:
        return [f"last/3/{ARRAYS}", f"last/3/{MANIFEST}"]

    def seeds(self) -> list[bytes]:
        with zipfile.ZipFile(self.folder / "last/3" / ARRAYS) as stored:
            entries = [bytes([2]) + stored.read(name) for name in stored.namelist()]
        return [*super().seeds(), *entries]

    def words(self) -> list[bytes]:
        numpy = (b"'descr':", b"'fortran_order':", b"'shape':", b"'|O'", b"'<f4'", b"'V2'", b"(2, 3)", b"\x93NUMPY")
        return [
            *numpy,
            b"PK\x01\x02",
            b"PK\x03\x04",
            b"PK\x05\x06",
            b"PK\x06\x06",
            b"[('a', '<f4')]",
            *json_words()[:50],
        ]

    def read(self, data: bytes) -> None:
        if data and data[0] % 3 == 2:
            data = b"\0" + self.with_entry(data[1:])
        elif data:
            data = bytes([data[0] % 3]) + data[1:]
        super().read(data)

    def with_entry(self, content: bytes) -> bytes:
        """The arrays file with one array's bytes replaced."""
        made = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(self.whole[self.folder / self.files()[0]])) as old,
            zipfile.ZipFile(made, "w") as new,
        ):
            for number, name in enumerate(old.namelist()):
                new.writestr(name, old.read(name) if number else content)
        return made.getvalue()

    def seal(self, name: str) -> None:
        if name.endswith(ARRAYS):
            return reseal(self.folder / "last/3")
        with contextlib.suppress(ValueError, RecursionError):
            manifest = json.loads((self.folder / name).read_bytes())
            if isinstance(manifest, dict):
                manifest.pop("sha256", None)
                (self.folder / name).write_text(json.dumps(manifest | {"sha256": checksum(manifest)}))

    def parse(self) -> None:
        checkpoints = Checkpoints(self.folder / "last", keep=1)
        found = checkpoints.restore(TREE, lambda text: None)
        assert found is None or jax.tree.map(jnp.shape, found[1]) == jax.tree.map(jnp.shape, TREE)
        with contextlib.suppress(UsageError):
            checkpoints.record(3)


MODEL = Model(cell=cells.GRU(hidden_size=2), input_size=4, output_size=4, tokens=True, stack=Stack(embedding_size=2))


class Folder(OfFolder):
    """The files of a model folder but its weights: `load_model`."""

    def fill(self) -> None:
        made = self.folder / "made"
        save_model(made, MODEL, MODEL.init(jax.random.key(0)), config=CONFIG, scores={"error": 0.5}, symbols="abc")
        for file in made.iterdir():
            file.rename(self.folder / file.name)
        made.rmdir()
        (self.folder / "definitions.json").write_text(to_text(DEFINED))
        facts = json.loads((self.folder / "config.json").read_text())
        facts["files"]["definitions.json"] = size_and_checksum(self.folder / "definitions.json")
        (self.folder / "config.json").write_text(json.dumps(facts))

    def files(self) -> list[str]:
        return ["config.json", "training.json", "symbols.json", "definitions.json"]

    def seal(self, name: str) -> None:
        if name != "config.json":
            facts = json.loads((self.folder / "config.json").read_text())
            facts["files"][name] = size_and_checksum(self.folder / name)
            (self.folder / "config.json").write_text(json.dumps(facts))

    def parse(self) -> None:
        load_model(self.folder, warn=lambda text: None)


def framed(header: bytes) -> bytes:
    """A safetensors file with that header, and as many zeros as it asks for, up to a limit."""
    end = 0
    with contextlib.suppress(
        ValueError, RecursionError, TypeError, AttributeError, KeyError, IndexError, OverflowError
    ):
        end = max(int(entry["data_offsets"][1]) for name, entry in json.loads(header).items() if name[:2] != "__")
    return len(header).to_bytes(8, "little") + header + bytes(min(max(end, 0), 2**16))


class Weights(Folder):
    """model.safetensors: the whole file, or its header before zeros."""

    def files(self) -> list[str]:
        return [WEIGHTS]

    def seeds(self) -> list[bytes]:
        whole = self.whole[self.folder / WEIGHTS]
        return [b"\0" + whole, b"\1" + header_of(whole)]

    def words(self) -> list[bytes]:
        return SAFETENSORS

    def read(self, data: bytes) -> None:
        super().read(b"\0" + (framed(data[1:]) if data and data[0] % 2 else data[1:]))


def header_of(file: bytes) -> bytes:
    """The JSON at the beginning of a safetensors file."""
    return file[8 : 8 + int.from_bytes(file[:8], "little")]


SAFETENSORS = [
    *(f'"{kind}"'.encode() for kind in ("F64", "F32", "F16", "BF16", "C64", "I64", "U8", "BOOL", "F8_E4M3", "F4")),
    *(b'"dtype":', b'"shape":', b'"data_offsets":', b'"__metadata__":', b"[0,0]", b"[]", b"[2,2]"),
    b"18446744073709551615",
]  # fmt: skip

CELLS = (cells.Elman(hidden_size=2, activation="relu"), cells.LSTM(hidden_size=2), cells.GRU(hidden_size=2))
SOURCES: tuple[Callable[[Any, dict[str, Any]], Any], ...] = (
    convert.from_torch,
    lambda target, arrays: convert.from_torch(target, arrays, embedding="embedding.", head="head."),
    lambda target, arrays: convert.from_keras(target, list(arrays.values())),
    lambda target, arrays: convert.from_flax(target, _nested(arrays)),
    lambda target, arrays: convert.from_haiku(target, _nested(arrays)),
)


def _nested(arrays: dict[str, Any]) -> dict[str, Any]:
    """Names with "/" as nested dicts; of "a" and "a/b", the first one."""
    tree: dict[str, Any] = {}
    for name, value in arrays.items():
        *path, last = name.split("/")
        inner = tree
        for part in path:
            inner = inner.setdefault(part, {}) if isinstance(inner, dict) else {}
        if isinstance(inner, dict):
            inner.setdefault(last, value)
    return tree


class Foreign(Parser):
    """Weights of other libraries in a safetensors file: the first byte chooses library, cell and form of the file."""

    first = 1

    def targets(self) -> list[Any]:
        stack = Stack(layers=2, bidirectional=True, embedding_size=2)
        return [*CELLS, Model(cell=CELLS[1], input_size=2, output_size=2, stack=stack)]

    def seeds(self) -> list[bytes]:
        found = []
        for number, target in enumerate(self.targets()):
            params = target.init(jax.random.key(0), **({} if isinstance(target, Model) else {"input_size": 2}))
            sources = [convert.to_torch(target, params)] * 2
            if not isinstance(target, Model):
                keras = {str(n): a for n, a in enumerate(convert.to_keras(target, params))}
                sources += [keras, _flat(convert.to_linen(target, params))]
            for library, arrays in enumerate(sources):
                write(self.folder / "seed.safetensors", arrays)
                whole = (self.folder / "seed.safetensors").read_bytes()
                code = library * len(self.targets()) + number
                found += [bytes([2 * code]) + whole, bytes([2 * code + 1]) + header_of(whole)]
        return found

    def read(self, data: bytes) -> None:
        code, is_header = divmod(data[0] if data else 0, 2)
        (file := self.folder / "foreign.safetensors").write_bytes(framed(data[1:]) if is_header else data[1:])
        library, number = divmod(code, len(self.targets()))
        target, source = self.targets()[number], SOURCES[library % len(SOURCES)]
        if source is not convert.from_torch and isinstance(target, Model) and library > 2:
            target = target.cell
        source(target, read(file))  # pyright: ignore[reportArgumentType]

    def words(self) -> list[bytes]:
        parts = [f'"{part}_{of}_l0":'.encode() for part in ("weight", "bias") for of in ("ih", "hh", "hr")]
        names = [
            b'"head.weight":',
            b'"embedding.weight":',
            b"_reverse",
            b"_l1",
            b'"hf/kernel":',
            b'"linear/w":',
            b"/bias",
        ]
        return [*SAFETENSORS, *parts, *names]


def _flat(tree: dict[str, Any], start: str = "") -> dict[str, np.ndarray]:
    found = {}
    for name, value in tree.items():
        found |= _flat(value, f"{start}{name}/") if isinstance(value, dict) else {start + name: value}
    return found


__all__ = ["Checkpoint", "Folder", "Foreign", "Run", "Weights"]
