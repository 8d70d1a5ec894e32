"""Networks: cells in layers and blocks, with an embedding and a head. `presets` has those of papers."""

from rnnzoo.models import presets
from rnnzoo.models.attention import LocalAttention
from rnnzoo.models.block import Block
from rnnzoo.models.mlp import MLP
from rnnzoo.models.network import Model
from rnnzoo.models.norms import LayerNorm, Norm, RMSNorm
from rnnzoo.models.stack import Stack

__all__ = ["MLP", "Block", "LayerNorm", "LocalAttention", "Model", "Norm", "RMSNorm", "Stack", "presets"]
