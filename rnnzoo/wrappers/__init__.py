"""Cells around a cell, for any cell. Each is a `rnnzoo.wrappers.base.Wrapper`, and a cell like any other."""

from rnnzoo.wrappers.base import Wrapper
from rnnzoo.wrappers.clockwork import Clockwork
from rnnzoo.wrappers.dilated import Dilated
from rnnzoo.wrappers.drop_connect import DropConnect
from rnnzoo.wrappers.multiplicative_integration import MultiplicativeIntegration
from rnnzoo.wrappers.short_convolution import ShortConvolution
from rnnzoo.wrappers.token_shift import TokenShift
from rnnzoo.wrappers.variational_dropout import VariationalDropout
from rnnzoo.wrappers.zoneout import Zoneout

__all__ = [
    "Clockwork",
    "Dilated",
    "DropConnect",
    "MultiplicativeIntegration",
    "ShortConvolution",
    "TokenShift",
    "VariationalDropout",
    "Wrapper",
    "Zoneout",
]
