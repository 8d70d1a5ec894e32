"""Recurrent cells. Each is a `rnnzoo.base.Cell`; the table is in docs/members.md."""

from rnnzoo.cells.antisymmetric_rnn import AntisymmetricRNN
from rnnzoo.cells.base import Affine, Cell, Recurrent
from rnnzoo.cells.cfc import CfC
from rnnzoo.cells.cornn import CoRNN
from rnnzoo.cells.dreamer_gru import DreamerGRU
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.gated_antisymmetric_rnn import GatedAntisymmetricRNN
from rnnzoo.cells.goru import GORU
from rnnzoo.cells.gru import GRU
from rnnzoo.cells.gru_reset_before import GRUResetBefore
from rnnzoo.cells.indrnn import IndRNN
from rnnzoo.cells.leaky_rnn import LeakyRNN
from rnnzoo.cells.lem import LEM
from rnnzoo.cells.lipschitz_rnn import LipschitzRNN
from rnnzoo.cells.lru import LRU
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.cells.mgu import MGU
from rnnzoo.cells.mingru import MinGRU
from rnnzoo.cells.minlstm import MinLSTM
from rnnzoo.cells.modrelu_rnn import ModReLURNN
from rnnzoo.cells.projected_lstm import ProjectedLSTM
from rnnzoo.cells.rhn import RHN
from rnnzoo.cells.ugrnn import UGRNN
from rnnzoo.cells.unicornn import UnICORNN

__all__ = [
    "GORU",
    "GRU",
    "LEM",
    "LRU",
    "LSTM",
    "MGU",
    "RHN",
    "UGRNN",
    "Affine",
    "AntisymmetricRNN",
    "Cell",
    "CfC",
    "CoRNN",
    "DreamerGRU",
    "Elman",
    "GRUResetBefore",
    "GatedAntisymmetricRNN",
    "IndRNN",
    "LeakyRNN",
    "LipschitzRNN",
    "MatrixMemory",
    "MinGRU",
    "MinLSTM",
    "ModReLURNN",
    "ProjectedLSTM",
    "Recurrent",
    "UnICORNN",
]
