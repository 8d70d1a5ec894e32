"""Recurrent cells. Each is a `rnnzoo.base.Cell`; the table is in docs/members.md."""

from rnnzoo.cells.base import Affine, Cell, Recurrent
from rnnzoo.cells.cfc import CfC
from rnnzoo.cells.delta_net import DeltaNet
from rnnzoo.cells.delta_product import DeltaProduct
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.gated_delta_net import GatedDeltaNet
from rnnzoo.cells.gdn2 import GDN2
from rnnzoo.cells.gla import GLA
from rnnzoo.cells.gru import GRU
from rnnzoo.cells.gru_reset_before import GRUResetBefore
from rnnzoo.cells.hgrn2 import HGRN2
from rnnzoo.cells.indrnn import IndRNN
from rnnzoo.cells.kda import KDA
from rnnzoo.cells.linear_attention import LinearAttention
from rnnzoo.cells.lru import LRU
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.mamba2 import Mamba2
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.cells.mgu import MGU
from rnnzoo.cells.mingru import MinGRU
from rnnzoo.cells.minlstm import MinLSTM
from rnnzoo.cells.mlstm import MLSTM
from rnnzoo.cells.projected_lstm import ProjectedLSTM
from rnnzoo.cells.ret_net import RetNet
from rnnzoo.cells.rwkv6 import RWKV6
from rnnzoo.cells.rwkv7 import RWKV7
from rnnzoo.cells.ugrnn import UGRNN

__all__ = [
    "GDN2",
    "GLA",
    "GRU",
    "HGRN2",
    "KDA",
    "LRU",
    "LSTM",
    "MGU",
    "MLSTM",
    "RWKV6",
    "RWKV7",
    "UGRNN",
    "Affine",
    "Cell",
    "CfC",
    "DeltaNet",
    "DeltaProduct",
    "Elman",
    "GRUResetBefore",
    "GatedDeltaNet",
    "IndRNN",
    "LinearAttention",
    "Mamba2",
    "MatrixMemory",
    "MinGRU",
    "MinLSTM",
    "ProjectedLSTM",
    "Recurrent",
    "RetNet",
]
