"""Ways to compute the states of a cell over time. Each is a `rnnzoo.base.Unroll`."""

from rnnzoo.base import Unroll
from rnnzoo.unrolls.associative import Associative
from rnnzoo.unrolls.levenberg_marquardt import LevenbergMarquardt
from rnnzoo.unrolls.loop import Loop
from rnnzoo.unrolls.newton import Newton
from rnnzoo.unrolls.parallel_backward import ParallelBackward
from rnnzoo.unrolls.quasi_newton import QuasiNewton
from rnnzoo.unrolls.scan import Scan

__all__ = ["Associative", "LevenbergMarquardt", "Loop", "Newton", "ParallelBackward", "QuasiNewton", "Scan", "Unroll"]
