"""Facts about a cell that follow from its methods."""

from rnnzoo.base import Cell, Structure


def structure_of(cell: Cell) -> Structure | None:
    """The structure of a cell's recurrent matrices, if it has any; of the wrapped cell for a wrapper."""
    found = []
    cell.with_structure(lambda structure: found.append(structure) or structure)
    return found[0] if found else None


__all__ = ["structure_of"]
