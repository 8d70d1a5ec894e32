"""Networks with the block layouts of papers, at any size: what `Model` and `Config` take as cell and stack.

>>> import rnnzoo
>>> cell, stack = rnnzoo.models.presets.griffin(width=32, layers=3)
>>> model = rnnzoo.models.Model(cell=cell, stack=stack, input_size=50, output_size=50, tokens=True)

The layouts were held against numbers of the authors' own networks. `tied` says whether the head has the weights of the
embedding, for networks that read and predict tokens.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.cells.gated_delta_net import GatedDeltaNet
from rnnzoo.cells.mamba2 import Mamba2
from rnnzoo.cells.mingru import MinGRU
from rnnzoo.cells.mlstm import MLSTM
from rnnzoo.cells.rg_lru import RGLRU
from rnnzoo.cells.rwkv7 import RWKV7
from rnnzoo.cells.slstm import SLSTM
from rnnzoo.models.attention import LocalAttention
from rnnzoo.models.block import Block
from rnnzoo.models.mlp import MLP
from rnnzoo.models.norms import LayerNorm, RMSNorm
from rnnzoo.models.stack import Stack
from rnnzoo.spec import UsageError, suggest
from rnnzoo.structures.block_diagonal import BlockDiagonal
from rnnzoo.wrappers.projection_convolution import ProjectionConvolution
from rnnzoo.wrappers.short_convolution import ShortConvolution

_OF_FLOAT32 = float(np.finfo(np.float32).eps)  # what torch's RMSNorm takes, where no epsilon is given, for float32


class Preset(NamedTuple):
    """A cell, and how it is stacked."""

    cell: Cell
    stack: Stack


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
    _check(width=width, layers=layers, heads=heads, recurrent_size=recurrent_size, mlp_size=mlp_size)
    heads = heads or _heads(width, 128)
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
    _check(width=width, layers=layers, heads=heads)
    heads = heads or _heads(width, 128)
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
    _check(width=width, layers=layers, heads=heads)
    if not all(0 <= n < layers for n in slstm_at) or len(set(slstm_at)) == layers:
        raise UsageError(f"slstm_at is {slstm_at}; accepted: numbers from 0 to {layers - 1}, not all of them")
    heads = heads or math.gcd(4, width)
    if width % heads:
        raise UsageError(f"heads is {heads}; accepted: a divisor of width, which is {width}")
    inner = _up(expansion * width, multiple)
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
        mlp=MLP(size=_up(mlp_expansion * width, multiple), activation="exact gelu"),
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
    _check(width=width, layers=layers, heads=heads)
    heads = heads or _heads(width, 512)
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
    block = Block(norm=norm, mlp=MLP(size=_up(int(mlp_expansion * width), multiple), activation="silu"), mlp_norm=norm)
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
    _check(width=width, layers=layers, head_size=head_size)
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
    _check(width=width, layers=layers, heads=heads, head_size=head_size, mlp_size=mlp_size)
    heads = heads or max(1, round(width * 3 / 4 / 256))
    keys = head_size or max(1, width * 3 // 4 // heads)
    norm = RMSNorm(epsilon=1e-6)
    memory = GatedDeltaNet(hidden_size=2 * keys * heads, heads=heads, key_size=keys)
    cell = ProjectionConvolution(cell=memory, convolved=("q", "k", "v"), convolution_bias=False)
    block = Block(
        norm=norm,
        output_norm=RMSNorm(epsilon=1e-6, groups=heads, shared=True),
        gate="silu",
        mlp=MLP(size=mlp_size or _up(8 * width / 3, 8), activation="silu"),
        mlp_norm=norm,
    )
    stack = Stack(layers=layers, pattern=(block,), embedding_size=width, final_norm=norm, tied=tied, head_bias=False)
    return Preset(cell, stack)


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
    _check(width=width, layers=layers, head_size=head_size, mlp_size=mlp_size)
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
    _check(width=width, layers=layers, mlp_size=mlp_size)
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


# ---- by name ---------------------------------------------------------------------------------------------


def presets() -> dict[str, Callable[..., Preset]]:
    """All presets by name."""
    return {f.__name__: f for f in (gated_deltanet, griffin, hawk, mamba2, mingru, rwkv7, xlstm, xlstm_large)}


def preset(name: str) -> Callable[..., Preset]:
    """The preset of that name; case, "-" and "_" do not matter. `UsageError` with the nearest names."""
    known = presets()
    folded = name.lower().replace("-", "_")
    for candidate, function in known.items():
        if candidate.replace("_", "") == folded.replace("_", ""):
            return function
    raise UsageError(f"no preset {name!r}; {suggest(name, known)}")


# ---- sizes -----------------------------------------------------------------------------------------------


def _rg_lru(size: int, heads: int) -> ShortConvolution:
    cell = RGLRU(hidden_size=size, heads=heads, projected=False, undamped_start=True)
    return ShortConvolution(cell=cell, activation="identity")


def _gemma_block(size: int, mlp_size: int) -> Block:
    norm = RMSNorm(epsilon=1e-6)
    return Block(norm=norm, inner_size=size, gate="gelu", bias=True, mlp=MLP(size=mlp_size, bias=True), mlp_norm=norm)


def _heads(width: int, each: int) -> int:
    """About one head for so many features; at least four features in each."""
    heads = max(1, width // each)
    while width % heads or (width // heads) % 4:
        if heads == 1:
            break
        heads -= 1
    return heads


def _check(*, width: int, layers: int, **sizes: int) -> None:
    """Raise `UsageError` for a size that is none; 0 stands for the usual one where there is one."""
    for name, value in {"width": width, "layers": layers}.items():
        if value < 1:
            raise UsageError(f"{name} is {value}; accepted: 1 or more")
    for name, value in sizes.items():
        if value < 0:
            raise UsageError(f"{name} is {value}; accepted: 1 or more, or 0 for the usual one")


def _up(size: float, multiple: int) -> int:
    if multiple < 1:
        raise UsageError(f"multiple is {multiple}; accepted: 1 or more")
    return math.ceil(size / multiple) * multiple


def _quarters(size: int) -> int:
    """Blocks of four, where the size allows it."""
    return size // math.gcd(4, size)


def _rounded(value: float) -> float:
    """To bfloat16, as the authors' code does."""
    return float(np.asarray(value).astype(jnp.bfloat16))


__all__ = [
    "Preset", "gated_deltanet", "griffin", "hawk", "mamba2", "mingru", "preset", "presets", "rwkv7", "xlstm",
    "xlstm_large",
]  # fmt: skip
