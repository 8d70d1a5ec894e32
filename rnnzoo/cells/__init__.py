"""Recurrent cells. Each is a `rnnzoo.base.Cell`; the table is in docs/members.md."""

from rnnzoo.cells.base import Affine, Cell, MatrixMemory, Recurrent
from rnnzoo.cells.cfc import CfC
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.gru import GRU
from rnnzoo.cells.gru_reset_before import GRUResetBefore
from rnnzoo.cells.indrnn import IndRNN
from rnnzoo.cells.lru import LRU
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.m2rnn import M2RNN
from rnnzoo.cells.mgu import MGU
from rnnzoo.cells.mingru import MinGRU
from rnnzoo.cells.minlstm import MinLSTM
from rnnzoo.cells.projected_lstm import ProjectedLSTM
from rnnzoo.cells.ugrnn import UGRNN

__all__ = [
    "GRU",
    "LRU",
    "LSTM",
    "M2RNN",
    "MGU",
    "UGRNN",
    "Affine",
    "Cell",
    "CfC",
    "Elman",
    "GRUResetBefore",
    "IndRNN",
    "MatrixMemory",
    "MinGRU",
    "MinLSTM",
    "ProjectedLSTM",
    "Recurrent",
]
