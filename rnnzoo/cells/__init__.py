"""Recurrent cells. Each is a `rnnzoo.base.Cell`; the table is in docs/members.md."""

from rnnzoo.cells.base import Affine, Cell, MatrixMemory, Recurrent
from rnnzoo.cells.cfc import CfC
from rnnzoo.cells.cifg_lstm import CIFGLSTM
from rnnzoo.cells.ct_lstm import CTLSTM
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.gru import GRU
from rnnzoo.cells.gru_reset_before import GRUResetBefore
from rnnzoo.cells.indrnn import IndRNN
from rnnzoo.cells.layer_norm_gru import LayerNormGRU
from rnnzoo.cells.layer_norm_lstm import LayerNormLSTM
from rnnzoo.cells.lru import LRU
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.mgu import MGU
from rnnzoo.cells.mingru import MinGRU
from rnnzoo.cells.minlstm import MinLSTM
from rnnzoo.cells.multiplicative_lstm import MultiplicativeLSTM
from rnnzoo.cells.nas_cell import NASCell
from rnnzoo.cells.on_lstm import ONLSTM
from rnnzoo.cells.peephole_lstm import PeepholeLSTM
from rnnzoo.cells.phased_lstm import PhasedLSTM
from rnnzoo.cells.projected_lstm import ProjectedLSTM
from rnnzoo.cells.slstm import SLSTM
from rnnzoo.cells.ugrnn import UGRNN
from rnnzoo.cells.ur_lstm import URLSTM

__all__ = [
    "CIFGLSTM",
    "CTLSTM",
    "GRU",
    "LRU",
    "LSTM",
    "MGU",
    "ONLSTM",
    "SLSTM",
    "UGRNN",
    "URLSTM",
    "Affine",
    "Cell",
    "CfC",
    "Elman",
    "GRUResetBefore",
    "IndRNN",
    "LayerNormGRU",
    "LayerNormLSTM",
    "MatrixMemory",
    "MinGRU",
    "MinLSTM",
    "MultiplicativeLSTM",
    "NASCell",
    "PeepholeLSTM",
    "PhasedLSTM",
    "ProjectedLSTM",
    "Recurrent",
]
