"""Recurrent cells. Each is a `rnnzoo.base.Cell`; the table is in docs/members.md."""

from rnnzoo.cells.atr import ATR
from rnnzoo.cells.base import Affine, Cell, MatrixMemory, Recurrent
from rnnzoo.cells.brc import BRC
from rnnzoo.cells.cfc import CfC
from rnnzoo.cells.cfn import CFN
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.fast_grnn import FastGRNN
from rnnzoo.cells.fast_rnn import FastRNN
from rnnzoo.cells.gru import GRU
from rnnzoo.cells.gru_reset_before import GRUResetBefore
from rnnzoo.cells.indrnn import IndRNN
from rnnzoo.cells.intersection_rnn import IntersectionRNN
from rnnzoo.cells.janet import JANET
from rnnzoo.cells.li_gru import LiGRU
from rnnzoo.cells.lru import LRU
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.mgu import MGU
from rnnzoo.cells.mingru import MinGRU
from rnnzoo.cells.minimal_rnn import MinimalRNN
from rnnzoo.cells.minlstm import MinLSTM
from rnnzoo.cells.mut1 import MUT1
from rnnzoo.cells.mut2 import MUT2
from rnnzoo.cells.mut3 import MUT3
from rnnzoo.cells.nbrc import NBRC
from rnnzoo.cells.projected_lstm import ProjectedLSTM
from rnnzoo.cells.ran import RAN
from rnnzoo.cells.star import STAR
from rnnzoo.cells.sub_lstm import SubLSTM
from rnnzoo.cells.ugrnn import UGRNN

__all__ = [
    "ATR",
    "BRC",
    "CFN",
    "GRU",
    "JANET",
    "LRU",
    "LSTM",
    "MGU",
    "MUT1",
    "MUT2",
    "MUT3",
    "NBRC",
    "RAN",
    "STAR",
    "UGRNN",
    "Affine",
    "Cell",
    "CfC",
    "Elman",
    "FastGRNN",
    "FastRNN",
    "GRUResetBefore",
    "IndRNN",
    "IntersectionRNN",
    "LiGRU",
    "MatrixMemory",
    "MinGRU",
    "MinLSTM",
    "MinimalRNN",
    "ProjectedLSTM",
    "Recurrent",
    "SubLSTM",
]
