"""Cells around a cell, for any cell. Each is a `rnnzoo.wrappers.base.Wrapper`, and a cell like any other."""

from rnnzoo.wrappers.base import Wrapper
from rnnzoo.wrappers.clockwork import Clockwork
from rnnzoo.wrappers.dilated import Dilated
from rnnzoo.wrappers.drop_connect import DropConnect
from rnnzoo.wrappers.fast_slow import FastSlow
from rnnzoo.wrappers.mogrifier import Mogrifier
from rnnzoo.wrappers.multiplicative_integration import MultiplicativeIntegration
from rnnzoo.wrappers.multiplicative_rnn import MultiplicativeRNN
from rnnzoo.wrappers.projection_convolution import ProjectionConvolution
from rnnzoo.wrappers.short_convolution import ShortConvolution
from rnnzoo.wrappers.skip_rnn import SkipRNN
from rnnzoo.wrappers.token_shift import TokenShift
from rnnzoo.wrappers.variational_dropout import VariationalDropout
from rnnzoo.wrappers.zoneout import Zoneout

__all__ = [
    "Clockwork",
    "Dilated",
    "DropConnect",
    "FastSlow",
    "Mogrifier",
    "MultiplicativeIntegration",
    "MultiplicativeRNN",
    "ProjectionConvolution",
    "ShortConvolution",
    "SkipRNN",
    "TokenShift",
    "VariationalDropout",
    "Wrapper",
    "Zoneout",
]
