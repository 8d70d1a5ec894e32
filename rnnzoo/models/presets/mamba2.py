"""Mamba-2 (Dao & Gu 2024, arXiv:2405.21060)."""

import math

from rnnzoo.cells.mamba2 import Mamba2
from rnnzoo.models.block import Block
from rnnzoo.models.norms import RMSNorm
from rnnzoo.models.presets.sizes import Preset, check
from rnnzoo.models.stack import Stack
from rnnzoo.spec import UsageError
from rnnzoo.wrappers.projection_convolution import ProjectionConvolution


def mamba2(
    *, width: int, layers: int, state_size: int = 128, head_size: int = 0, groups: int = 1, tied: bool = False
) -> Preset:
    """Mamba-2 (Dao & Gu 2024, arXiv:2405.21060): blocks without an MLP.

    Args:
        width: features D between the layers; the cells have 2 D units.
        layers: number of blocks.
        state_size: numbers that each unit has in the state.
        head_size: units in a head (0: 64, or the largest divisor of 2 D and 64).
        groups: groups of heads with the same B and C.
        tied: whether the head has the weights of the embedding, as in the authors' models.
    """
    check(width=width, layers=layers, head_size=head_size)
    inner = 2 * width
    heads = inner // (head_size or math.gcd(64, inner))
    if head_size and inner % head_size:
        raise UsageError(f"head_size is {head_size}; accepted: a divisor of 2 * width, which is {inner}")
    memory = Mamba2(hidden_size=inner, heads=heads, key_size=state_size, groups=groups)
    cell = ProjectionConvolution(cell=memory, convolved=("x", "b", "c"))
    block = Block(norm=RMSNorm(), output_norm=RMSNorm(groups=groups), gate="silu", gate_first=True)
    stack = Stack(
        layers=layers, pattern=(block,), embedding_size=width, final_norm=RMSNorm(), tied=tied, head_bias=False
    )
    return Preset(cell, stack)


__all__ = ["mamba2"]
