"""Hawk and Griffin, and Gemma's form of it (De et al. 2024, arXiv:2402.19427)."""

import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.rg_lru import RGLRU
from rnnzoo.models.attention import LocalAttention
from rnnzoo.models.block import Block
from rnnzoo.models.mlp import MLP
from rnnzoo.models.norms import RMSNorm
from rnnzoo.models.presets.sizes import Preset, check, heads_for
from rnnzoo.models.stack import Stack
from rnnzoo.spec import UsageError
from rnnzoo.wrappers.short_convolution import ShortConvolution


def hawk(
    *, width: int, layers: int, heads: int = 0, recurrent_size: int = 0, mlp_size: int = 0, tied: bool = False
) -> Preset:
    """Hawk (De et al. 2024, arXiv:2402.19427): blocks of a gated RG-LRU and a GEGLU.

    Args:
        width: features D between the layers.
        layers: number of blocks.
        heads: blocks of the gates' matrices (0: one for every 128 features, as far as the sizes allow).
        recurrent_size: units R (0: 11 D / 8 as in the paper's 7B, rounded down to a multiple of `heads`).
        mlp_size: hidden features of the GEGLU (0: 3 D).
        tied: whether the head has the weights of the embedding.
    """
    check(width=width, layers=layers, heads=heads, recurrent_size=recurrent_size, mlp_size=mlp_size)
    heads = heads or heads_for(width, 128)
    cell = _rg_lru(recurrent_size or max(heads, width * 11 // 8 // heads * heads), heads)
    block = _gemma_block(cell.hidden_size, mlp_size or 3 * width)
    stack = Stack(
        layers=layers,
        pattern=(block,),
        embedding_size=width,
        final_norm=RMSNorm(epsilon=1e-6),
        tied=tied,
        head_bias=False,
    )
    return Preset(cell, stack)


def griffin(
    *, width: int, layers: int, heads: int = 0, recurrent_size: int = 0, mlp_size: int = 0, window: int = 1024,
    gemma: bool = False, soft_cap: float = 0.0, tied: bool = False,
) -> Preset:  # fmt: skip
    """Griffin (De et al. 2024, arXiv:2402.19427): of three blocks, two have an RG-LRU and one has local attention.

    Args:
        width: features D between the layers.
        layers: number of blocks.
        heads: heads of the attention, and blocks of the gates' matrices (0: one for every 128 features).
        recurrent_size: units R (0: 11 D / 8 as in the paper's 7B, rounded down to a multiple of `heads`).
        mlp_size: hidden features of the GEGLU (0: 3 D).
        window: how many steps before its own the attention sees.
        gemma: whether the embedding is multiplied by sqrt(D), as in RecurrentGemma, which rounds it to bfloat16.
        soft_cap: largest absolute output (0: none; RecurrentGemma: 30).
        tied: whether the head has the weights of the embedding, as in both.
    """
    check(width=width, layers=layers, heads=heads)
    heads = heads or heads_for(width, 128)
    cell, stack = hawk(
        width=width, layers=layers, heads=heads, recurrent_size=recurrent_size, mlp_size=mlp_size, tied=tied
    )
    if width % heads:
        raise UsageError(f"heads is {heads}; accepted: a divisor of width, which is {width}")
    (recurrent,) = stack.pattern
    attention = LocalAttention(heads=heads, head_size=width // heads, window=window)
    local = Block(cell=attention, norm=recurrent.norm, bias=True, mlp=recurrent.mlp, mlp_norm=recurrent.mlp_norm)
    changes = {
        "pattern": (recurrent, recurrent, local)[:layers],
        "embedding_scale": _rounded(width**0.5) if gemma else 1.0,
        "soft_cap": float(soft_cap),
    }
    return Preset(cell, Stack(**{**vars(stack), **changes}))


def _rg_lru(size: int, heads: int) -> ShortConvolution:
    cell = RGLRU(hidden_size=size, heads=heads, projected=False, undamped_start=True)
    return ShortConvolution(cell=cell, activation="identity")


def _gemma_block(size: int, mlp_size: int) -> Block:
    norm = RMSNorm(epsilon=1e-6)
    return Block(norm=norm, inner_size=size, gate="gelu", bias=True, mlp=MLP(size=mlp_size, bias=True), mlp_norm=norm)


def _rounded(value: float) -> float:
    """To bfloat16, as the authors' code does."""
    return float(np.asarray(value).astype(jnp.bfloat16))


__all__ = ["griffin", "hawk"]
