"""Change what recurrent products mean, for any cell: the cell itself is run with another structure."""

from collections.abc import Callable
from typing import Any

from rnnzoo.cells.base import Cell
from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.typing import Array, Connectivity, Float, Key, Params, PyTree, State


@spec
class _Changed(Structure):
    """U' v = after * U (before * v), where the parameters are {"u": u, "before": (H,), "after": (H,)}, the last two
    if there are any."""

    inner: Structure

    @property
    def connectivity(self) -> Connectivity:
        return self.inner.connectivity

    @property
    def closure(self) -> Algebra:
        return self.inner.closure

    def init(self, key: Key, size: int) -> PyTree:
        return {"u": self.inner.init(key, size)}

    def matvec(self, u: Any, h: Float[Array, " H"]) -> Float[Array, " H"]:
        heard = self.inner.matvec(u["u"], (h * u["before"]).astype(h.dtype) if "before" in u else h)
        return heard * u["after"] if "after" in u else heard


def step_with_products(cell: Cell, params: Params, state: State, z_t: PyTree, change: Callable[[str], dict]) -> State:
    """The step of `cell` with U of every gate g changed by ``change(g)``: {"before": (H,)} or {"after": (H,)}."""
    us = {g: {"u": u, **change(g)} for g, u in params["u"].items()}
    changed = cell.with_structure(lambda structure: _Changed(inner=structure))
    return changed.step({**params, "u": us}, state, z_t)
