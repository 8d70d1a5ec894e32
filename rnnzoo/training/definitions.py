"""Where members of the user's own are defined: noted in run and model folders, and asked for when they are missing.

A folder notes the file of each such member and its checksum, never the source. Reading a folder runs nothing: whoever
wants the member back names its file, ``--import FILE.py``, or its module, ``--import my_package.my_module``.
"""

import hashlib
import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rnnzoo.disk import parse_json, read_bytes, read_json
from rnnzoo.spec import Spec, UnknownMember, UsageError, field_types, find, source_file
from rnnzoo.spec_json import from_json
from rnnzoo.training.sources import checksum_when_run, has_run

DEFINITIONS = "definitions.json"
LARGEST = 2**20  # bytes of a definitions.json

Definitions = dict[str, dict[str, str]]
"""Member, such as "tasks.FlipFlop" -> ``source``: the file of its class; ``sha256``: that file's checksum; ``module``:
its name, where Python's own import found it. Each is "" where there is none, as in a notebook."""


def definitions(*values: Any) -> Definitions:
    """Where the members in these specifications are defined, except the package's own."""
    classes = {cls for value in values for cls in _classes(value)}
    own = [cls for cls in classes if cls.__module__.partition(".")[0] != "rnnzoo"]
    return {_name(cls): _definition(cls) for cls in sorted(own, key=_name)}


def _classes(value: Any) -> Iterator[type[Spec]]:
    """The classes of a specification and of all that it holds."""
    if isinstance(value, Spec):
        yield type(value)
        value = tuple(getattr(value, name) for name in field_types(type(value)))
    for part in value if isinstance(value, tuple) else ():
        yield from _classes(part)


def _name(cls: type[Spec]) -> str:
    return f"{cls.kind}.{cls.__name__}"


def _definition(cls: type[Spec]) -> dict[str, str]:
    source, checksum, module = source_file(cls), checksum_when_run(cls.__module__), cls.__module__
    if checksum is not None:  # its module has a private name
        module = ""
    elif source is not None:
        checksum = hashlib.sha256(read_bytes(source)).hexdigest()
    return {"source": str(source or ""), "sha256": checksum or "", "module": module}


def to_text(noted: Definitions) -> str:
    """The contents of a definitions.json."""
    return json.dumps(noted, indent=1) + "\n"


def read_definitions(folder: Path) -> Definitions:
    """What `definitions.json` of a folder notes; nothing if there is none. `UsageError` if it holds anything else."""
    file = folder / DEFINITIONS
    if file.is_symlink():
        raise UsageError(f"{file} is a link; accepted: a file of the folder itself, or none")
    if not file.is_file():
        return {}
    noted = read_json(file, LARGEST)
    if not isinstance(noted, dict) or not all(map(_is_definition, noted.values())):
        raise UsageError(f'{file} is damaged; accepted: members, each with "source", "sha256" and "module"')
    return noted


def _is_definition(entry: Any) -> bool:
    """Whether an entry can be shown: text without control characters, since the folder may come from anywhere."""
    if not isinstance(entry, dict) or entry.keys() != {"source", "sha256", "module"}:
        return False
    return all(isinstance(text, str) and text.isprintable() for text in entry.values())


def read_specification(text: str, file: Path) -> Any:
    """The specification in a file of that text, which lies beside its folder's definitions.json. Runs nothing.

    Raises:
        UnknownMember: it names a member that nobody has defined in this process; the message says where it was
            defined, as the folder notes it, and what to pass.
    """
    try:
        return from_json(text, str(file))
    except UnknownMember as error:
        message = str(error)
    unknown, noted = sorted(set(_unknown(parse_json(text, str(file))))), read_definitions(file.parent)
    if not noted.keys() & set(unknown):
        raise UnknownMember(f"{file}: {message}. A member of your own? Add --import FILE.py, the file that defines it")
    raise UnknownMember(f"{file} needs code that is not here: {_request({name: noted.get(name) for name in unknown})}")


def _request(missing: dict[str, dict[str, str] | None]) -> str:
    """Which members are missing, where they were defined, and what to pass. None: nobody has noted where."""
    places: dict[str, list[str]] = {}
    for name, entry in missing.items():
        places.setdefault(_place_of(entry) if entry else "a file that is not noted", []).append(name)
    needed = "; ".join(f"{', '.join(names)}, defined in {place}" for place, names in places.items())
    arguments = dict.fromkeys(_argument(entry) if entry else "FILE.py" for entry in missing.values())
    options = " ".join(f"--import {argument}" for argument in arguments)
    return f"{needed}. Accepted: the same command with {options}; in Python, the class defined before"


def _unknown(data: Any) -> Iterator[str]:
    """The names of members in parsed JSON that this process does not have."""
    if isinstance(data, dict) and isinstance(member := data.get("type"), str) and _class_of(member) is None:
        yield member if member.isprintable() else repr(member)
    for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _unknown(part)


def _class_of(member: str) -> type[Spec] | None:
    """The class of a member such as "tasks.FlipFlop"; None if there is none in this process."""
    kind, _, name = member.partition(".")
    try:
        return find(kind, name)
    except UsageError:
        return None


def _place_of(entry: dict[str, str]) -> str:
    """Where a definition is, in words, and what stands in the way of running it."""
    source = entry["source"]
    if not source:
        return "a notebook or an interactive session (copy the class to a file)"
    if not Path(source).is_file():
        return f"{source}, which is not there now (another file with the same class will do)"
    if has_run(source):
        return f"{source}, which does not define it any more"
    if entry["module"] == "__main__":
        return f"the script {source} (--import runs it again, all but what is under `if __name__ == '__main__'`)"
    return source


def _argument(entry: dict[str, str]) -> str:
    """What to pass to --import: a module of a package by its name, everything else as a file."""
    module, source = entry["module"], entry["source"]
    usable = Path(source).is_file() and not has_run(source)
    return shlex.quote(module if "." in module else source) if usable else "FILE.py"


def check_definitions(folder: Path, warn: Callable[[str], None]) -> None:
    """Warn of the files whose members are not what they were when the folder was written."""
    changed: dict[tuple[str, str], list[str]] = {}
    for name, then in read_definitions(folder).items():
        cls = _class_of(name)
        if cls is None or not then["sha256"] or (now := _definition(cls))["sha256"] == then["sha256"]:
            continue  # not here, or never in a file, or the same file
        changed.setdefault((now["source"] or "this session", then["source"]), []).append(name)
    for (new, old), names in changed.items():
        was = "it was" if new == old else f"{old} was"
        warn(f"{new} is not what {was} when {folder} was written; going on with the present {', '.join(names)}")


__all__ = ["DEFINITIONS", "check_definitions", "definitions", "read_definitions", "read_specification", "to_text"]
