"""One kernel for a whole sequence: the loop over time inside, units and sequences side by side."""

from rnnzoo.unrolls.fused.unroll import Fused

__all__ = ["Fused"]
