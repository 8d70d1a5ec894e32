"""Gated DeltaNet (Yang et al. 2025, arXiv:2412.06464)."""

from rnnzoo.cells.gated_delta_net import GatedDeltaNet
from rnnzoo.models.block import Block
from rnnzoo.models.mlp import MLP
from rnnzoo.models.norms import RMSNorm
from rnnzoo.models.presets.sizes import Preset, check, rounded_up
from rnnzoo.models.stack import Stack
from rnnzoo.wrappers.projection_convolution import ProjectionConvolution


def gated_deltanet(
    *, width: int, layers: int, heads: int = 0, head_size: int = 0, mlp_size: int = 0, tied: bool = False
) -> Preset:
    """Gated DeltaNet (Yang et al. 2025, arXiv:2412.06464): the cell between convolutions and a gated norm, and a
    SwiGLU.

    Args:
        width: features D between the layers.
        layers: number of blocks.
        heads: number of heads (0: one for every 341 features, so that a head has 256 keys).
        head_size: keys in a head, which has twice as many values (0: 3 D / 4 over the heads).
        mlp_size: hidden features of the SwiGLU (0: 8 D / 3, rounded up to a multiple of 8).
        tied: whether the head has the weights of the embedding.
    """
    check(width=width, layers=layers, heads=heads, head_size=head_size, mlp_size=mlp_size)
    heads = heads or max(1, round(width * 3 / 4 / 256))
    keys = head_size or max(1, width * 3 // 4 // heads)
    norm = RMSNorm(epsilon=1e-6)
    memory = GatedDeltaNet(hidden_size=2 * keys * heads, heads=heads, key_size=keys)
    cell = ProjectionConvolution(cell=memory, convolved=("q", "k", "v"), convolution_bias=False)
    block = Block(
        norm=norm,
        output_norm=RMSNorm(epsilon=1e-6, groups=heads, shared=True),
        gate="silu",
        mlp=MLP(size=mlp_size or rounded_up(8 * width / 3, 8), activation="silu"),
        mlp_norm=norm,
    )
    stack = Stack(layers=layers, pattern=(block,), embedding_size=width, final_norm=norm, tied=tied, head_bias=False)
    return Preset(cell, stack)


__all__ = ["gated_deltanet"]
