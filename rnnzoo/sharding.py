"""Where the parameters of a cell go on a mesh of devices."""

from typing import Any

import jax
from jax.sharding import PartitionSpec

from rnnzoo.arguments import expected_params, require_cell
from rnnzoo.cells.base import Cell
from rnnzoo.sizes import resized
from rnnzoo.spec import UsageError
from rnnzoo.typing import PyTree


def unit_specs(cell: Cell, input_size: Any, axis: str = "units") -> PyTree:
    """How to split the parameters of a cell so that each device has some of the units, with all that is theirs.

    Where the units have nothing to do with each other, as in most cells with a `Diagonal` U, or where only those of a
    block have, as with `BlockDiagonal`, the loop over time then runs without any communication. With other structures,
    and in cells that add over all units (`LayerNormLSTM`, ...), the compiler inserts what is needed in each step.

        >>> import jax, rnnzoo
        >>> cell = rnnzoo.cells.GRU(hidden_size=8, structure=rnnzoo.structures.Diagonal())
        >>> mesh = jax.make_mesh((1,), ("units",), axis_types=(jax.sharding.AxisType.Auto,))
        >>> specs = rnnzoo.unit_specs(cell, input_size=3)
        >>> specs["w"]["r"] == jax.P("units", None), specs["u"]["r"] == jax.P("units")
        (True, True)
        >>> places = jax.tree.map(lambda spec: jax.sharding.NamedSharding(mesh, spec), specs)
        >>> params = jax.device_put(cell.init(jax.random.key(0), 3), places)

    Args:
        cell: the cell; the number of its units, or of its blocks, is a multiple of that of the devices.
        input_size: the size I of its inputs.
        axis: the name of the mesh axis.

    Returns:
        A tree of `jax.sharding.PartitionSpec` like the parameters. An axis is split if its size grows with the number
        of units; of several, the first. What does not grow is whole on each device.

    Raises:
        UsageError: a cell whose parameters with twice as many units are others, such as with `Kronecker` factors.
    """
    require_cell(cell)
    try:
        one, two = (expected_params(c, input_size) for c in (cell, resized(cell, 2 * cell.hidden_size)))
        return jax.tree.map(lambda a, b: _spec(a.shape, b.shape, axis), one, two)
    except ValueError as error:
        raise UsageError(
            f"unit_specs: the parameters of {cell} with twice as many units cannot be compared with its own ({error}); "
            "accepted: a cell and structures whose fields fit any number of units"
        ) from None


def _spec(shape: tuple[int, ...], larger: tuple[int, ...], axis: str) -> PartitionSpec:
    """Split along the first axis that grows."""
    if len(shape) != len(larger):
        raise ValueError(f"{shape} becomes {larger}")
    grows = [n for n, (a, b) in enumerate(zip(shape, larger, strict=True)) if a != b]
    return PartitionSpec(*(axis if grows[:1] == [n] else None for n in range(len(shape)))) if grows else PartitionSpec()


__all__ = ["unit_specs"]
