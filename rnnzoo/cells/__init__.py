"""Recurrent cells. Each is a `rnnzoo.base.Cell`; the table is in docs/members.md."""

from rnnzoo.cells.base import Affine, Cell, MatrixMemory, Recurrent
from rnnzoo.cells.cfc import CfC
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.gilr_lstm import GILRLSTM
from rnnzoo.cells.gru import GRU
from rnnzoo.cells.gru_reset_before import GRUResetBefore
from rnnzoo.cells.hgrn import HGRN
from rnnzoo.cells.indrnn import IndRNN
from rnnzoo.cells.linoss import LinOSS
from rnnzoo.cells.lru import LRU
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.mgu import MGU
from rnnzoo.cells.mingru import MinGRU
from rnnzoo.cells.minlstm import MinLSTM
from rnnzoo.cells.projected_lstm import ProjectedLSTM
from rnnzoo.cells.real_hgrn import RealHGRN
from rnnzoo.cells.rg_lru import RGLRU
from rnnzoo.cells.rotation_min_gru import RotationMinGRU
from rnnzoo.cells.s5 import S5
from rnnzoo.cells.signed_min_gru import SignedMinGRU
from rnnzoo.cells.sru import SRU
from rnnzoo.cells.t_rnn import TRNN
from rnnzoo.cells.ugrnn import UGRNN

__all__ = [
    "GILRLSTM",
    "GRU",
    "HGRN",
    "LRU",
    "LSTM",
    "MGU",
    "RGLRU",
    "S5",
    "SRU",
    "TRNN",
    "UGRNN",
    "Affine",
    "Cell",
    "CfC",
    "Elman",
    "GRUResetBefore",
    "IndRNN",
    "LinOSS",
    "MatrixMemory",
    "MinGRU",
    "MinLSTM",
    "ProjectedLSTM",
    "RealHGRN",
    "Recurrent",
    "RotationMinGRU",
    "SignedMinGRU",
]
