"""A tree of arrays in a file: numpy's .npz, each array under its path in the tree."""

import os
import zipfile
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.trees import named
from rnnzoo.typing import PyTree

HEADER = 4096  # bytes; more than any array in an .npz file has besides its numbers


def write_arrays(path: Path, tree: PyTree) -> None:
    """Write a new file. Returns when it is on disk."""
    arrays: dict[str, Any] = {name: np.asarray(leaf) for name, leaf in named(tree).items()}
    with path.open("xb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())


def read_arrays(path: Path, like: PyTree) -> PyTree:
    """The arrays of an .npz file as a tree like `like`. ValueError if it has others, or is no such file."""
    expected = named(like)
    try:
        found = _stored(path, expected)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # of zipfile, zlib and numpy, which do not say which ones they raise
        raise ValueError(f"{path.name}: {error or type(error).__name__}") from error
    for name, wanted in expected.items():
        array = found[name]
        if array.dtype.kind == "V" and array.dtype.itemsize == wanted.dtype.itemsize:
            array = array.view(wanted.dtype)  # numpy stores a dtype that is not its own, such as bfloat16, as bytes
        if array.shape != wanted.shape or array.dtype != wanted.dtype:
            raise ValueError(f"{name} is {array.dtype}{list(array.shape)}, and not {wanted.dtype}{list(wanted.shape)}")
        found[name] = jnp.asarray(array)
    return jax.tree.unflatten(jax.tree.structure(like), [found[name] for name in expected])


def _stored(path: Path, expected: dict[str, Any]) -> dict[str, Any]:
    if not zipfile.is_zipfile(path):  # of which numpy would make something else, or a pickle
        raise ValueError("it is not in numpy's .npz format")
    with np.load(path, allow_pickle=False) as stored:
        size = sum(entry.file_size for entry in stored.zip.infolist())
        if size > sum(leaf.size * leaf.dtype.itemsize + HEADER for leaf in expected.values()):
            raise ValueError(f"its arrays have {size:,} bytes, which is too many")
        if other := expected.keys() ^ set(stored.files):
            raise ValueError(f"only one of the two has {min(other)}")
        found = {name: stored[name] for name in expected}
    if other := [name for name, array in found.items() if not isinstance(array, np.ndarray)]:
        raise ValueError(f"{other[0]} is no array")  # numpy gives what has not its mark as bytes
    return found


def read_orbax(path: Path, like: PyTree) -> PyTree:
    """A checkpoint of the first edition, which had no empty arrays."""
    import orbax.checkpoint as ocp

    with ocp.StandardCheckpointer() as checkpointer:
        tree = checkpointer.restore(path, jax.tree.map(lambda a: a if a.size else None, like))
    return jax.tree.map(lambda a, found: np.zeros(a.shape, a.dtype) if found is None else found, like, tree)


__all__ = ["read_arrays", "read_orbax", "write_arrays"]
