"""Ways to compute the states of a cell over time. Each is a `rnnzoo.base.Unroll`."""

from rnnzoo.unrolls.associative import Associative
from rnnzoo.unrolls.associative_memory import AssociativeMemory
from rnnzoo.unrolls.auto import Auto
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.chunked import Chunked
from rnnzoo.unrolls.chunked_associative import ChunkedAssociative
from rnnzoo.unrolls.chunked_memory import ChunkedMemory
from rnnzoo.unrolls.cudnn import CuDNN
from rnnzoo.unrolls.fused import Fused
from rnnzoo.unrolls.levenberg_marquardt import LevenbergMarquardt
from rnnzoo.unrolls.loop import Loop
from rnnzoo.unrolls.newton import Newton
from rnnzoo.unrolls.parallel_backward import ParallelBackward
from rnnzoo.unrolls.quasi_newton import QuasiNewton
from rnnzoo.unrolls.scan import Scan
from rnnzoo.unrolls.truncated import Truncated

__all__ = [
    "Associative", "AssociativeMemory", "Auto", "Chunked", "ChunkedAssociative", "ChunkedMemory", "CuDNN", "Fused",
    "LevenbergMarquardt", "Loop", "Newton", "ParallelBackward", "QuasiNewton", "Scan", "Truncated", "Unroll",
]  # fmt: skip
