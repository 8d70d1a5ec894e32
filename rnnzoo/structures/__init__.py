"""Structures of the recurrent matrix U. Each is a `rnnzoo.base.Structure`; the table is in docs/members.md."""

from rnnzoo.structures.banded import Banded
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.structures.bidiagonal import Bidiagonal
from rnnzoo.structures.block_diagonal import BlockDiagonal
from rnnzoo.structures.bounded_diagonal import BoundedDiagonal
from rnnzoo.structures.butterfly import Butterfly
from rnnzoo.structures.cayley import Cayley
from rnnzoo.structures.circulant import Circulant
from rnnzoo.structures.clockwork import Clockwork
from rnnzoo.structures.complex_diagonal import ComplexDiagonal
from rnnzoo.structures.complex_one_per_column import ComplexOnePerColumn
from rnnzoo.structures.complex_pairs import ComplexPairs
from rnnzoo.structures.convolution import Convolution
from rnnzoo.structures.cycle import Cycle
from rnnzoo.structures.dale import Dale
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.structures.diagonal_low_rank import DiagonalLowRank
from rnnzoo.structures.expm import Expm
from rnnzoo.structures.givens import Givens
from rnnzoo.structures.grid import Grid
from rnnzoo.structures.hadamard_diagonal import HadamardDiagonal
from rnnzoo.structures.hollow import Hollow
from rnnzoo.structures.householder import Householder
from rnnzoo.structures.identity import Identity
from rnnzoo.structures.jordan import Jordan
from rnnzoo.structures.kronecker import Kronecker
from rnnzoo.structures.low_rank import LowRank
from rnnzoo.structures.masked import Masked
from rnnzoo.structures.masked_dense import MaskedDense
from rnnzoo.structures.monarch import Monarch
from rnnzoo.structures.one_per_column import OnePerColumn
from rnnzoo.structures.partitioned import Partitioned
from rnnzoo.structures.permutation import Permutation
from rnnzoo.structures.ring import Ring
from rnnzoo.structures.scalar import Scalar
from rnnzoo.structures.scaled import Scaled
from rnnzoo.structures.shift import Shift
from rnnzoo.structures.shuffled_blocks import ShuffledBlocks
from rnnzoo.structures.skew import Skew
from rnnzoo.structures.skew_blocks import SkewBlocks
from rnnzoo.structures.sparse_mask import SparseMask
from rnnzoo.structures.stable_complex import StableComplex
from rnnzoo.structures.strictly_triangular import StrictlyTriangular
from rnnzoo.structures.sum import Sum
from rnnzoo.structures.symmetric import Symmetric
from rnnzoo.structures.symmetric_skew import SymmetricSkew
from rnnzoo.structures.toeplitz import Toeplitz
from rnnzoo.structures.toeplitz_blocks import ToeplitzBlocks
from rnnzoo.structures.triangular import Triangular

__all__ = [
    "Algebra",
    "Banded",
    "Bidiagonal",
    "BlockDiagonal",
    "BoundedDiagonal",
    "Butterfly",
    "Cayley",
    "Circulant",
    "Clockwork",
    "ComplexDiagonal",
    "ComplexOnePerColumn",
    "ComplexPairs",
    "Convolution",
    "Cycle",
    "Dale",
    "Dense",
    "Diagonal",
    "DiagonalLowRank",
    "Expm",
    "Givens",
    "Grid",
    "HadamardDiagonal",
    "Hollow",
    "Householder",
    "Identity",
    "Jordan",
    "Kronecker",
    "LowRank",
    "Masked",
    "MaskedDense",
    "Monarch",
    "OnePerColumn",
    "Partitioned",
    "Permutation",
    "Ring",
    "Scalar",
    "Scaled",
    "Shift",
    "ShuffledBlocks",
    "Skew",
    "SkewBlocks",
    "SparseMask",
    "StableComplex",
    "StrictlyTriangular",
    "Structure",
    "Sum",
    "Symmetric",
    "SymmetricSkew",
    "Toeplitz",
    "ToeplitzBlocks",
    "Triangular",
]
