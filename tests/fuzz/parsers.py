"""What is fuzzed: our parsers, each with valid inputs to start from. Whatever bytes they get, they return, or raise
what they say they raise."""

import abc
import contextlib
import functools
import io
from pathlib import Path
from typing import Any, ClassVar

from rnnzoo import cells, tasks, wrappers
from rnnzoo.commands.options import override
from rnnzoo.spec import _FAMILIES, Spec, UsageError, field_types, members
from rnnzoo.spec_json import from_json, to_json
from rnnzoo.structures import Banded, Diagonal
from rnnzoo.tasks.text.corpus import UNKNOWN, check_length, corpus, decode, encode
from rnnzoo.training.config import Config
from rnnzoo.visible import visible

CONFIG = Config(task=tasks.Parity(), cell=cells.GRU(hidden_size=4, structure=Banded(bandwidth=1)), seeds=2)
WRAPPED = wrappers.Zoneout(cell=cells.LSTM(hidden_size=4, structure=Diagonal()))


class Parser(abc.ABC):
    """One parser of ours, made in a folder of its own. `read` gets any bytes."""

    documented: ClassVar[tuple[type[BaseException], ...]] = (UsageError,)
    """What it may raise."""
    first: ClassVar[int] = 0
    """How many bytes are before its text."""

    def __init__(self, folder: Path):
        self.folder = folder

    @functools.cached_property
    def known(self) -> list[bytes]:
        """Its seeds, made once."""
        return self.seeds()

    @abc.abstractmethod
    def seeds(self) -> list[bytes]:
        """Valid inputs, from which others are made."""

    @abc.abstractmethod
    def read(self, data: bytes) -> Any:
        """Parse."""

    def words(self) -> list[bytes]:
        """What inputs are put together from."""
        return json_words()

    def try_one(self, data: bytes) -> None:
        """Parse, and raise what is a crash: anything but what is documented."""
        try:
            self.read(data)
        except self.documented as error:
            assert visible(str(error)) == str(error), "the message would act on a terminal"
            assert len(str(error)) < 100_000, "the message is endless"


def json_words() -> list[bytes]:
    """Names of members and fields, and the constants of JSON."""
    found = {'"type":', "null", "true", "false", "NaN", "1e999", "-1", "2147483648", "[]", "{}", "\\ud800", "\\u0000"}
    for kind in _FAMILIES:
        for name, cls in members(kind).items():
            found |= {f'"{kind}.{name}"', *(f'"{field}":' for field in field_types(cls))}
    return [word.encode() for word in sorted(found)]


class Specification(Parser):
    """JSON of a specification: `from_json`."""

    def seeds(self) -> list[bytes]:
        each = [cls(hidden_size=4) for cls in members("cells").values()]  # pyright: ignore[reportCallIssue]
        return [to_json(value).encode() for value in (CONFIG, WRAPPED, *each)]

    def read(self, data: bytes) -> None:
        found = from_json(data.decode("utf-8", "surrogateescape"))
        assert isinstance(found, Spec) and from_json(to_json(found)) == found


class Options(Parser):
    """Options of the command line, separated by NUL as in /proc: `override`. tyro prints what is wrong, and exits."""

    documented = (UsageError, SystemExit)

    def seeds(self) -> list[bytes]:
        lines = (
            "--lr 0.1",
            "--cell lstm --cell.structure banded --cell.structure.bandwidth 2",
            "--config.cell.hidden-size=8 --unroll newton",
            "--task adding --task.length 5 --no-stream --optimizer sgd",
            "--cell.structure=None",
            "--help",
        )
        return [line.replace(" ", "\0").encode() for line in lines]

    def read(self, data: bytes) -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            override(CONFIG, [arg.decode("utf-8", "surrogateescape") for arg in data.split(b"\0")], "fuzz")

    def words(self) -> list[bytes]:
        names = {name.encode() for kind in _FAMILIES for name in members(kind)}
        classes = [cls for kind in _FAMILIES for cls in members(kind).values()]
        fields = {name.replace("_", "-") for cls in classes for name in field_types(cls)}
        starts = [f"{start}{name}".encode() for start in ("--", "--cell.", "--task.", "--config.") for name in fields]
        return sorted([*names, *starts, b"\0", b"=", b"none", b"--", b"-h", b"nan", b"1e400"])


class Text(Parser):
    """A text to learn from: `corpus`, and its characters as tokens and back."""

    def seeds(self) -> list[bytes]:
        return [b"One line.\nTwo.\r\n", "\ufeffé 中 \U0001f469".encode(), b"a" * 50, "x\ry\n".encode("utf-16")]

    def read(self, data: bytes) -> None:
        (file := self.folder / "text").write_bytes(data)
        found = corpus(str(file))
        text = decode(found.symbols, found.tokens)
        for known, token in zip(text, found.tokens, strict=True):
            assert token == len(found.symbols) or known == found.symbols[token]
        again = encode(found.symbols, text)
        assert UNKNOWN in found.symbols or (again == found.tokens).all()
        assert sum(map(len, found.parts.values())) >= len(found.tokens)
        check_length(found, 8)

    def words(self) -> list[bytes]:
        return [b"\xef\xbb\xbf", b"\r\n", b"\r", b"\0", b"\xed\xa0\x80", "\u2028".encode(), UNKNOWN.encode()]


__all__ = ["CONFIG", "Options", "Parser", "Specification", "Text", "json_words"]
