"""A Python file that needs only numpy and computes one step per call, translated from the jaxpr of the model's step."""

import base64
import importlib.util
from pathlib import Path
from typing import Any

import jax
import numpy as np

from rnnzoo.disk import write_whole
from rnnzoo.export.check import random_input, relative_error, require_float32
from rnnzoo.export.int8 import rounded
from rnnzoo.export.jaxpr import Program, translate
from rnnzoo.export.step import step_function
from rnnzoo.models import Model
from rnnzoo.spec_json import to_json
from rnnzoo.typing import Params
from rnnzoo.version import __version__

STEPS = 16  # how many steps are compared after writing

TEMPLATE = '''"""A recurrent network for numpy, exported by rnnzoo {version}.

    state = start()
    y, state = step(x, state)       # x: {x}; y: {size} outputs after this step

{model}
"""

import base64
import math

import numpy as np


def _array(dtype, shape, text):
    return np.frombuffer(base64.b85decode(text), dtype).reshape(shape)


def _sigmoid(a):
    return 0.5 * (np.tanh(0.5 * a) + 1)


_erf, _erfc = (np.vectorize(f, otypes=[float]) for f in (math.erf, math.erfc))


{weights}


def start():
    """The state before the first step."""
    return ({start})


def step(x, state):
    """Outputs, and the state after this step."""
    x = np.asarray(x, np.{dtype})
    if x.shape != {shape}:
        raise ValueError("x has shape %s; accepted: {shape}" % (x.shape,))
    {states} = state
    with np.errstate(all="ignore"):
{lines}
    return {outputs[0]}, ({rest})
'''


def write(model: Model, params: Params, folder: Path, int8: bool = False) -> tuple[Path, float]:
    """Write model.py with ``start() -> state`` and ``step(x, state) -> (y, state)``: the file and its error."""
    require_float32(model, "numpy")
    function, (x, state) = step_function(model, params)
    leaves, tree = jax.tree.flatten(state)

    def flat(x: Any, *leaves: Any) -> list[Any]:
        y, new = function(x, tree.unflatten(leaves))
        return [y, *jax.tree.leaves(new)]

    names = ["x", *(f"s{k}" for k in range(len(leaves)))]
    program = translate(jax.make_jaxpr(flat)(x, *leaves), names)
    file = folder / "model.py"
    write_whole(file, _text(model, program, names, x, leaves, int8))
    return file, _error(file, jax.jit(flat), model, leaves)


def _text(model: Model, program: Program, names: list[str], x: Any, leaves: list[Any], int8: bool) -> str:
    weights = [f"{name} = {_constant(value, int8)}" for name, value in program.weights.items()]
    start = [f"np.array({np.asarray(a).tolist()}, np.{a.dtype})" for a in leaves]
    return TEMPLATE.format(
        version=__version__,
        x=f"a token from 0 to {model.input_size - 1}" if model.tokens else f"{model.input_size} numbers",
        size=model.output_size,
        model=_wrapped(to_json(model)),
        weights="\n".join(weights),
        start=", ".join(start) + ",",
        dtype=x.dtype,
        shape=tuple(x.shape),
        states=", ".join(names[1:]) + ",",
        lines="\n".join(f"        {line}" for line in program.lines) or "        pass",
        outputs=program.outputs,
        rest=", ".join(program.outputs[1:]) + ",",
    )


def _constant(value: np.ndarray, int8: bool = False) -> str:
    """An array as an expression of the file; with `int8`, a matrix in 8 bits times its scales."""
    if int8 and (found := rounded(value)) is not None:
        shape = tuple(-1 if k == found.axis else 1 for k in range(value.ndim))
        return f"{_constant(found.values)} * {_constant(found.scale)}.reshape({shape})"
    text = base64.b85encode(value.tobytes()).decode()
    return f'_array("{value.dtype}", {value.shape}, "{text}")'


def _wrapped(text: str, width: int = 100) -> str:
    """Text for a docstring, cut into lines."""
    return "\n".join(text[i : i + width] for i in range(0, len(text), width)).replace("\\", "\\\\")


def _error(file: Path, function: Any, model: Model, leaves: list[Any]) -> float:
    """The largest error over `STEPS` steps on random input, each from the state that the step before returned.

    Outputs are compared relative to the largest of all steps, since those of a single step may all be small; states
    relative to their largest value, or to 1."""
    module = load(file)  # what was just written
    ours, written = [leaves], [module.start()]
    outputs, expected = [], []
    for x_t in random_input(model, STEPS, 1)[:, 0]:
        y_t, *leaves = function(x_t, *ours[-1])
        got, found = module.step(x_t, written[-1])
        outputs, expected = [*outputs, got], [*expected, y_t]
        ours, written = [*ours, leaves], [*written, found]
    states = (relative_error(a, b, at_least=1) for a, b in zip(zip(*written), zip(*ours), strict=True))  # noqa: B905
    return max(relative_error(outputs, expected), *states)


def load(file: Path) -> Any:
    """The module in a model.py, which is run. Only for a file that was just written, or that a user trusts."""
    spec = importlib.util.spec_from_file_location("rnnzoo_exported", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


__all__ = ["load", "write"]
