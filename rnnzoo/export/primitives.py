"""JAX's operations in numpy. A rule returns the text of an expression, or such a text and an array, which the text
calls "@"."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Rule = Callable[[Any, list[str], list[np.ndarray | None]], Any]


class Refused(Exception):
    """There is no rule for this form of the operation. The message continues the operation's name."""


def _template(text: str) -> Rule:
    """A rule that puts the arguments into a text."""
    return lambda eqn, args, constants: text.format(*args)


UNARY = {
    "abs": "np.abs", "ceil": "np.ceil", "conj": "np.conj", "cos": "np.cos", "cosh": "np.cosh", "exp": "np.exp",
    "exp2": "np.exp2", "expm1": "np.expm1", "floor": "np.floor", "imag": "np.imag", "is_finite": "np.isfinite",
    "log": "np.log", "log1p": "np.log1p", "logistic": "_sigmoid", "neg": "np.negative", "not": "np.invert",
    "real": "np.real", "sign": "np.sign", "sin": "np.sin", "sinh": "np.sinh", "sqrt": "np.sqrt", "square": "np.square",
    "tan": "np.tan", "tanh": "np.tanh",
}  # fmt: skip
BINARY = {
    "add": "{} + {}", "add_any": "{} + {}", "and": "{} & {}", "atan2": "np.arctan2({}, {})", "complex": "{} + 1j * {}",
    "eq": "{} == {}", "ge": "{} >= {}", "gt": "{} > {}", "le": "{} <= {}", "lt": "{} < {}",
    "max": "np.maximum({}, {})", "min": "np.minimum({}, {})", "mul": "{} * {}", "ne": "{} != {}", "or": "{} | {}",
    "pow": "np.power({}, {})", "rem": "np.fmod({}, {})", "sub": "{} - {}", "xor": "{} ^ {}",
}  # fmt: skip
IDENTITY = ("copy", "copy_p", "stop_gradient", "optimization_barrier", "reduce_precision")
REDUCTIONS = {"reduce_sum": "np.sum", "reduce_max": "np.max", "reduce_min": "np.min", "reduce_prod": "np.prod"}
RULES: dict[str, Rule] = {
    **{name: _template(f"{function}({{}})") for name, function in UNARY.items()},
    **{name: _template(text) for name, text in BINARY.items()},
    **{name: _template("{}") for name in IDENTITY},
    "rsqrt": _template("1 / np.sqrt({})"),
}


def rule(function: Rule) -> Rule:
    """Register a function as the rule of the operation that it is named after."""
    RULES[function.__name__.strip("_")] = function
    return function


def _dtype(eqn: Any) -> str:
    return f"np.{eqn.outvars[0].aval.dtype}"


def _shape(eqn: Any) -> tuple[int, ...]:
    return tuple(eqn.outvars[0].aval.shape)


def _reshape(eqn: Any, args: list[str], constants: Any) -> str:
    return f"np.reshape({args[0]}, {_shape(eqn)})"


RULES |= dict.fromkeys(("reshape", "squeeze", "expand_dims"), _reshape)


def _of_math(function: str) -> Rule:
    """A function of Python's math, in double precision, entry by entry."""
    return lambda eqn, args, constants: f"{function}({args[0]}).astype({_dtype(eqn)})"


RULES |= {"erf": _of_math("_erf"), "erfc": _of_math("_erfc")}


@rule
def div(eqn, args, constants):
    if not jnp.issubdtype(eqn.outvars[0].aval.dtype, jnp.inexact):
        raise Refused("of integers rounds differently in numpy")
    return f"{args[0]} / {args[1]}"


@rule
def _round(eqn, args, constants):
    if eqn.params["rounding_method"] != lax.RoundingMethod.TO_NEAREST_EVEN:
        raise Refused("is away from zero where two are equally near, other than numpy's")
    return f"np.round({args[0]})"


@rule
def split(eqn, args, constants):
    return f"np.split({args[0]}, {np.cumsum(eqn.params['sizes'])[:-1].tolist()}, {eqn.params['axis']})"


@rule
def unstack(eqn, args, constants):  # since JAX 0.12
    return f"np.moveaxis({args[0]}, {eqn.params['axis']}, 0)"


@rule
def clamp(eqn, args, constants):
    return f"np.clip({args[1]}, {args[0]}, {args[2]})"


@rule
def integer_pow(eqn, args, constants):
    return f"{args[0]} ** {eqn.params['y']}"


@rule
def convert_element_type(eqn, args, constants):
    return f"np.asarray({args[0]}).astype({_dtype(eqn)})"


@rule
def broadcast_in_dim(eqn, args, constants):
    shape = _shape(eqn)
    places = dict(zip(eqn.params["broadcast_dimensions"], eqn.invars[0].aval.shape, strict=True))
    return f"np.broadcast_to(np.reshape({args[0]}, {tuple(places.get(k, 1) for k in range(len(shape)))}), {shape})"


@rule
def cumsum(eqn, args, constants):
    axis, last_first = eqn.params["axis"], eqn.params["reverse"]
    source = f"np.flip({args[0]}, {axis})" if last_first else args[0]
    total = f"np.cumsum({source}, {axis}, {_dtype(eqn)})"
    return f"np.flip({total}, {axis})" if last_first else total


@rule
def transpose(eqn, args, constants):
    return f"np.transpose({args[0]}, {tuple(eqn.params['permutation'])})"


@rule
def rev(eqn, args, constants):
    return f"np.flip({args[0]}, {tuple(eqn.params['dimensions'])})"


@rule
def concatenate(eqn, args, constants):
    return f"np.concatenate([{', '.join(args)}], {eqn.params['dimension']})"


@rule
def stack(eqn, args, constants):
    return f"np.stack([{', '.join(args)}], {eqn.params['axis']})"


@rule
def tile(eqn, args, constants):
    return f"np.tile({args[0]}, {tuple(eqn.params['reps'])})"


@rule
def select_n(eqn, args, constants):
    if len(args) != 3:
        raise Refused(f"has {len(args) - 1} cases")
    return f"np.where({args[0]}, {args[2]}, {args[1]})"


@rule
def pad(eqn, args, constants):
    widths = eqn.params["padding_config"]
    if any(inside or low < 0 or high < 0 for low, high, inside in widths):
        raise Refused("pads between entries, or by negative widths")
    return f"np.pad({args[0]}, {tuple((low, high) for low, high, _ in widths)}, constant_values={args[1]})"


@rule
def dot_general(eqn, args, constants):
    (left, right), (left_batch, right_batch) = eqn.params["dimension_numbers"]
    if not left_batch:
        return f"np.tensordot({args[0]}, {args[1]}, ({tuple(left)}, {tuple(right)}))"
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    a = [next(letters) for _ in eqn.invars[0].aval.shape]
    b = [next(letters) for _ in eqn.invars[1].aval.shape]
    for i, j in zip((*left, *left_batch), (*right, *right_batch), strict=True):
        b[j] = a[i]
    batch = [a[i] for i in left_batch]
    free = [x for x in (*a, *b) if (x in a) != (x in b)]
    return f"np.einsum('{''.join(a)},{''.join(b)}->{''.join(batch + free)}', {args[0]}, {args[1]})"


def _reduction(function: str) -> Rule:
    return lambda eqn, args, constants: f"{function}({args[0]}, {tuple(eqn.params['axes'])})"


RULES |= {name: _reduction(function) for name, function in REDUCTIONS.items()}


def _position(function: str) -> Rule:
    return lambda eqn, args, constants: f"{function}({args[0]}, {eqn.params['axes'][0]}).astype({_dtype(eqn)})"


RULES |= {"argmax": _position("np.argmax"), "argmin": _position("np.argmin")}


def _constant_places(eqn: Any, args: list[str], constants: list[np.ndarray | None]) -> Any:
    """Entries of the first argument at constant places, found by applying the operation to the entries' numbers."""
    if any(c is None for c in constants[1:]):
        raise Refused("reads places that depend on values")
    source = eqn.invars[0].aval
    numbers = jnp.arange(1, 1 + source.size, dtype=jnp.int32).reshape(source.shape)
    params = {**eqn.params, "fill_value": 0} if "fill_value" in eqn.params else eqn.params
    places = np.asarray(eqn.primitive.bind(numbers, *constants[1:], **params)) - 1
    if places.min(initial=0) < 0:
        raise Refused("reads places outside of the array")
    return f"np.reshape({args[0]}, -1)[@]", places


RULES |= dict.fromkeys(("slice", "dynamic_slice"), _constant_places)


@rule
def gather(eqn, args, constants):
    if constants[1] is not None:
        return _constant_places(eqn, args, constants)
    shape, numbers = eqn.invars[0].aval.shape, eqn.params["dimension_numbers"]
    rows = (tuple(numbers.collapsed_slice_dims), tuple(numbers.start_index_map)) == ((0,), (0,))
    whole = tuple(eqn.params["slice_sizes"]) == (1, *shape[1:])
    batch = eqn.invars[1].aval.ndim - 1
    behind = tuple(numbers.offset_dims) == tuple(range(batch, batch + len(shape) - 1))
    if not (rows and whole and behind):
        raise Refused("reads something other than whole rows at places that depend on values")
    return f"np.take({args[0]}, {args[1]}[..., 0], 0, mode='clip')"  # tokens are within range


def _scatter_places(eqn: Any, constants: list[np.ndarray | None]) -> np.ndarray:
    """Where in the flattened result each update of a scatter goes: the scatter's transpose, applied to the numbers of
    the places."""
    operand, updates = (eqn.invars[k].aval for k in (0, 2))
    if constants[1] is None or operand.size >= 2**24:
        raise Refused("writes to places that depend on values")
    scatter_add = functools.partial(
        lax.scatter_add, jnp.zeros(operand.shape), constants[1], dimension_numbers=eqn.params["dimension_numbers"],
        mode=eqn.params["mode"],
    )  # fmt: skip
    numbers = jnp.arange(1.0, operand.size + 1).reshape(operand.shape)
    found = jax.linear_transpose(scatter_add, jax.ShapeDtypeStruct(updates.shape, numbers.dtype))(numbers)[0]
    places = np.asarray(found, np.int64).reshape(-1) - 1
    if places.min(initial=0) < 0:
        raise Refused("writes to places outside of the array")
    return places


@rule
def scatter(eqn, args, constants):
    places = _scatter_places(eqn, constants)
    if len(set(places.tolist())) < len(places):
        raise Refused("writes to a place twice")
    source = np.full(eqn.invars[0].aval.size, -1)
    source[places] = np.arange(len(places))
    source = source.reshape(_shape(eqn))
    return f"np.where(@ < 0, {args[0]}, np.reshape({args[2]}, -1)[@])", source


def _scatter_add(eqn, args, constants):
    shape, size = _shape(eqn), eqn.invars[0].aval.size
    if not jnp.issubdtype(eqn.outvars[0].aval.dtype, jnp.floating):
        raise Refused("is of complex numbers or integers")
    text = f"{args[0]} + np.bincount({{}}, np.reshape({args[2]}, -1), {size}).reshape({shape}).astype({_dtype(eqn)})"
    if constants[1] is not None:
        return text.format("@"), _scatter_places(eqn, constants)
    return text.format(f"np.reshape({_dynamic_places(eqn, args[1])}, -1)")


def _dynamic_places(eqn: Any, indices: str) -> str:
    """Where in the flattened result each update of a scatter of whole slices goes, to places within range that depend
    on values."""
    numbers, shape, updates = eqn.params["dimension_numbers"], _shape(eqn), eqn.invars[2].aval.shape
    written, batch = tuple(numbers.scatter_dims_to_operand_dims), tuple(numbers.operand_batching_dims)
    within = [int(axis) for axis in numbers.update_window_dims]
    outside = [axis for axis in range(len(updates)) if axis not in within]  # those of the indices
    others = [axis for axis in range(len(shape)) if axis not in written + batch]
    whole = sorted(written) == sorted(numbers.inserted_window_dims)
    if not whole or [shape[axis] for axis in others] != [updates[axis] for axis in within]:
        raise Refused("writes to places that depend on values, and not whole slices")
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    spread = tuple(size if axis in outside else 1 for axis, size in enumerate(updates))
    terms = [f"np.reshape({indices}[..., {k}], {spread}) * {strides[axis]}" for k, axis in enumerate(written)]
    batched = [outside[axis] for axis in numbers.scatter_indices_batching_dims]
    for axis, place in [*zip(others, within, strict=True), *zip(batch, batched, strict=True)]:
        along = tuple(shape[axis] if k == place else 1 for k in range(len(updates)))
        terms.append(f"np.arange({shape[axis]}).reshape({along}) * {strides[axis]}")
    return f"np.broadcast_to({' + '.join(terms)}, {tuple(updates)})"


RULES["scatter-add"] = _scatter_add


@rule
def fft(eqn, args, constants):
    kind = eqn.params["fft_type"].name.lower()
    lengths = tuple(eqn.params["fft_lengths"])
    function = {"fft": "fftn", "ifft": "ifftn", "rfft": "rfftn", "irfft": "irfftn"}.get(kind)
    if function is None:
        raise Refused(f"is of the unknown kind {kind}")
    return f"np.fft.{function}({args[0]}, {lengths}, {tuple(range(-len(lengths), 0))}).astype({_dtype(eqn)})"


__all__ = ["RULES", "Refused"]
