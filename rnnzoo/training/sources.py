"""Running Python files that the user names: one loader for ``--config FILE.py`` and ``--import``."""

import contextlib
import hashlib
import importlib
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from rnnzoo.disk import read_bytes
from rnnzoo.spec import UsageError

LONGEST = 1000  # characters of a message from the user's code
_RUN: dict[str, str] = {}  # name of a module that `load_file` made -> SHA-256 of the text that it ran


def load_source(name: str) -> ModuleType:
    """Run a Python file ("path/to/file.py") or import a module ("my_module"), and return the module.

    A file runs once per process, whoever asks for it and by whichever name; again only after it has changed.

    Raises:
        UsageError: there is no such file or module, or running it raises. The message is one line.
    """
    if name.endswith(".py") or "/" in name or os.sep in name:
        return load_file(Path(name))
    return _import(name)


def load_file(path: Path) -> ModuleType:
    """Run the Python file at `path`, unless it has run already, and return its module."""
    path = path.resolve()
    text = read_bytes(path)
    digest = hashlib.sha256(text).hexdigest()
    known = _module_of(path)
    if known is not None and _RUN.get(known.__name__, digest) == digest:
        return known
    _make_importable(path.parent)
    name = _private_name(path)
    names = [name, *_public_name(path, known)]
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules.update(dict.fromkeys(names, module))  # type hints, dataclasses and --help look classes up there
    try:
        with errors_in_one_line(path):
            exec(compile(text, str(path), "exec", dont_inherit=True), vars(module))
    except BaseException:
        for name in names:
            sys.modules.pop(name, None)  # the file may have taken it away
        _RUN.pop(module.__name__, None)
        raise
    _RUN[name] = digest
    return module


def _import(name: str) -> ModuleType:
    """Import a module that is on Python's path, or in the current folder."""
    if name in sys.modules:
        return sys.modules[name]
    _make_importable(Path.cwd())
    importlib.invalidate_caches()
    with errors_in_one_line(name):
        found = importlib.util.find_spec(name) if _exists(name) else None
    if found is None:
        raise UsageError(f"no module {name!r}; accepted: a module on Python's path, or --import path/to/file.py")
    path = Path(found.origin).resolve() if found.has_location and found.origin else None
    if path is not None and (known := _module_of(path)) is not None:
        sys.modules[name] = known
        return known
    with errors_in_one_line(path or name):
        return importlib.import_module(name)


def _exists(name: str) -> bool:
    """Whether the module's package is there, so that `find_spec` can look in it."""
    package = name.rpartition(".")[0]
    return not package or (_exists(package) and importlib.util.find_spec(package) is not None)


def _make_importable(folder: Path) -> None:
    """Let files import their neighbours. The folder comes last: it hides no installed module."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _private_name(path: Path) -> str:
    """The module name of a file that was named by its path: always the same, and no other file's."""
    return f"_file_{re.sub(r'[^A-Za-z0-9_]', '_', path.stem)}_{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"


def _public_name(path: Path, known: ModuleType | None) -> list[str]:
    """The name under which Python would import this very file, so that an import of it elsewhere does not run it again;
    nothing if it would not."""
    name = path.stem
    if name in sys.modules:
        return [name] if sys.modules[name] is known else []
    importlib.invalidate_caches()
    found = importlib.util.find_spec(name) if name.isidentifier() else None
    return [name] if found and found.origin and Path(found.origin).resolve() == path else []


def _module_of(path: Path) -> ModuleType | None:
    """The module that this file became, by `load_file` or by Python's own import."""
    for name, module in list(sys.modules.items()):
        if name == _private_name(path) or name.rpartition(".")[2] in (path.stem, "__main__"):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and Path(file).resolve() == path:
                return module
    return None


@contextlib.contextmanager
def errors_in_one_line(what: Path | str) -> Iterator[None]:
    """Turn whatever the user's code raises, or a call of `sys.exit`, into a `UsageError` with file and line."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        kind = "" if isinstance(error, UsageError) else type(error).__name__ + ": "
        raise UsageError(f"{_place(error, what)}: {kind}{_text(error)}") from error


def _text(error: BaseException) -> str:
    """The message of an error in one line of a bounded length; "" if its own code fails to give one."""
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return ""
    line = " ".join(text[: 2 * LONGEST].split())
    return line if len(line) <= LONGEST else line[:LONGEST] + " ..."


def _place(error: BaseException, what: Path | str) -> str:
    """Where it was raised: the last line in the file or in a neighbour of it that the file imports."""
    if not isinstance(what, Path):
        return f"cannot import {what}"
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).parent == what.parent:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{f.filename}:{f.lineno}" for f in frames if Path(f.filename).parent == what.parent]
    return ours[-1] if ours else str(what)


def checksum_when_run(module: str) -> str | None:
    """The SHA-256 of the text that `load_file` ran as this module; None for a module of another origin."""
    return _RUN.get(module)


def has_run(path: str) -> bool:
    """Whether `load_file` has run this file."""
    return path in (getattr(sys.modules.get(name), "__file__", None) for name in _RUN)


__all__ = ["checksum_when_run", "errors_in_one_line", "has_run", "load_file", "load_source"]
