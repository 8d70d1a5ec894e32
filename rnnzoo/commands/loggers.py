"""``rnnzoo list loggers``: what ``--log`` takes."""

import fnmatch
import importlib.util
import inspect

from rnnzoo.loggers import Logger
from rnnzoo.spec import field_types, members


def rows(pattern: str = "*") -> list[dict[str, str]]:
    """One row for each logger whose name matches the pattern."""
    loggers = {name: cls for name, cls in members("loggers").items() if issubclass(cls, Logger)}
    return [
        {
            "name": name.lower(),
            "needs": cls.package or "-",
            "installed": "yes" if not cls.package or importlib.util.find_spec(cls.package) else "no",
            "options": ", ".join(field_types(cls)) or "-",
            "what": " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split()).rstrip(".").replace("``", ""),
        }
        for name, cls in loggers.items()
        if fnmatch.fnmatch(name.lower(), pattern.lower())
    ]


__all__ = ["rows"]
