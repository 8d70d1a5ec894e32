"""What a run began with: run.json, and the files that repeat parts of it."""

import hashlib
import json
from pathlib import Path
from typing import Any

from rnnzoo.disk import read_json
from rnnzoo.spec import UsageError
from rnnzoo.spec_json import to_dict
from rnnzoo.tasks.data import Data
from rnnzoo.training.config import Config
from rnnzoo.training.definitions import DEFINITIONS, definitions, to_text
from rnnzoo.training.symbols import SYMBOLS
from rnnzoo.version import __version__

RUN, CONFIG, DATA = "run.json", "config.json", "data.sha256"
FORMAT = 2
# Fields of a configuration that may change when a run goes on.
WORK = ("steps", "log_every", "eval_every", "stop_when_solved")
PATH = "path"  # the field of a task that says where its data are
KINDS = {"config": dict, "data": str, "symbols": str | None, "definitions": dict, "environment": dict}

Begun = dict[str, Any]
"""``config``: the configuration; ``data``: the fingerprint of the data; ``symbols``: the characters of the tokens;
``definitions``: where members of the user's own are defined; ``environment``: versions and devices."""


def begin(config: Config, data: Data, environment: dict[str, str]) -> Begun:
    """That of a new run."""
    return {
        "format": FORMAT,
        "config": to_dict(config),
        "data": data.fingerprint,
        "symbols": data.symbols,
        "definitions": definitions(config),
        "environment": environment,
    }


def read_begun(file: Path) -> Begun | None:
    """The contents of a run.json; None if there is no such file.

    Raises:
        UsageError: it is damaged, or of another version.
    """
    if not file.is_file():
        return None
    found = read_json(file)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise UsageError(f"{file} is not what rnnzoo {__version__} writes; accepted: the file of a run")
    for name, kind in KINDS.items():
        if name not in found or not isinstance(found[name], kind):
            raise UsageError(f"{file} has {name}: {str(found.get(name))[:40]!r}; it is damaged")
    if not isinstance(found["config"].get("task"), dict):
        raise UsageError(f"{file} has a configuration without a task; it is damaged")
    return found


def identity_of(begun: Begun) -> str:
    """A checksum of all that decides what the run computes, which is all that may not change."""
    bound = {"config": fixed(begun["config"]), "data": begun["data"], "symbols": begun["symbols"]}
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()


def fixed(config: dict[str, Any]) -> dict[str, Any]:
    """The part of a configuration that may not change. Data may move to another `path`: the fingerprint says what they
    are."""
    task = config.get("task")
    task = {name: value for name, value in task.items() if name != PATH} if isinstance(task, dict) else task
    return {name: value for name, value in config.items() if name not in WORK} | {"task": task}


def update(begun: Begun, config: dict[str, Any]) -> None:
    """Take over what may change from another configuration of the same run."""
    begun["config"] |= {name: config[name] for name in WORK if name in config}
    if PATH in begun["config"]["task"]:
        begun["config"]["task"][PATH] = config["task"].get(PATH, begun["config"]["task"][PATH])


def parts_of(begun: Begun) -> dict[str, str]:
    """The files that repeat what run.json says, for people and for other programs."""
    parts = {CONFIG: json.dumps(begun["config"], indent=1) + "\n", DATA: f"{begun['data']}\n"}
    if begun["symbols"] is not None:
        parts[SYMBOLS] = json.dumps(begun["symbols"]) + "\n"
    if begun["definitions"]:
        parts[DEFINITIONS] = to_text(begun["definitions"])
    return parts


__all__ = [
    "CONFIG",
    "DATA",
    "RUN",
    "WORK",
    "Begun",
    "begin",
    "fixed",
    "identity_of",
    "parts_of",
    "read_begun",
    "update",
]
