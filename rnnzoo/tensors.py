"""Arrays in a .safetensors file: read and written through the `safetensors` package, with errors users can act on."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo.registry import UsageError


def read(path: Path) -> dict[str, np.ndarray]:
    """Name -> array of all tensors in a file; bfloat16 comes as ml_dtypes' type."""
    import safetensors
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, safetensors.SafetensorError, ValueError, KeyError, json.JSONDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def write(path: Path, arrays: dict[str, Any], metadata: dict[str, str] | None = None) -> None:
    """Write arrays; `metadata` may hold text only."""
    from safetensors.numpy import save_file

    save_file({name: np.asarray(a, order="C") for name, a in arrays.items()}, path, metadata)


__all__ = ["read", "write"]
