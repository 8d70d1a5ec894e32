"""What a member written outside the package needs: the bases of structures, cells, wrappers, unrolls and tasks."""

from rnnzoo.cells.base import Affine, Cell, Recurrent
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.cells.noise import Noisy
from rnnzoo.cells.recur import Recur, adding, hearing, scoped
from rnnzoo.initializers.base import Initializer
from rnnzoo.spec import Fraction, Positive, Size, Spec, UsageError, spec
from rnnzoo.structures.base import Algebra, PerGate, Structure, Structures
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Batch, Batches, Data, HostData, InMemory, Part, Sequences
from rnnzoo.tasks.synthetic.drawn import Synthetic
from rnnzoo.typing import Array, Connectivity, Control, Key, Params, PyTree, State, cast
from rnnzoo.unrolls.base import Unroll, advance
from rnnzoo.wrappers.base import Wrapper

__all__ = [
    "Affine",
    "Algebra",
    "Array",
    "Batch",
    "Batches",
    "Cell",
    "Connectivity",
    "Control",
    "Data",
    "Fraction",
    "HostData",
    "InMemory",
    "Initializer",
    "Key",
    "MatrixMemory",
    "Noisy",
    "Params",
    "Part",
    "PerGate",
    "Positive",
    "PyTree",
    "Recur",
    "Recurrent",
    "Sequences",
    "Size",
    "Spec",
    "State",
    "Structure",
    "Structures",
    "Synthetic",
    "Task",
    "Unroll",
    "UsageError",
    "Wrapper",
    "adding",
    "advance",
    "cast",
    "hearing",
    "scoped",
    "spec",
]
