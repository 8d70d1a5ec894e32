"""Keep freed memory in the process, so that each training step can reuse it."""

import ctypes
import os

KEPT = 2**31 - 1  # bytes, the largest value that mallopt takes
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's <malloc.h>


def keep_memory() -> bool:
    """Let the C library keep up to 2 GiB of freed memory instead of returning it to the kernel. Call it before JAX is
    first used: its threads choose only once where they allocate.

    XLA allocates the arrays of a program as one block and frees it at the end. If the block is larger than about 32 MB,
    the kernel clears all of its pages again in the next run: a quarter to a third of the time of large layers on a CPU
    (docs/measured/README.md). The price: the process never shrinks, and threads that allocate small blocks wait for
    each other, so that small layers take up to 1.4 times as long. Measure it with what you train.

    Your own settings are kept: ``GLIBC_TUNABLES`` and variables whose names begin with ``MALLOC_``.

    Returns:
        Whether memory is kept: False with settings of your own, and with C libraries other than glibc.
    """
    if any(name == "GLIBC_TUNABLES" or name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not glibc; no C library to ask; Windows
        return False
    # One arena, the main one: the others hold no block above 64 MiB.
    settings = ((_ARENA_MAX, 1), (_TRIM_THRESHOLD, KEPT), (_MMAP_THRESHOLD, KEPT))
    return all(mallopt(name, value) == 1 for name, value in settings)


__all__ = ["keep_memory"]
