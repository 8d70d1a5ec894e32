"""minGRU as a language model (Feng et al. 2024, arXiv:2410.01201)."""

import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.cells.mingru import MinGRU
from rnnzoo.models.block import Block
from rnnzoo.models.mlp import MLP
from rnnzoo.models.norms import LayerNorm, RMSNorm
from rnnzoo.models.presets.sizes import Preset, check
from rnnzoo.models.stack import Stack
from rnnzoo.spec import UsageError
from rnnzoo.wrappers.short_convolution import ShortConvolution

_OF_FLOAT32 = float(np.finfo(np.float32).eps)  # what torch's RMSNorm takes, where no epsilon is given, for float32


def mingru(
    *, width: int, layers: int, expansion: float = 1.5, mlp_size: int = 0, width_of_convolution: int = 4,
    pytorch: bool = False, tied: bool = False,
) -> Preset:  # fmt: skip
    """minGRU as a language model (Feng et al. 2024, arXiv:2410.01201): norm, convolution, minGRU and MLP.

    The order is the first author's in public; the norm is a layer norm. In minGRU-pytorch, and in the authors' later
    code (BorealisAI/minRNNs), the convolution comes before the norm, in a residual branch of its own.

    Args:
        width: features D between the layers.
        layers: number of blocks.
        expansion: units by D.
        mlp_size: hidden features of the MLP (0: 4 D).
        width_of_convolution: inputs that the convolution sees (0: there is none).
        pytorch: whether the layout is that of minGRU-pytorch: the convolution in a branch of its own, RMS norms, the
            exact GELU, no biases of the gates, and no map after a minGRU of D units.
        tied: whether the head has the weights of the embedding.
    """
    check(width=width, layers=layers, mlp_size=mlp_size)
    if width_of_convolution < 0:
        raise UsageError(f"width_of_convolution is {width_of_convolution}; accepted: 1 or more, or 0 for none")
    cell: Cell = MinGRU(hidden_size=max(1, int(expansion * width)), bias=not pytorch)
    if width_of_convolution and not pytorch:
        cell = ShortConvolution(cell=cell, width=width_of_convolution, activation="identity")
    norm = RMSNorm(epsilon=_OF_FLOAT32) if pytorch else LayerNorm()
    mlp = MLP(size=mlp_size or 4 * width, activation="exact gelu" if pytorch else "gelu", gated=False, bias=True)
    block = Block(
        norm=norm,
        projection=not pytorch or expansion != 1,
        mlp=mlp,
        mlp_norm=norm,
        convolution=width_of_convolution if pytorch else 0,
    )
    stack = Stack(layers=layers, pattern=(block,), embedding_size=width, final_norm=norm, tied=tied, head_bias=False)
    return Preset(cell, stack)


__all__ = ["mingru"]
