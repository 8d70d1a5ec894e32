"""One input to one parser, held to what no input may cost."""

import re
import time
from pathlib import Path

from . import data_files, folders, parsers
from .parsers import Parser
from .planted import Planted
from .recipes import cooked

SECONDS, MEGABYTES = 2.0, 500  # of processor time for an input; that memory may grow by, in all


class TooMuch(Exception):
    """An input took too much time or memory."""


PARSERS: dict[str, type[Parser]] = {
    "specification": parsers.Specification,
    "options": parsers.Options,
    "text": parsers.Text,
    "data": data_files.DataFiles,
    "run": folders.Run,
    "checkpoint": folders.Checkpoint,
    "folder": folders.Folder,
    "weights": folders.Weights,
    "foreign": folders.Foreign,
    "planted": Planted,
}


def make(name: str, folder: Path) -> Parser:
    """The parser of that name, in an empty folder."""
    return PARSERS[name](folder)


def once(parser: Parser, data: bytes) -> None:
    """Parse, and raise whatever is a crash."""
    global _memory
    text, began = cooked(data, parser.known, parser.first), time.process_time()
    parser.try_one(text)
    seconds, memory = time.process_time() - began, _peak()
    _memory = _memory or memory
    if memory > _memory + MEGABYTES:  # asked first: taking it takes time, too
        raise TooMuch(f"memory has grown by {memory - _memory:.0f} MB; accepted: {MEGABYTES}")
    if seconds > SECONDS:
        raise TooMuch(f"{seconds:.1f} s of processor time; accepted: {SECONDS}")


def _peak() -> float:
    """Most megabytes that this process has used. (What `resource` says is that of the parent, if that is more.)"""
    found = re.search(r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None, "the system does not say how much memory a process has used"
    return int(found[1]) / 1024


_memory = 0.0
