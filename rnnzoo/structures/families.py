"""What family the Jacobian of a step is in, where a structure does not say it itself."""

from rnnzoo.base import Algebra, Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.diagonal import Diagonal


def jacobian(structure: Structure) -> Algebra:
    """`Structure.jacobian` of whatever its closure has; of a closure, by its graph. An algebra with all diagonals holds
    every matrix with some pattern, so that it is all of `Dense` unless there are units that never hear some others."""
    if structure.closure != structure:
        return structure.closure.jacobian
    return Diagonal() if structure.connectivity == "self" else Dense()
