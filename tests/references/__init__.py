"""The published equations of every cell and wrapper, literally: float64 NumPy, one plain loop over time in each file.

The reference of a member is ``reference`` in the file with the name of the member's own file: ``lstm.py`` for
``rnnzoo/cells/lstm.py``. It takes the cell's specification (for its plain fields), its parameters `p` with every
recurrent matrix U as a dense (H, H) array, inputs (T, I), and the state before the first step. It returns outputs
(T, O) and the last state. Nothing in these files uses rnnzoo. The reference of a cell with `uses_dt` takes the elapsed
times as well, `dts` (T,); None, the default, stands for ones.

``FIELDS`` of such a file is a list of fields other than the defaults that change the cell's equations, each a dict;
every one is tested.
"""

import importlib
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np


def names() -> set[str]:
    """The names of all files."""
    return {path.stem for path in pathlib.Path(__file__).parent.glob("[!_]*.py")}


def name_of(member: type) -> str:
    """The name of the file for a cell or wrapper."""
    return member.__module__.rpartition(".")[2]


def reference_of(member: type) -> Callable[..., Any]:
    """The reference of a cell or wrapper."""
    return importlib.import_module(f"references.{name_of(member)}").reference


def fields_of(member: type) -> list[dict[str, Any]]:
    """Fields of a cell or wrapper that its reference is tested with, besides the defaults."""
    return getattr(importlib.import_module(f"references.{name_of(member)}"), "FIELDS", [])


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.maximum(a, 0)


def positive(a):
    """Feng et al. 2024, appendix B: g."""
    return np.where(a >= 0, a + 0.5, sigmoid(a))
