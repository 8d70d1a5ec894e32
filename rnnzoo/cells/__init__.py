"""Recurrent cells. Each is a `rnnzoo.base.Cell`; the table is in the README."""

from rnnzoo.base import Affine, Cell, Recurrent
from rnnzoo.cells.lstm import LSTM

__all__ = ["LSTM", "Affine", "Cell", "Recurrent"]
