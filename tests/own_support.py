"""What the tests of members in files of one's own share: being a new process."""

import sys

from rnnzoo.spec import _FAMILIES
from rnnzoo.training import sources

OURS = ("_file_", "mine", "elsewhere", "bad", "outside")  # names of modules that these tests make


def forget() -> None:
    """Be a new process, as far as files that were run are concerned."""
    for name in [n for n, m in sys.modules.items() if str(getattr(m, "__name__", "")).startswith(OURS)]:
        del sys.modules[name]
    sources._RUN.clear()
    for family in _FAMILIES.values():
        for name in [n for n, cls in family.items() if cls.__module__.startswith(OURS)]:
            del family[name]
