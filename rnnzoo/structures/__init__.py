"""Structures of the recurrent matrix U. Each is a `rnnzoo.base.Structure`; the table is in the README."""

from rnnzoo.base import Algebra, Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.diagonal import Diagonal

__all__ = ["Algebra", "Dense", "Diagonal", "Structure"]
