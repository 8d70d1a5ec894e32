"""Ways to compute the states of a cell over time. Each is a `rnnzoo.base.Unroll`."""

from rnnzoo.base import Unroll
from rnnzoo.unrolls.associative import Associative
from rnnzoo.unrolls.chunked import Chunked
from rnnzoo.unrolls.chunked_associative import ChunkedAssociative
from rnnzoo.unrolls.loop import Loop
from rnnzoo.unrolls.scan import Scan
from rnnzoo.unrolls.truncated import Truncated

__all__ = ["Associative", "Chunked", "ChunkedAssociative", "Loop", "Scan", "Truncated", "Unroll"]
