"""Memory of the process: keep what is freed for the next time, where training asks for the same large arrays."""

import ctypes
import os

KEPT = 2**31 - 1  # bytes, the most that mallopt's arguments can say
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's <malloc.h>


def keep_memory() -> bool:
    """Let the C library keep up to 2 GiB of freed memory, in place of handing it back to the kernel. Call it before JAX
    is first used: its threads choose once where they allocate.

    XLA takes the arrays of a program as one piece of memory and frees it at the end. Above some 32 MB the kernel then
    clears each of its pages again in the next run, which is a quarter to a third of the time of large layers on a CPU
    (docs/measured/README.md). In return the process stays as large as it once was, and threads that allocate small
    pieces wait for each other: small layers take up to 1.4 times as long. Measure it with what you train.

    Settings made by hand stay: ``GLIBC_TUNABLES`` and variables whose names begin with ``MALLOC_``.

    Returns:
        Whether it is set up: False where settings were made by hand, and for C libraries other than glibc.
    """
    if any(name == "GLIBC_TUNABLES" or name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not glibc; no C library to ask; Windows
        return False
    # One arena: the others hold no piece above 64 MiB.
    settings = ((_ARENA_MAX, 1), (_TRIM_THRESHOLD, KEPT), (_MMAP_THRESHOLD, KEPT))
    return all(mallopt(name, value) == 1 for name, value in settings)


__all__ = ["keep_memory"]
