"""xLSTM (Beck et al. 2024, arXiv:2405.04517), and the blocks of xLSTM 7B (2025, arXiv:2503.13427)."""

import math

from rnnzoo.cells.mlstm import MLSTM
from rnnzoo.cells.slstm import SLSTM
from rnnzoo.models.block import Block
from rnnzoo.models.mlp import MLP
from rnnzoo.models.norms import LayerNorm, RMSNorm
from rnnzoo.models.presets.sizes import Preset, check, heads_for, rounded_up
from rnnzoo.models.stack import Stack
from rnnzoo.spec import UsageError
from rnnzoo.structures.block_diagonal import BlockDiagonal
from rnnzoo.wrappers.short_convolution import ShortConvolution


def xlstm(
    *, width: int, layers: int, heads: int = 0, slstm_at: tuple[int, ...] = (), expansion: float = 2.0,
    mlp_expansion: float = 1.3, multiple: int = 64, tied: bool = False,
) -> Preset:  # fmt: skip
    """xLSTM (Beck et al. 2024, arXiv:2405.04517): mLSTM blocks with the projection first, sLSTM blocks with an MLP.

    Args:
        width: features D between the layers.
        layers: number of blocks.
        heads: heads of both cells (0: 4, or fewer if D has no such divisor).
        slstm_at: numbers of the blocks with an sLSTM, from 0; all others have an mLSTM.
        expansion: width of an mLSTM by D.
        mlp_expansion: hidden features of the GEGLU after an sLSTM by D.
        multiple: of which both of these are rounded up to a multiple.
        tied: whether the head has the weights of the embedding.
    """
    check(width=width, layers=layers, heads=heads)
    if not all(0 <= n < layers for n in slstm_at) or len(set(slstm_at)) == layers:
        raise UsageError(f"slstm_at is {slstm_at}; accepted: numbers from 0 to {layers - 1}, not all of them")
    heads = heads or math.gcd(4, width)
    if width % heads:
        raise UsageError(f"heads is {heads}; accepted: a divisor of width, which is {width}")
    inner = rounded_up(expansion * width, multiple)
    norm = LayerNorm(bias=False)
    memory = MLSTM(
        hidden_size=inner,
        heads=heads,
        input_blocks=_quarters(inner),
        gates_read="qkv",
        outputs="norm",
        memory_bias=False,
    )
    cell = ShortConvolution(cell=memory, convolved=("q", "k"), skip=True)
    first = Block(norm=norm, inner_size=inner, gate="silu", mlp=None)
    scalar = SLSTM(hidden_size=width, input_blocks=heads, structure=BlockDiagonal(block=width // heads))
    second = Block(
        cell=ShortConvolution(cell=scalar, convolved=("i", "f")),
        norm=norm,
        output_norm=LayerNorm(bias=False, groups=heads),
        projection=False,
        mlp=MLP(size=rounded_up(mlp_expansion * width, multiple), activation="exact gelu"),
        mlp_norm=norm,
    )
    pattern = tuple(second if n in slstm_at else first for n in range(layers)) if slstm_at else (first,)
    stack = Stack(layers=layers, pattern=pattern, embedding_size=width, final_norm=norm, tied=tied, head_bias=False)
    return Preset(cell, stack)


def xlstm_large(
    *, width: int, layers: int, heads: int = 0, expansion: float = 1.0, key_expansion: float = 0.5,
    mlp_expansion: float = 2.6667, multiple: int = 64, gate_cap: float = 15.0, soft_cap: float = 30.0,
    tied: bool = False,
) -> Preset:  # fmt: skip
    """xLSTM 7B, "xLSTM Large" in its code (Beck et al. 2025, arXiv:2503.13427): an mLSTM of the normed stream itself,
    and a SwiGLU.

    The 7B has width 4096, 32 layers, 8 heads and mlp_expansion 2.667. Its gates start as there: b_i at -10, b_f between
    3 and 6, and W_i, W_f and W_o at 0.

    Args:
        width: features D between the layers.
        layers: number of blocks.
        heads: number of heads (0: one for every 512 features).
        expansion: values of all heads by D.
        key_expansion: keys of all heads by D.
        mlp_expansion: hidden features of the SwiGLU by D.
        multiple: of which the whole part of these is rounded up to a multiple.
        gate_cap: largest absolute value of both gates before exp and sigmoid (0: none).
        soft_cap: largest absolute output (0: none).
        tied: whether the head has the weights of the embedding.
    """
    check(width=width, layers=layers, heads=heads)
    heads = heads or heads_for(width, 512)
    values, keys = (max(1, int(factor * width)) for factor in (expansion, key_expansion))
    if values % heads or keys % heads:
        raise UsageError(f"heads is {heads}; accepted: a divisor of all values and all keys, {values} and {keys}")
    norm = RMSNorm(epsilon=1e-6)
    cell = MLSTM(
        hidden_size=values,
        heads=heads,
        key_size=keys // heads,
        outputs="norm and gate",
        memory_bias=False,
        norm_eps=1e-6,
        soft_cap=float(gate_cap),
        input_bias=-10.0,
    )
    block = Block(
        norm=norm, mlp=MLP(size=rounded_up(int(mlp_expansion * width), multiple), activation="silu"), mlp_norm=norm
    )
    stack = Stack(
        layers=layers,
        pattern=(block,),
        embedding_size=width,
        final_norm=norm,
        tied=tied,
        head_bias=False,
        soft_cap=float(soft_cap),
    )
    return Preset(cell, stack)


def _quarters(size: int) -> int:
    """Blocks of four, where the size allows it."""
    return size // math.gcd(4, size)


__all__ = ["xlstm", "xlstm_large"]
