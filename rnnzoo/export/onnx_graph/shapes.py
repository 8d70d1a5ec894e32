"""JAX's operations on shapes as ONNX operators."""

from typing import Any

import numpy as np

from rnnzoo.export.onnx_graph.graph import Graph
from rnnzoo.export.onnx_graph.products import transposed
from rnnzoo.export.onnx_graph.rules import each_part, onnx_type, rule
from rnnzoo.export.primitives import Refused


def with_axes(g: Graph, operator: str, value: Any, axes: Any) -> Any:
    """Squeeze or Unsqueeze of these axes."""
    return g.node(operator, [value, g.ints(list(axes))]) if len(axes) else value


@rule
@each_part
def broadcast_in_dim(g, eqn, args):
    old, new, places = eqn.invars[0].aval.shape, eqn.outvars[0].aval.shape, eqn.params["broadcast_dimensions"]
    value = with_axes(g, "Unsqueeze", args[0], [k for k in range(len(new)) if k not in places])
    sizes = {int(place): size for place, size in zip(places, old, strict=True)}
    if all(sizes.get(k, 1) == size for k, size in enumerate(new)):
        return value
    return g.node("Expand", [value, g.shape(new)])


@rule
@each_part
def reshape(g, eqn, args):
    return g.node("Reshape", [args[0], g.shape(eqn.outvars[0].aval.shape)])


@rule
@each_part
def squeeze(g, eqn, args):
    return with_axes(g, "Squeeze", args[0], eqn.params["dimensions"])


@rule
@each_part
def transpose(g, eqn, args):
    return transposed(g, args[0], [int(k) for k in eqn.params["permutation"]])


@rule
@each_part
def concatenate(g, eqn, args):
    return g.node("Concat", args, axis=eqn.params["dimension"])


@rule
@each_part
def stack(g, eqn, args):
    axis = eqn.params["axis"]
    return g.node("Concat", [with_axes(g, "Unsqueeze", a, [axis]) for a in args], axis=axis)


@rule
@each_part
def unstack(g, eqn, args):
    axis, count = eqn.params["axis"], len(eqn.outvars)
    found = g.node("Split", [args[0], g.ints([1] * count)], count, axis=axis)
    return [with_axes(g, "Squeeze", a, [axis]) for a in (found if count > 1 else [found])]


@rule
@each_part
def split(g, eqn, args):
    found = g.node("Split", [args[0], g.shape(eqn.params["sizes"])], len(eqn.outvars), axis=eqn.params["axis"])
    return found if isinstance(found, list) else [found]


@rule
@each_part
def tile(g, eqn, args):
    return g.node("Tile", [args[0], g.shape(eqn.params["reps"])])


@rule
@each_part
def rev(g, eqn, args):
    axes = eqn.params["dimensions"]
    last, end = g.ints([-1] * len(axes)), g.ints([np.iinfo(np.int64).min] * len(axes))
    return g.node("Slice", [args[0], last, end, g.ints(axes), last])


@rule
@each_part
def _slice(g, eqn, args):
    starts, limits = eqn.params["start_indices"], eqn.params["limit_indices"]
    strides = eqn.params["strides"] or [1] * len(starts)
    axes = list(range(len(starts)))
    return g.node("Slice", [args[0], g.shape(starts), g.shape(limits), g.ints(axes), g.ints(strides)])


@rule
@each_part
def pad(g, eqn, args):
    widths = eqn.params["padding_config"]
    if any(inside for _, _, inside in widths):
        raise Refused("pads between entries")
    value, cut = args[0], [k for k, (low, high, _) in enumerate(widths) if low < 0 or high < 0]
    if cut:
        starts = g.ints([max(-widths[k][0], 0) for k in cut])
        ends = g.ints([widths[k][1] if widths[k][1] < 0 else np.iinfo(np.int64).max for k in cut])
        value = g.node("Slice", [value, starts, ends, g.ints(cut)])
    sizes = [max(low, 0) for low, _, _ in widths] + [max(high, 0) for _, high, _ in widths]
    return g.node("Pad", [value, g.ints(sizes), args[1]]) if any(sizes) else value


@rule
def dim_as_value(g, eqn, args):
    size = g.node("Squeeze", [g.size(eqn.params["dim"]), g.ints([0])])
    return g.node("Cast", [size], to=onnx_type(eqn.outvars[0].aval.dtype))


@rule
def iota(g, eqn, args):
    shape, axis, dtype = eqn.params["shape"], eqn.params["dimension"], onnx_type(eqn.outvars[0].aval.dtype)
    count = g.node("Squeeze", [g.size(shape[axis]), g.ints([0])])
    numbers = g.node("Cast", [g.node("Range", [np.asarray(0), count, np.asarray(1)])], to=dtype)
    value = with_axes(g, "Unsqueeze", numbers, [k for k in range(len(shape)) if k != axis])
    return g.node("Expand", [value, g.shape(shape)])


__all__ = ["with_axes"]
