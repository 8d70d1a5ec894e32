"""Ways to compute the states of a cell over time. Each is a `rnnzoo.base.Unroll`."""

from rnnzoo.base import Unroll
from rnnzoo.unrolls.associative import Associative
from rnnzoo.unrolls.auto import Auto
from rnnzoo.unrolls.cudnn import CuDNN
from rnnzoo.unrolls.loop import Loop
from rnnzoo.unrolls.scan import Scan

__all__ = ["Associative", "Auto", "CuDNN", "Loop", "Scan", "Unroll"]
