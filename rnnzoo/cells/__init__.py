"""Recurrent cells. Each is a `rnnzoo.base.Cell`; the table is in docs/members.md."""

from rnnzoo.cells.antisymmetric_rnn import AntisymmetricRNN
from rnnzoo.cells.atr import ATR
from rnnzoo.cells.base import Affine, Cell, Recurrent
from rnnzoo.cells.brc import BRC
from rnnzoo.cells.cfc import CfC
from rnnzoo.cells.cfn import CFN
from rnnzoo.cells.cifg_lstm import CIFGLSTM
from rnnzoo.cells.conv_gru import ConvGRU
from rnnzoo.cells.conv_lstm import ConvLSTM
from rnnzoo.cells.cornn import CoRNN
from rnnzoo.cells.ct_lstm import CTLSTM
from rnnzoo.cells.delta_net import DeltaNet
from rnnzoo.cells.delta_product import DeltaProduct
from rnnzoo.cells.dreamer_gru import DreamerGRU
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.fast_grnn import FastGRNN
from rnnzoo.cells.fast_rnn import FastRNN
from rnnzoo.cells.gated_antisymmetric_rnn import GatedAntisymmetricRNN
from rnnzoo.cells.gated_delta_net import GatedDeltaNet
from rnnzoo.cells.gdn2 import GDN2
from rnnzoo.cells.gilr_lstm import GILRLSTM
from rnnzoo.cells.gla import GLA
from rnnzoo.cells.goru import GORU
from rnnzoo.cells.gru import GRU
from rnnzoo.cells.gru_d import GRUD
from rnnzoo.cells.gru_reset_before import GRUResetBefore
from rnnzoo.cells.hgrn import HGRN
from rnnzoo.cells.hgrn2 import HGRN2
from rnnzoo.cells.indrnn import IndRNN
from rnnzoo.cells.intersection_rnn import IntersectionRNN
from rnnzoo.cells.janet import JANET
from rnnzoo.cells.kda import KDA
from rnnzoo.cells.layer_norm_gru import LayerNormGRU
from rnnzoo.cells.layer_norm_lstm import LayerNormLSTM
from rnnzoo.cells.leaky_rnn import LeakyRNN
from rnnzoo.cells.lem import LEM
from rnnzoo.cells.li_gru import LiGRU
from rnnzoo.cells.linear_attention import LinearAttention
from rnnzoo.cells.linoss import LinOSS
from rnnzoo.cells.lipschitz_rnn import LipschitzRNN
from rnnzoo.cells.lmu import LMU
from rnnzoo.cells.lru import LRU
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.ltc import LTC
from rnnzoo.cells.m2rnn import M2RNN
from rnnzoo.cells.mamba import Mamba
from rnnzoo.cells.mamba2 import Mamba2
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.cells.mgu import MGU
from rnnzoo.cells.mingru import MinGRU
from rnnzoo.cells.minimal_rnn import MinimalRNN
from rnnzoo.cells.minlstm import MinLSTM
from rnnzoo.cells.mlstm import MLSTM
from rnnzoo.cells.modrelu_rnn import ModReLURNN
from rnnzoo.cells.multiplicative_lstm import MultiplicativeLSTM
from rnnzoo.cells.mut1 import MUT1
from rnnzoo.cells.mut2 import MUT2
from rnnzoo.cells.mut3 import MUT3
from rnnzoo.cells.nas_cell import NASCell
from rnnzoo.cells.nbrc import NBRC
from rnnzoo.cells.on_lstm import ONLSTM
from rnnzoo.cells.pd_ssm import PDSSM
from rnnzoo.cells.peephole_lstm import PeepholeLSTM
from rnnzoo.cells.phased_lstm import PhasedLSTM
from rnnzoo.cells.projected_lstm import ProjectedLSTM
from rnnzoo.cells.qrnn import QRNN
from rnnzoo.cells.ran import RAN
from rnnzoo.cells.real_hgrn import RealHGRN
from rnnzoo.cells.ret_net import RetNet
from rnnzoo.cells.rg_lru import RGLRU
from rnnzoo.cells.rhn import RHN
from rnnzoo.cells.rotation_min_gru import RotationMinGRU
from rnnzoo.cells.rwkv6 import RWKV6
from rnnzoo.cells.rwkv7 import RWKV7
from rnnzoo.cells.s4d import S4D
from rnnzoo.cells.s5 import S5
from rnnzoo.cells.scrn import SCRN
from rnnzoo.cells.signed_min_gru import SignedMinGRU
from rnnzoo.cells.slice import SLiCE
from rnnzoo.cells.slstm import SLSTM
from rnnzoo.cells.sru import SRU
from rnnzoo.cells.star import STAR
from rnnzoo.cells.sub_lstm import SubLSTM
from rnnzoo.cells.t_gru import TGRU
from rnnzoo.cells.t_lstm import TLSTM
from rnnzoo.cells.t_rnn import TRNN
from rnnzoo.cells.ugrnn import UGRNN
from rnnzoo.cells.unicornn import UnICORNN
from rnnzoo.cells.ur_lstm import URLSTM

__all__ = [
    "ATR",
    "BRC",
    "CFN",
    "CIFGLSTM",
    "CTLSTM",
    "GDN2",
    "GILRLSTM",
    "GLA",
    "GORU",
    "GRU",
    "GRUD",
    "HGRN",
    "HGRN2",
    "JANET",
    "KDA",
    "LEM",
    "LMU",
    "LRU",
    "LSTM",
    "LTC",
    "M2RNN",
    "MGU",
    "MLSTM",
    "MUT1",
    "MUT2",
    "MUT3",
    "NBRC",
    "ONLSTM",
    "PDSSM",
    "QRNN",
    "RAN",
    "RGLRU",
    "RHN",
    "RWKV6",
    "RWKV7",
    "S4D",
    "S5",
    "SCRN",
    "SLSTM",
    "SRU",
    "STAR",
    "TGRU",
    "TLSTM",
    "TRNN",
    "UGRNN",
    "URLSTM",
    "Affine",
    "AntisymmetricRNN",
    "Cell",
    "CfC",
    "CoRNN",
    "ConvGRU",
    "ConvLSTM",
    "DeltaNet",
    "DeltaProduct",
    "DreamerGRU",
    "Elman",
    "FastGRNN",
    "FastRNN",
    "GRUResetBefore",
    "GatedAntisymmetricRNN",
    "GatedDeltaNet",
    "IndRNN",
    "IntersectionRNN",
    "LayerNormGRU",
    "LayerNormLSTM",
    "LeakyRNN",
    "LiGRU",
    "LinOSS",
    "LinearAttention",
    "LipschitzRNN",
    "Mamba",
    "Mamba2",
    "MatrixMemory",
    "MinGRU",
    "MinLSTM",
    "MinimalRNN",
    "ModReLURNN",
    "MultiplicativeLSTM",
    "NASCell",
    "PeepholeLSTM",
    "PhasedLSTM",
    "ProjectedLSTM",
    "RealHGRN",
    "Recurrent",
    "RetNet",
    "RotationMinGRU",
    "SLiCE",
    "SignedMinGRU",
    "SubLSTM",
    "UnICORNN",
]
