"""JAX's persistent compilation cache, for the commands: what was compiled once is read from a file at the next start.

A cached program is machine code that JAX runs as it finds it. So the folder is the user's alone, with one folder inside
for each kind of processor: several machines may share a home folder."""

import contextlib
import hashlib
import os
import platform
import stat
import tempfile
from pathlib import Path
from typing import Any

import jax

from rnnzoo.commands.exits import warn

LARGEST = 2**30  # bytes of all programs together
VARIABLE, SHORTEST = "JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
CPU_FACTS = ("flags", "Features", "model name", "CPU implementer", "CPU part")  # of /proc/cpuinfo


def use_compilation_cache() -> None:
    """Let JAX keep compiled programs in a private folder of the user. Settings of your own, by JAX's variables, come
    first. A folder that cannot be used costs a warning."""
    config: Any = jax.config
    if VARIABLE in os.environ or config.jax_compilation_cache_dir or not config.jax_enable_compilation_cache:
        return
    try:
        folder = private_folder(_base() / "rnnzoo")
        prune(folder.parent)
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home folder
        warn(f"programs are compiled anew at each start: {error}; {VARIABLE}=DIR names another folder for them")
        return
    config.update("jax_compilation_cache_dir", str(folder))
    if SHORTEST not in os.environ:
        config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # many small programs add up to seconds


def _base() -> Path:
    """The user's folder for caches. By the XDG specification, one that is not absolute does not count."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return Path(given) if os.path.isabs(given) else Path.home() / ".cache"


def private_folder(folder: Path) -> Path:
    """Make the folder for this kind of machine below `folder`, or take it if it is there and nobody else can write it.

    Raises:
        OSError: it cannot be made or written, or others can write it.
    """
    path = folder / "xla" / machine()
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in (folder, folder / "xla", path):
        part.mkdir(mode=0o700, exist_ok=True)
        found = part.stat()
        if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
            raise OSError(f"{part} belongs to another user")
        if os.name == "posix" and found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise OSError(f"others can write {part}")
    with tempfile.TemporaryFile(dir=path) as file:
        file.write(b"0")
    return path


def machine() -> str:
    """A name for what programs are compiled for: machines with one name can run one another's."""
    lines = []
    with contextlib.suppress(OSError):
        first = Path("/proc/cpuinfo").read_text(errors="replace").split("\n\n")[0]
        lines = [line for line in first.splitlines() if line.partition(":")[0].strip() in CPU_FACTS]
    digest = hashlib.sha256("\n".join([platform.machine(), platform.processor(), *lines]).encode()).hexdigest()
    return f"{platform.machine() or 'any'}-{digest[:12]}"


def prune(folder: Path, largest: int = LARGEST) -> None:
    """Remove the oldest programs until half of `largest` is left, if there are more than `largest` bytes."""
    found = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # another process has removed it
            if stat.S_ISREG((about := path.lstat()).st_mode):
                found.append((about.st_mtime_ns, about.st_size, path))
    total = sum(size for _, size, _ in found)
    if total <= largest:
        return
    for _, size, path in sorted(found):
        if total <= largest // 2:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size


__all__ = ["private_folder", "prune", "use_compilation_cache"]
