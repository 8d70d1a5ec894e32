"""Read and write arrays in .safetensors files by the `safetensors` package, with errors that users can act on."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo.spec import UsageError

KINDS = ("F64", "F32", "F16", "BF16", "C64", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")


def read(path: Path) -> dict[str, np.ndarray]:
    """Name -> array, of all tensors in a file; bfloat16 arrays have the dtype of ml_dtypes."""
    import safetensors
    from safetensors.numpy import load_file

    try:
        _check_kinds(path)
        return load_file(path)
    except UsageError:
        raise
    except (OSError, safetensors.SafetensorError, ValueError, KeyError, json.JSONDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def _check_kinds(path: Path) -> None:
    """Refuse types that numpy lacks, such as F8_E4M3, before anything is read."""
    import safetensors

    with safetensors.safe_open(path, "np") as file:
        for name in file.keys():
            if (kind := file.get_slice(name).get_dtype()) not in KINDS:
                raise UsageError(f"{name} of {path} is {kind}; accepted: {', '.join(KINDS)}")


def write(path: Path, arrays: dict[str, Any], metadata: dict[str, str] | None = None) -> None:
    """Write arrays, with `metadata` as text.

    Raises:
        OSError: the disk is full, say.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path.touch()
    mode = path.stat().st_mode  # as the user's umask has it; safetensors makes files that only their owner may read
    try:
        save_file({name: np.asarray(a, order="C") for name, a in arrays.items()}, path, metadata)
    except SafetensorError as error:  # what the package makes of errors of the disk
        raise OSError(f"{path.name}: {error}") from error
    path.chmod(mode)


__all__ = ["read", "write"]
