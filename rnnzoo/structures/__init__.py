"""Structures of the recurrent matrix U. Each is a `rnnzoo.base.Structure`; the table is in the README."""

from rnnzoo.base import Algebra, Structure
from rnnzoo.structures.banded import Banded
from rnnzoo.structures.bidiagonal import Bidiagonal
from rnnzoo.structures.block_diagonal import BlockDiagonal
from rnnzoo.structures.complex_diagonal import ComplexDiagonal
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.structures.diagonal_low_rank import DiagonalLowRank
from rnnzoo.structures.low_rank import LowRank
from rnnzoo.structures.ring import Ring
from rnnzoo.structures.triangular import Triangular

__all__ = [
    "Algebra",
    "Banded",
    "Bidiagonal",
    "BlockDiagonal",
    "ComplexDiagonal",
    "Dense",
    "Diagonal",
    "DiagonalLowRank",
    "LowRank",
    "Ring",
    "Structure",
    "Triangular",
]
