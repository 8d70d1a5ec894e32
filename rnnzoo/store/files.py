"""The files of a model folder: which may be there, and whether each is the one that config.json lists."""

import hashlib
import json
from pathlib import Path
from typing import Any

from rnnzoo.disk import parse_json, read_text
from rnnzoo.spec import UsageError, brief
from rnnzoo.training import definitions, symbols
from rnnzoo.training.definitions import DEFINITIONS
from rnnzoo.training.symbols import SYMBOLS

FORMAT = 1
WEIGHTS, TRAINING = "model.safetensors", "training.json"
LISTED = (WEIGHTS, TRAINING, SYMBOLS, DEFINITIONS)  # in config.json, with size and checksum
LARGEST_CONFIG = 2**20  # bytes
LARGEST = {TRAINING: LARGEST_CONFIG, SYMBOLS: symbols.LARGEST, DEFINITIONS: definitions.LARGEST}  # bytes


def read_index(path: Path) -> dict[str, Any]:
    """The contents of a model folder's config.json, checked as far as its format and its list of files."""
    file = path / "config.json"
    facts = parse_json(small_text(path, "config.json"), str(file))
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        found = brief(facts.get("format") if isinstance(facts, dict) else facts)
        raise UsageError(f'{file} is not the config.json of a model folder: "format" is {found}; accepted: {FORMAT}')
    files = facts.get("files")
    names = set(files) if isinstance(files, dict) else set()
    if WEIGHTS not in names or not names <= set(LISTED):
        optional = " and ".join(LISTED[1:])
        raise UsageError(f'{file} has "files": {brief(sorted(names))}; accepted: {WEIGHTS} and, optionally, {optional}')
    if "sha256" in facts and sealed(facts) != facts:  # older folders have none
        raise UsageError(
            f'{file} is not what was written (SHA-256); accepted: as it was, or without "sha256" if you have changed it'
        )
    return facts


def sealed(facts: dict[str, Any]) -> dict[str, Any]:
    """The contents of a config.json with their own checksum, which finds damage: whoever changes a folder on purpose
    can compute it again."""
    bare = {name: value for name, value in facts.items() if name != "sha256"}
    return bare | {"sha256": hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()}


def small_text(path: Path, name: str) -> str:
    """The text of a file in the folder; `UsageError` if it is larger than any that belongs there."""
    return read_text(plain_file(path, name), LARGEST_CONFIG)


def plain_file(path: Path, name: str) -> Path:
    """A regular file in the folder itself, not a link to one elsewhere."""
    if not path.is_dir():
        raise UsageError(f"no model folder {str(path)!r}")
    file = path / name
    if file.is_symlink() or not file.is_file():
        raise UsageError(f"{file} is missing, or not a plain file in the folder; accepted: a model folder")
    return file


def check_size(path: Path, name: str, expected: Any) -> None:
    """Raise `UsageError` unless the file has the size that config.json lists."""
    file = plain_file(path, name)
    size = expected.get("bytes") if isinstance(expected, dict) else None
    if file.stat().st_size != size:
        raise UsageError(f"{file} has {file.stat().st_size} bytes, config.json says {brief(size)}: it is damaged")


def check_content(path: Path, name: str, expected: Any, largest: int) -> None:
    """Raise `UsageError` unless the file has the checksum that config.json lists, and up to `largest` bytes: the
    checksum of a terabyte of zeros, which takes no room on a disk, would take an hour."""
    file = plain_file(path, name)
    if file.stat().st_size > largest:
        raise UsageError(f"{file} has {file.stat().st_size:,} bytes; accepted: up to {largest:,} for this model")
    if size_and_checksum(file)["sha256"] != expected.get("sha256"):
        raise UsageError(f"{file} is not what config.json says (SHA-256): it is damaged or has been changed")


def size_and_checksum(file: Path) -> dict[str, Any]:
    """What config.json lists of a file."""
    with file.open("rb") as opened:
        return {"bytes": file.stat().st_size, "sha256": hashlib.file_digest(opened, "sha256").hexdigest()}


__all__ = [
    "FORMAT",
    "LARGEST",
    "LISTED",
    "TRAINING",
    "WEIGHTS",
    "check_content",
    "check_size",
    "plain_file",
    "read_index",
    "sealed",
    "size_and_checksum",
    "small_text",
]
