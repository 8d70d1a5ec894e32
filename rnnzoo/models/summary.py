"""A network as a table: each part with its parameters, and how many of them are recurrent."""

from collections import Counter
from collections.abc import Sequence

import jax

from rnnzoo.cells.base import Cell, unused_params
from rnnzoo.models.layer import Layer
from rnnzoo.shown import in_short
from rnnzoo.typing import Params
from rnnzoo.wrappers.base import Wrapper

TITLES = ("part", "what", "outputs", "parameters", "of U")


def table(layers: Sequence[Layer], widths: Sequence[int], shapes: Params, output_size: int) -> str:
    """The lines of `Model.summary`.

    Args:
        layers: from the first to the last.
        widths: the features that each layer reads, and that the head reads.
        shapes: those of the network's parameters.
        output_size: the features that the head gives.
    """
    sizes = {name: sum(leaf.size for leaf in jax.tree.leaves(part)) for name, part in shapes.items()}
    rows = []
    for i, layer in enumerate(layers):
        name, reads = f"layer_{i}", layer.cell_input_size(widths[i])
        left_out = sum(unused_params(cell, _shapes(cell, reads)) for cell in layer.cells)
        weights = sum(map(_weights, layer.cells))
        rows.append((name, _what(layer), widths[i + 1], sizes.pop(name) - left_out, weights))
    before = [("embed", "embedding", widths[0], sizes.pop("embed"), 0)] if "embed" in sizes else []
    after = [(name, name, output_size if name == "head" else widths[-1], n, 0) for name, n in sizes.items()]
    rows = [*before, *rows, *sorted(after, key=lambda row: row[0] == "head")]
    total = ("total", "", output_size, sum(row[3] for row in rows), sum(row[4] for row in rows))
    return _aligned([TITLES, *(tuple(f"{x:,}" if isinstance(x, int) else x for x in row) for row in [*rows, total])])


def _shapes(cell: Cell, size: int) -> Params:
    return jax.eval_shape(lambda: cell.init(jax.random.key(0), size))


def _weights(cell: Cell) -> int:
    """How many numbers are free in a cell's recurrent matrices."""
    return sum(structure.num_params(cell.hidden_size) for structure in cell.structures.values())


def _what(layer: Layer) -> str:
    """The cells of a layer: "2 x LSTM, 8 units, Banded"; what it has in their place, if it has none."""
    said = []
    for cell, count in Counter(layer.cells).items():
        structures = dict.fromkeys(in_short(structure) for structure in cell.structures.values())
        said.append(f"{count} x " * (count > 1) + ", ".join([cell_in_words(cell), *structures]))
    return "; ".join(said) or type(getattr(layer, "cell", layer)).__name__


def cell_in_words(cell: Cell) -> str:
    """A cell by its class and size: "LSTM, 8 units"; of a wrapper also what it wraps: "Zoneout(LSTM), 8 units"."""
    return f"{_name(cell)}, {cell.hidden_size} unit{'s' * (cell.hidden_size != 1)}"


def _name(cell: Cell) -> str:
    name = type(cell).__name__
    return f"{name}({_name(cell.cell)})" if isinstance(cell, Wrapper) else name


def _aligned(rows: list[tuple[str, ...]]) -> str:
    """Columns side by side, text to the left and numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


__all__ = ["cell_in_words", "table"]
