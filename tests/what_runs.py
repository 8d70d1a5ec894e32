"""What runs: cells x unrolls and cells x structures, found by running each pair of them on abstract arrays.

    python tests/what_runs.py > docs/what_runs.md

Whether an unroll refuses a cell may depend on the cell's structure: every triple is asked. `tests/test_unrolls.py` runs
every triple, and holds the numbers of every pair against a plain loop.
"""

import dataclasses
import functools
import sys
from collections.abc import Iterator
from typing import Any

import jax
from unroll_support import arguments
from zoo import all_cells, all_structures, defaults

import rnnzoo
from rnnzoo import run, unrolls
from rnnzoo.cells.base import Recurrent

SIZE, TIME, BATCH = 8, 3, (2,)
ALL = ", ".join
HEAD = """# What runs

Made by running each pair on abstract arrays, on a CPU: `python tests/what_runs.py > docs/what_runs.md`. The tests
compare the numbers with a plain Python loop's. `CuDNN` runs the LSTM with a dense U, on CUDA only;
`Fused` cells whose step acts on each unit by itself, such as those with a diagonal U, on GPUs and TPUs only.
"""


def runs(cell: Any, unroll: Any) -> bool:
    """Whether the unroll takes the cell."""
    try:
        ys, _ = jax.eval_shape(lambda: run(cell, *arguments(cell, TIME, BATCH), unroll=unroll))
    except rnnzoo.UsageError as error:
        assert str(error) == unroll.refuses(cell), (cell, unroll, error)
        return False
    assert ys.shape == (TIME, *BATCH, *cell.leading_axes, ys.shape[-1]), (cell, unroll, ys)
    return True


def with_structures(cell: Any) -> Iterator[tuple[str, Any]]:
    """Structure -> the cell with it."""
    for structure in all_structures(SIZE):
        yield type(structure).__name__, dataclasses.replace(cell, structure=structure)


def structures_of(cell: Any) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Those that run with the cell; and, for unrolls, those that change whether it runs."""
    default, found, others = unrolls_of(cell), [], {}
    for name, other in with_structures(cell):
        if not runs(other, unrolls.Scan()):
            continue
        found.append(name)
        for unroll in default ^ unrolls_of(other):
            others[unroll] = (*others.get(unroll, ()), name)
    return found, others


def unrolls_of(cell: Any) -> set[str]:
    return {type(unroll).__name__ for unroll in defaults("unrolls") if unroll.refuses(cell) is None}


def described(cell: Any) -> str:
    """A row of the second table."""
    count = len(all_structures(SIZE))
    found, others = structures_of(cell)
    left = [name for name, _ in with_structures(cell) if name not in found]
    which = f"all {count}" if not left else f"{len(found)} of {count}: not {ALL(left)}"
    changes = []
    for unroll, names in sorted(others.items()):
        now = "not with" if unroll in unrolls_of(cell) else "with"
        rest = [name for name in found if name not in names]
        some = f"any but {ALL(rest)}" if len(rest) < len(names) else ALL(names)
        changes.append(f"{unroll} {now} {some}")
    return f"| {type(cell).__name__} | {which} | {'; '.join(changes)} |"


def row(cell: Any) -> str:
    """One of the first table."""
    marks = ("✓" if runs(cell, unroll) else "" for unroll in defaults("unrolls"))
    return f"| {type(cell).__name__} | {' | '.join(marks)} |"


def first_table() -> Iterator[str]:
    names = [type(unroll).__name__ for unroll in defaults("unrolls")]
    yield f"| cell | {' | '.join(names)} |"
    yield "| --- |" + " :-: |" * len(names)
    yield from (row(cell) for cell in all_cells(SIZE))


def second_part() -> Iterator[str]:
    """How many cells take every structure, and a table of those that do not, or whose unrolls depend on it."""
    recurrent = [cell for cell in all_cells(SIZE) if isinstance(cell, Recurrent)]
    rows = [described(cell) for cell in recurrent]
    count = len(all_structures(SIZE))
    others = [row for row in rows if not row.endswith(f"| all {count} |  |")]
    yield (
        f"{len(rows) - len(others)} of the {len(rows)} cells with a U run with all {count} structures, "
        "none of which changes\nwhich unrolls run."
    )
    if others:
        yield "\n| cell | structures | unrolls that other structures change |"
        yield "| --- | --- | --- |"
        yield from others


def page() -> Iterator[str]:
    """Its lines."""
    yield HEAD
    yield "## Cells and unrolls\n"
    yield from first_table()
    yield "\n## Cells and structures\n"
    yield from second_part()


if __name__ == "__main__":
    write = functools.partial(print, flush=True)
    for line in page():
        write(line)
        print(line[:40], file=sys.stderr)
