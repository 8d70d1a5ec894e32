"""Weights of whole networks from the code of their authors, without torch: recurrentgemma, xLSTM, xLSTM 7B."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.cells.mlstm import MLSTM
from rnnzoo.cells.rg_lru import RGLRU
from rnnzoo.cells.slstm import SLSTM
from rnnzoo.convert.gates import Converted, require_mapping, to_numpy
from rnnzoo.convert.model import converted_model
from rnnzoo.models import LocalAttention, Model
from rnnzoo.models.block import BlockLayer
from rnnzoo.spec import UsageError
from rnnzoo.typing import Params
from rnnzoo.wrappers.base import innermost


class _Source:
    """A state dict, which remembers what has been read."""

    def __init__(self, source: Mapping[str, Any], start: str = "", used: set[str] | None = None) -> None:
        self.source, self.start = source, start
        self.used = set[str]() if used is None else used

    def under(self, name: str) -> "_Source":
        """The part whose names begin so."""
        return _Source(self.source, f"{self.start}{name}.", self.used)

    def __call__(self, name: str) -> np.ndarray:
        """One array. `UsageError` if there is none of that name."""
        name = self.start + name
        if name not in self.source:
            raise UsageError(f"the source has no {name}; accepted: the state_dict of the whole network")
        self.used.add(name)
        return np.asarray(to_numpy(self.source[name], name), np.float64)

    def has(self, name: str) -> bool:
        return self.start + name in self.source

    def linear(self, name: str) -> Params:
        """A linear map of torch: weight, and bias where there is one."""
        found = {"w": self(f"{name}.weight")}
        return {**found, "b": self(f"{name}.bias")} if self.has(f"{name}.bias") else found


def from_recurrentgemma(model: Model, source: Mapping[str, Any]) -> Converted:
    """A network of `rnnzoo.models.presets.griffin` or `hawk` with the weights of recurrentgemma
    (https://github.com/google-deepmind/recurrentgemma), by the names of its torch code::

        embedder.input_embedding                              embed.w
        blocks.i.temporal_pre_norm.scale, channel_pre_norm    norm, mlp.norm: 1 + scale
        blocks.i.recurrent_block.linear_x / _y / _out         inner, gate, out
                                .conv_1d.w, .b                cell.conv
                                .rg_lru.a_param               cell.lambda
                                .rg_lru.a_gate, .input_gate   cell.v, cell.d; w transposed
        blocks.i.attention_block.proj_q / _k / _v / _final    cell.q, cell.k, cell.v, out
        blocks.i.mlp_block.ffw_up, ffw_down                   mlp.gate and mlp.in, mlp.out
        final_norm.scale                                      norm: 1 + scale

    The Flax checkpoints have a kernel, transposed, in place of each weight of a linear map.

    Args:
        model: ours, with tied weights and without a bias of the head.
        source: the `state_dict`, of tensors or arrays.

    Raises:
        UsageError (a ValueError): weights are missing or do not fit."""
    read = _Source(require_mapping(source, "a state_dict, such as module.state_dict()"))
    params: Params = {"embed": {"w": read("embedder.input_embedding")}, "head": {}}
    for number, layer in enumerate(model.layers):
        params[f"layer_{number}"] = _gemma_block(_block(layer, "recurrentgemma"), read.under(f"blocks.{number}"))
    params["norm"] = {"scale": 1 + read("final_norm.scale")}
    return _converted(model, params, read)


def _gemma_block(layer: BlockLayer, read: _Source) -> Params:
    mlp, size = read.under("mlp_block"), layer.width
    up, biases = mlp("ffw_up.w"), mlp("ffw_up.b").reshape(2, -1)
    parts = {name: {"w": up[n].T, "b": biases[n]} for n, name in enumerate(("gate", "in"))}
    found: Params = {
        "norm": {"scale": 1 + read("temporal_pre_norm.scale")},
        "mlp": {**parts, "out": mlp.linear("ffw_down"), "norm": {"scale": 1 + read("channel_pre_norm.scale")}},
    }
    if isinstance(layer.cell, LocalAttention):
        block = read.under("attention_block")
        cell = {name: block.linear(f"proj_{name}") for name in "qkv"}
        return {**found, "cell": cell, "out": block.linear("proj_final")}
    _require(layer.cell, RGLRU, f"recurrentgemma, of width {size}")
    block = read.under("recurrent_block")
    unit = block.under("rg_lru")
    gates = {"a": "a_gate", "i": "input_gate"}
    cell = {
        "conv": {"w": block("conv_1d.w"), "b": block("conv_1d.b")},
        "lambda": unit("a_param"),
        "v": {g: unit(f"{name}.w").swapaxes(1, 2) for g, name in gates.items()},
        "d": {g: unit(f"{name}.b").reshape(-1) for g, name in gates.items()},
    }
    linear = {"inner": "linear_x", "gate": "linear_y", "out": "linear_out"}
    return {**found, "cell": cell, **{name: block.linear(theirs) for name, theirs in linear.items()}}


def from_xlstm(model: Model, source: Mapping[str, Any]) -> Converted:
    """A network of `rnnzoo.models.presets.xlstm` with the weights of xlstm (https://github.com/NX-AI/xlstm,
    `xLSTMLMModel`), by its names; of a block xlstm_block_stack.blocks.i::

        token_embedding.weight, lm_head.weight                embed.w, head.w
        xlstm_norm.weight, ffn_norm.weight                    norm, mlp.norm: 1 + weight, as of all norms
        xlstm.proj_up.weight                                  inner and gate, one above the other
        xlstm.conv1d.conv, xlstm.learnable_skip               cell.conv
        xlstm.q_proj, k_proj, v_proj                          cell.w.q, .k, .v
        xlstm.mlstm_cell.igate, fgate, outnorm                cell.w.i and b.i, w.f and b.f, norm
        xlstm.proj_down.weight                                out
        xlstm.igate, fgate, zgate, ogate                      cell.w.f, .i, .z, .o: their code takes the first two
                                                              for each other
        xlstm.slstm_cell._recurrent_kernel_, _bias_           cell.u, cell.b, as the vanilla or the CUDA code has them
        xlstm.group_norm.weight                               output_norm
        ffn.proj_up, ffn.proj_down                            mlp.gate and mlp.in, mlp.out
        xlstm_block_stack.post_blocks_norm.weight             norm

    Args:
        model: ours.
        source: the `state_dict`, of tensors or arrays.

    Raises:
        UsageError (a ValueError): weights are missing or do not fit."""
    read = _Source(require_mapping(source, "a state_dict, such as module.state_dict()"))
    params: Params = {"embed": {"w": read("token_embedding.weight")}}
    for number, layer in enumerate(model.layers):
        block = read.under(f"xlstm_block_stack.blocks.{number}")
        params[f"layer_{number}"] = _xlstm_block(_block(layer, "xlstm"), block)
    params["norm"] = {"scale": 1 + read("xlstm_block_stack.post_blocks_norm.weight")}
    params["head"] = {} if model.stack.tied else {"w": read("lm_head.weight")}
    if model.stack.tied:
        read.used.add("lm_head.weight")
    return _converted(model, params, read)


def _xlstm_block(layer: BlockLayer, read: _Source) -> Params:
    inner = read.under("xlstm")
    convolution = {"w": inner("conv1d.conv.weight")[:, 0].T, "b": inner("conv1d.conv.bias")}
    found: Params = {"norm": {"scale": 1 + read("xlstm_norm.weight")}}
    cell = innermost(layer.cell) if isinstance(layer.cell, Cell) else layer.cell
    if isinstance(cell, SLSTM):
        gate, up = np.split(read("ffn.proj_up.weight"), 2)
        mlp = {"gate": {"w": gate}, "in": {"w": up}, "out": {"w": read("ffn.proj_down.weight")}}
        return {
            **found,
            "cell": {**_slstm(cell, inner), "conv": convolution},
            "output_norm": {"scale": 1 + inner("group_norm.weight")},
            "mlp": {**mlp, "norm": {"scale": 1 + read("ffn_norm.weight")}},
        }
    _require(cell, MLSTM, "xlstm")
    up, gate = np.split(inner("proj_up.weight"), 2)
    gates = inner.under("mlstm_cell")
    scalar = {"i": gates.linear("igate"), "f": gates.linear("fgate")}
    return {
        **found,
        "inner": {"w": up},
        "gate": {"w": gate},
        "cell": {
            "w": {g: inner(f"{g}_proj.weight") for g in "qkv"} | {g: a["w"] for g, a in scalar.items()},
            "b": {g: a["b"] for g, a in scalar.items()},
            "norm": {"scale": 1 + gates("outnorm.weight")},
            "conv": {**convolution, "skip": inner("learnable_skip")},
        },
        "out": inner.linear("proj_down"),
    }


def _slstm(cell: SLSTM, read: _Source) -> Params:
    """Kernel and bias of the vanilla code: (head, gate and unit, input), (gate, unit); of the CUDA code: (head, input,
    gate and unit), (head, gate, unit)."""
    heads, size = cell.input_blocks, cell.hidden_size // cell.input_blocks
    kernel, bias = read("slstm_cell._recurrent_kernel_"), read("slstm_cell._bias_")
    if kernel.shape == (heads, size, 4 * size) and bias.shape == (heads, 4 * size):
        kernel, bias = kernel.swapaxes(1, 2), bias.reshape(heads, 4, size).swapaxes(0, 1)
    if kernel.shape != (heads, 4 * size, size):
        raise UsageError(
            f"slstm_cell._recurrent_kernel_ has shape {kernel.shape} in the source; accepted: "
            f"{(heads, 4 * size, size)} or {(heads, size, 4 * size)}"
        )
    kernel, bias = kernel.reshape(heads, 4, size, size), bias.reshape(4, -1)
    names = {"i": "fgate", "f": "igate", "z": "zgate", "o": "ogate"}
    return {
        "w": {g: read(f"{name}.weight") for g, name in names.items()},
        "u": {g: kernel[:, n] for n, g in enumerate(names)},
        "b": {g: bias[n] for n, g in enumerate(names)},
    }


def from_xlstm_large(model: Model, source: Mapping[str, Any]) -> Converted:
    """A network of `rnnzoo.models.presets.xlstm_large` with the weights of xLSTM 7B, by the names of xlstm
    (https://github.com/NX-AI/xlstm, `xLSTMLarge`) or of Hugging Face's transformers; of a block backbone.blocks.i::

        embedding.weight, lm_head.weight                      embed.w, head.w; backbone.embeddings in transformers
        norm_mlstm.weight, norm_ffn.weight                    norm, mlp.norm
        mlstm_layer.q, k, v                                   cell.w.q, .k, .v; query, key, value in some versions of
                                                              transformers
                   .igate_preact, fgate_preact                cell.w.i and b.i, w.f and b.f
                   .ogate_preact                              cell.w.o
                   .multihead_norm.weight                     cell.norm
                   .out_proj                                  out
        ffn.proj_up_gate, proj_up, proj_down                  mlp.gate, mlp.in, mlp.out
        backbone.out_norm.weight                              norm

    With their weight_mode "fused", these are one above the other::

        mlstm_layer.qkv_opreact, ifgate_preact                q, k, v, o; i, f
        ffn.proj_up_gate_z                                    gate, in

    The soft caps are fields of the model; weights do not tell them.

    Args:
        model: ours.
        source: the `state_dict`, of tensors or arrays.

    Raises:
        UsageError (a ValueError): weights are missing or do not fit."""
    read = _Source(require_mapping(source, "a state_dict, such as module.state_dict()"))
    embedding = "backbone.embeddings" if read.has("backbone.embeddings.weight") else "embedding"
    params: Params = {"embed": read.linear(embedding)}
    for number, layer in enumerate(model.layers):
        block = read.under(f"backbone.blocks.{number}")
        params[f"layer_{number}"] = _xlstm_large_block(_block(layer, "xlstm"), block)
    params["norm"] = {"scale": read("backbone.out_norm.weight")}
    params["head"] = {} if model.stack.tied else read.linear("lm_head")
    return _converted(model, params, read)


def _xlstm_large_block(layer: BlockLayer, read: _Source) -> Params:
    cell, inner, ffn = layer.cell, read.under("mlstm_layer"), read.under("ffn")
    if not isinstance(cell, MLSTM):
        raise UsageError(f"xLSTM 7B has no {type(cell).__name__}; accepted: MLSTM")
    names = {"q": "q", "k": "k", "v": "v", "o": "ogate_preact"}
    names |= {g: long for g, long in {"q": "query", "k": "key", "v": "value"}.items() if inner.has(f"{long}.weight")}
    maps = _separate(inner, "qkv_opreact", names, [cell.rows(g) for g in "qkvo"])
    maps |= _separate(inner, "ifgate_preact", {"i": "igate_preact", "f": "fgate_preact"}, [cell.heads] * 2)
    mlp = _separate(ffn, "proj_up_gate_z", {"gate": "proj_up_gate", "in": "proj_up"})
    return {
        "norm": {"scale": read("norm_mlstm.weight")},
        "cell": {
            "w": {g: a["w"] for g, a in maps.items()},
            "b": {g: a["b"] for g, a in maps.items() if "b" in a},
            "norm": {"scale": inner("multihead_norm.weight")},
        },
        "out": inner.linear("out_proj"),
        "mlp": {**mlp, "out": ffn.linear("proj_down"), "norm": {"scale": read("norm_ffn.weight")}},
    }


def _separate(read: _Source, whole: str, names: dict[str, str], rows: list[int] | None = None) -> dict[str, Params]:
    """Linear maps by our names: each by itself in the source, or all as one `whole` map, one above the other, with so
    many rows each (None: as many each)."""
    if not read.has(f"{whole}.weight"):
        return {name: read.linear(theirs) for name, theirs in names.items()}
    at = len(names) if rows is None else np.cumsum(rows)[:-1]
    parts = {part: np.array_split(a, at) for part, a in read.linear(whole).items()}
    return {name: {part: pieces[n] for part, pieces in parts.items()} for n, name in enumerate(names)}


def _block(layer: Any, library: str) -> BlockLayer:
    if not isinstance(layer, BlockLayer):
        raise UsageError(f"the model has plain layers, and {library} has blocks; accepted: a model of its preset")
    return layer


def _require(cell: Any, kind: type[Cell], library: str) -> None:
    cell = innermost(cell) if isinstance(cell, Cell) else cell
    if not isinstance(cell, kind):
        raise UsageError(f"{library} has no {type(cell).__name__}; accepted: {kind.__name__}")


def _converted(model: Model, params: Params, read: _Source) -> Converted:
    params = jax.tree.map(lambda a: jnp.asarray(a, float), params)
    return converted_model(model, params, read.source.keys() - read.used, ())


__all__ = ["from_recurrentgemma", "from_xlstm", "from_xlstm_large"]
