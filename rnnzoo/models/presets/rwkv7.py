"""RWKV-7 (Peng et al. 2025, arXiv:2503.14456)."""

import math
from typing import Any

from rnnzoo.cells.rwkv7 import RWKV7
from rnnzoo.models.block import Block
from rnnzoo.models.mlp import MLP
from rnnzoo.models.norms import LayerNorm
from rnnzoo.models.presets.sizes import Preset, check
from rnnzoo.models.stack import Stack
from rnnzoo.spec import UsageError


def rwkv7(*, width: int, layers: int, head_size: int = 0, mlp_size: int = 0, tied: bool = False) -> Preset:
    """RWKV-7 (Peng et al. 2025, arXiv:2503.14456): time mixing, whose first value goes to all layers, and channel
    mixing.

    Args:
        width: features D between the layers, and units.
        layers: number of blocks.
        head_size: units in a head (0: 64, or the largest divisor of D and 64).
        mlp_size: hidden features of the channel mixing (0: 4 D).
        tied: whether the head has the weights of the embedding.
    """
    check(width=width, layers=layers, head_size=head_size, mlp_size=mlp_size)
    size = head_size or math.gcd(64, width)
    if width % size:
        raise UsageError(f"head_size is {size}; accepted: a divisor of width, which is {width}")
    mlp = MLP(size=mlp_size or 4 * width, activation="squared relu", gated=False, shift=True)
    block = Block(norm=LayerNorm(), mlp=mlp, mlp_norm=LayerNorm())
    fields: dict[str, Any] = {"hidden_size": width, "heads": width // size}
    first = Block(**{**vars(block), "cell": RWKV7(**fields, value="first")})
    stack = Stack(
        layers=layers,
        pattern=(first, *[block] * (layers - 1)) if layers > 1 else (block,),
        embedding_size=width,
        embedding_norm=LayerNorm(),
        final_norm=LayerNorm(),
        tied=tied,
        head_bias=False,
    )
    return Preset(RWKV7(**fields, value="mixed" if layers > 1 else "own"), stack)


__all__ = ["rwkv7"]
