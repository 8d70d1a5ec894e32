"""What is tested, and how much of it at once: the product of members, and which of it is quick.

The product is of the package's own members (`published`): tests register others, which are in no other test's product.
The budget keeps the suite under 20 minutes on 2 cores. What it leaves out is marked slow, not left out. Its rules go by
what members are (`representatives`: at least one for everything that one of them can be), so that a new member of a
known kind costs little, and one of a new kind is quick by itself. The names that are left to choose are here, and in no
other file.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from references import fields_of
from structure_support import fits

import rnnzoo
from rnnzoo import structures, unrolls
from rnnzoo.cells.base import Affine, Cell, Recurrent
from rnnzoo.cells.histories import histories, without_histories, z_at
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.spec import Size, field_types
from rnnzoo.structures import patterns
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.linearized import Linearized
from rnnzoo.wrappers.base import Wrapper

HIDDEN = 6  # units in most products
leave_out_slow = False  # whether slow cases are not even made: tens of thousands, which take half a minute to collect

# ---- the product -------------------------------------------------------------------------------------------


def is_published(cls: type) -> bool:
    return cls.__module__.startswith("rnnzoo.")


def published(kind: str) -> dict[str, Any]:
    """Name -> class of the package's own members."""
    return {name: cls for name, cls in rnnzoo.members(kind).items() if is_published(cls)}


def defaults(kind: str) -> list[Any]:
    """The package's own members with their default fields, but for tasks that need files which no package has."""
    return [cls() for cls in published(kind).values() if not getattr(cls, "needs_files", False)]


STRUCTURE_FIELDS = [  # structures with other fields than sizes set
    structures.Kronecker(factors=(2, 2, 2)),
    structures.BoundedDiagonal(low=0.0),
    structures.ComplexPairs(structure=structures.Dense()),
    structures.ComplexPairs(structure=structures.StrictlyTriangular()),
    structures.Convolution(channels=2),
    structures.Convolution(shape=(2, 4)),
    structures.Convolution(shape=()),
    structures.Grid(rows=2, neighbours=8),
    structures.Grid(torus=True),
    structures.Monarch(blocks=2),
    structures.Permutation(seed=1),
    structures.Scaled(structure=structures.Cayley(), scale=0.9),
    structures.Skew(gamma=0.5),
    structures.SkewBlocks(gamma=0.5),
    structures.SparseMask(pattern=patterns.SmallWorld()),
    structures.SparseMask(pattern=patterns.Clusters()),
    structures.SparseMask(pattern=patterns.NeuralCircuit()),
    structures.SparseMask(pattern=patterns.RandomEdges()),
    structures.Sum(a=structures.Shift(), b=structures.Diagonal()),
]
# Cell -> fields other than the defaults that change its equations: FIELDS of the file with its reference.
CELL_FIELDS = {name: fields for name, cls in published("cells").items() if (fields := fields_of(cls))}


def own_structures(*sizes: int) -> list[Any]:
    """Every structure with its default fields; and, if there are any `sizes`, with each size among the fields set to
    those, and with other fields set."""
    found = []
    for default in defaults("structures"):
        fields = [f for f, hint in field_types(type(default)).items() if hint == Size]
        found += [default, *(dataclasses.replace(default, **{f: k}) for f in fields for k in sizes)]
    return list(dict.fromkeys([*found, *(STRUCTURE_FIELDS if sizes else [])]))


def all_structures(size: int) -> list[Structure]:
    """Every structure with its default fields that fits the size."""
    return [structure for structure in own_structures() if fits(structure, size)]


def all_cells(hidden_size: int, structure: Structure | None = None) -> list[Cell]:
    """Every cell and wrapper, recurrent cells with the structure given (None: their own default)."""
    found: list[Cell] = [cls(hidden_size=hidden_size) for cls in published("cells").values()]
    if structure is None:
        return found
    return [dataclasses.replace(c, structure=structure) if isinstance(c, Recurrent) else c for c in found]


CELLS = all_cells(HIDDEN)
PAIRS = [c for s in all_structures(HIDDEN) for c in all_cells(HIDDEN, s) if isinstance(c, Recurrent)]
PAIRS += [c for c in CELLS if not isinstance(c, Recurrent)]
UNROLLS = defaults("unrolls")
RUNS = [(c, u) for c in CELLS for u in UNROLLS if u.refuses(c) is None]
OTHER_RUNS = [(c, u) for c, u in RUNS if u != unrolls.Loop() and u.exact]  # those that are held against the loop

# ---- the budget: which members -----------------------------------------------------------------------------

# Chosen by hand where one kind has many members: the plainest, and those that found the most faults.
FIRST_STRUCTURES = (
    "Dense", "Diagonal", "Triangular", "ComplexDiagonal", "BlockDiagonal", "Banded", "Bidiagonal", "DiagonalLowRank",
    "LowRank", "Ring",
)  # fmt: skip
FIRST_CELLS = ("LSTM", "GRUResetBefore", "LRU")  # two vectors in the state; U of two vectors; affine, with a readout
FIRST_UNROLLS = ("Newton", "ParallelBackward")  # of those that go by Jacobians
FIRST_OPERATIONS = ("Circulant", "Permutation", "Cayley")  # Fourier transforms, gathers, solves: for exports
ANY_U = "GRUResetBefore"  # the cell that stands for all where they differ in nothing but U or the unroll
CHEAP = "MinGRU"  # the affine cell for long sequences
NO_OTHER = (
    "Auto",
    "ChunkedAssociative",
    "AssociativeMemory",
)  # unrolls whose numbers are those of others, though no field says so


def name_of(member: Any) -> str:
    return type(member).__name__


def ordered(members: Iterable[Any], first: Sequence[str]) -> list[Any]:
    """Those named `first` in that order, then the others in theirs."""
    return sorted(members, key=lambda m: first.index(name_of(m)) if name_of(m) in first else len(first))


def representatives(members: Iterable[Any], facts: Callable[[Any], dict[str, Any]], kept: Sequence[str] = ()) -> list:
    """The members that are to be `kept`, and each that has a fact which none before it has."""
    seen: set[tuple[str, Any]] = set()
    found = []
    for member in ordered(members, kept):
        new = set(facts(member).items()) - seen
        if new or name_of(member) in kept:
            found.append(member)
            seen |= new
    return found


def structure_facts(structure: Structure) -> dict[str, Any]:
    """Graph, closure, and cost: what tests of structures depend on."""
    size = next(n for n in (16, 17, 18) if fits(structure, n))
    graph = structure.connectivity
    return {
        "graph": "cascade" if graph == "none" else graph,  # the same without its diagonal
        "closed": isinstance(structure, Algebra),
        "parameters": structure.num_params(size) > 4 * size,
        "nonzeros": structure.nonzeros(size) > 4 * size,
    }


MANY = 2  # as many vectors as it takes: three are treated as two are


def cell_facts(cell: Cell) -> dict[str, Any]:
    """What an unroll can tell cells by."""
    return {
        "affine": isinstance(cell.recurrence, Affine),
        "memory": isinstance(cell.recurrence, MatrixMemory),
        "vectors": min(len(cell.carries), MANY),
        "heard": min(vectors_heard(cell), MANY),
        "reads out": type(cell).readout is not Cell.readout,
        "history": histories(cell),
        "axes": cell.feature_axes,
    }


def vectors_heard(cell: Cell) -> int:
    """How many vectors the recurrent matrices are applied to in one step."""
    heard: dict[int, Any] = {}

    def step() -> Any:
        params = cell.prepare(cell.init(jax.random.key(0), cell.input_size_of(3)))
        state = cell.initial_state(params)
        z_t = z_at(cell, params, jnp.zeros(cell.window_of(3)), state)

        def recur(vectors: Any) -> dict[str, Any]:
            named = vectors if isinstance(vectors, dict) else dict.fromkeys(cell.structures, vectors)
            heard.update({id(vector): vector for vector in named.values()})  # kept, so that no id is used again
            return dict.fromkeys(named, jnp.zeros(cell.hidden_size))

        return cell.step(params, without_histories(cell, state), z_t, recur)

    if cell.structures:
        jax.eval_shape(step)
    return len(heard)


def named(members: Iterable[Any]) -> set[str]:
    return {name_of(member) for member in members}


DEFAULT_STRUCTURES = frozenset(own_structures())
QUICK_STRUCTURES = named(representatives(own_structures(), structure_facts, FIRST_STRUCTURES))
_BY_JACOBIAN = representatives(ordered(own_structures(), FIRST_STRUCTURES), lambda s: {"family": type(s.jacobian)})
JACOBIANS = named(_BY_JACOBIAN)
# What wrappers do to a cell is in test_wrappers.
VARIED = representatives([c for c in CELLS if not isinstance(c, Wrapper)], cell_facts, FIRST_CELLS)

# ---- the budget: which pairs -------------------------------------------------------------------------------


def is_composed(unroll: Unroll) -> bool:
    """Whether its numbers are those of other unrolls, which have been through every cell."""
    return any(isinstance(getattr(unroll, f.name), Unroll) for f in dataclasses.fields(unroll)) or (
        name_of(unroll) in NO_OTHER
    )


def is_light(cell: Cell, unroll: Unroll) -> bool:
    """Unrolls that go by Jacobians share most of their code, which is slow to compile: the first ones, with the first
    cell."""
    return not isinstance(unroll, Linearized) or (name_of(unroll) in FIRST_UNROLLS and name_of(cell) == FIRST_CELLS[0])


def is_varied(cell: Cell, unroll: Unroll | None = None) -> bool:
    """One cell of each kind; for a composed unroll, the first that it runs."""
    if unroll is None:
        return name_of(cell) in named(VARIED)
    cells = [c for c in VARIED if unroll.refuses(c) is None]
    return name_of(cell) in named(cells[:1] if is_composed(unroll) else cells) and is_light(cell, unroll)


def is_quick(cell: Cell, unroll: Unroll) -> bool:
    """Cells of every kind, but with few unrolls that are composed or slow to compile."""
    return is_varied(cell, unroll) if is_composed(unroll) else is_varied(cell) and is_light(cell, unroll)


def is_quick_or_first(cell: Cell, unroll: Unroll) -> bool:
    """As `is_quick`, and one cell for every unroll."""
    return is_quick(cell, unroll) or name_of(cell) == ANY_U


def is_numeric(cell: Cell) -> bool:
    """A cell does not know its structure: every structure with one cell, cells of every kind with two, and every cell
    with its own, find what there is."""
    if not isinstance(cell, Recurrent) or name_of(cell) == ANY_U:
        return True
    if is_varied(cell):
        return name_of(cell.structure) in FIRST_STRUCTURES[:2]
    return is_own_structure(cell)


def is_own_structure(cell: Recurrent) -> bool:
    """Whether its structure is the one that it has by default."""
    cls: Any = type(cell)
    return name_of(cell.structure) == name_of(cls(hidden_size=HIDDEN).structure)


def is_traced(cell: Cell) -> bool:
    """Cells of every kind with two structures, and one with all: for what compares unrolls, which know no cell."""
    return (is_varied(cell) or name_of(cell) == ANY_U) and is_numeric(cell)


def has_quick_jacobian(cell: Cell) -> bool:
    """Cells of every kind with a diagonal U, or a fixed one, and one cell with U of every family of Jacobians."""
    structure = name_of(getattr(cell, "structure", structures.Diagonal()))
    return (structure == "Diagonal" and is_varied(cell)) or (name_of(cell) == FIRST_CELLS[0] and structure in JACOBIANS)


def is_cheap(cell: Cell) -> bool:
    """The affine cell with the least work in a step."""
    return name_of(cell) == CHEAP


def is_exported(structure: Structure) -> bool:
    """The quick ones, and one for each operation that those do not need."""
    return is_numbered(structure) or name_of(structure) in FIRST_OPERATIONS


REPEATED = 1  # how many cases of a test about single cells run at once


def repeated(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Of each test about single cells, what cells promise beyond their equations, all cases but the first: slow."""
    found, seen = [], dict[str, int]()
    for item in items:
        about_cells = item.path.stem.startswith("test_cells_") and item.path.stem != "test_cells_reference"
        if (about_cells or item.path.stem == "test_wrappers_more") and item.get_closest_marker("slow") is None:
            name = item.nodeid.partition("[")[0]
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > REPEATED:
                found.append(item)
    return found


# Files whose tests have many cases, of members by unrolls, and how many of them there are for one that runs at once.
THINNED = {
    "test_affine_unrolls": 4, "test_chunked_memory": 4, "test_compilation": 2, "test_contributing": 3,
    "test_convergence": 3, "test_convert": 2, "test_crash": 2, "test_device_unrolls": 3, "test_elapsed_time": 2,
    "test_export": 2, "test_faces": 4, "test_faces_options": 3, "test_fault_kinds": 2, "test_faults": 2,
    "test_flax_needs": 4, "test_grow": 4, "test_host_data": 2, "test_initializers": 4, "test_integers": 2,
    "test_jacobian_families": 2, "test_newton": 8, "test_open_contract": 4, "test_parts": 8, "test_presets": 4,
    "test_reference_sizes": 4, "test_run_folder": 2, "test_selftest": 2, "test_sequences": 7, "test_show_cell": 6,
    "test_step_contract": 10, "test_streaming": 3, "test_structure_properties": 4, "test_structures": 8,
    "test_structures_prepared": 2, "test_unrolls": 6, "test_wrappers": 4,
}  # fmt: skip


# Tests that hold every structure against its matrix, and every unroll against the loop: one case for each of them.
ONCE: dict[str, type] = {
    "test_identities_at_a_larger_size": Structure,
    "test_jitted_with_lengths_resets_and_reverse": Unroll,
}


def thinned(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Of each test in such a file, all cases but one of so many, or but one for each member: slow."""
    found, seen = [], dict[str, int]()
    for item in items:
        if (each := THINNED.get(item.path.stem)) is None or item.get_closest_marker("slow") is not None:
            continue
        name = item.nodeid.partition("[")[0]
        if (kind := ONCE.get(name.rpartition("::")[2])) is not None:
            params = item.callspec.params.values() if isinstance(item, pytest.Function) else []
            name, each = f"{name} {[type(p) for p in params if isinstance(p, kind)]}", len(items)
        if seen.setdefault(name, 0) % each:
            found.append(item)
        seen[name] += 1
    return found


# ---- the budget: which numbers -----------------------------------------------------------------------------

# Files whose tests compute numbers for every structure: for those that are not quick, slow.
NUMERIC = {
    "test_affine_unrolls", "test_grow", "test_initializers", "test_jacobian_families", "test_open_contract",
    "test_sequences", "test_unrolls",
}  # fmt: skip
IDENTITIES = "test_structures"  # runs for every structure, with other fields than the default ones for the quick ones


def is_too_much(item: pytest.Item) -> bool:
    """Whether a test is slow for the structure that it is about. One around another structure counts as that one."""
    identities = item.path.stem == IDENTITIES
    if not (item.path.stem in NUMERIC or identities) or "abstract" in item.name:
        return False
    params = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else []
    about = [getattr(p, "structure", p) for p in params]  # of a cell, too
    heavy = [s for s in about if isinstance(s, Structure) and is_published(type(s)) and not is_numbered(s)]
    return any(not (identities and s in DEFAULT_STRUCTURES) for s in heavy)


def is_carry_varied(cell: Cell) -> bool:
    """Of the cells that Flax has, the one whose carry is a tuple; the others are slow in tests of Flax's needs."""
    return name_of(cell) == "LSTM"


def is_numbered(structure: Structure) -> bool:
    """Whether tests of numbers run for it at once."""
    return name_of(structure) in QUICK_STRUCTURES


# ---- products as test parameters ---------------------------------------------------------------------------


def label(*specs: Any) -> str:
    """A test id: the names of a cell, its structure, and whatever else there is."""
    names = [name_of(s) for s in specs]
    if isinstance(specs[0], Recurrent):
        names.insert(1, name_of(specs[0].structure))
    return "-".join(names)


def parameters(names: Any, cases: Iterable[Any], is_quick: Callable[..., bool] = lambda *specs: True) -> Any:
    """`pytest.mark.parametrize` with short ids; what is not quick is slow."""
    cases = [case if isinstance(case, tuple) else (case,) for case in cases]
    return pytest.mark.parametrize(names, wanted([(c, label(*c), is_quick(*c)) for c in cases]))


def wanted(cases: Sequence[tuple[tuple, str, bool]]) -> list[Any]:
    """Test parameters from values, id, and whether they are quick; at least one, which may be slow."""
    made = [case for case in cases if case[2] or not leave_out_slow] or cases[:1]
    return [pytest.param(*values, id=id, marks=() if quick else pytest.mark.slow) for values, id, quick in made]


def marked(members: Sequence[Any], is_quick: Callable[[Any], bool]) -> list[Any]:
    """Test parameters with the whole specification as id; what is not quick is slow."""
    return wanted([((m,), str(m), is_quick(m)) for m in members])


each_unroll = parameters(("cell", "unroll"), OTHER_RUNS, is_quick_or_first)
varied_cell = parameters("cell", CELLS, is_varied)
varied_run = parameters(("cell", "unroll"), RUNS, is_varied)
varied_other = parameters(("cell", "unroll"), OTHER_RUNS, is_varied)
