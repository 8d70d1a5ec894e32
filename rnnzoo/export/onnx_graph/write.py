"""ONNX, translated from the jaxpr of the whole model, and compared with the model by onnxruntime.

A layer is one of ONNX's recurrent operators where there is such a one, else a Scan over its steps.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from rnnzoo.export.check import random_input, relative_error, require_float32
from rnnzoo.export.int8 import rounded
from rnnzoo.export.onnx_graph import complex, loops, places, products, shapes  # noqa: F401 (their rules)
from rnnzoo.export.onnx_graph.cells import LAYERS
from rnnzoo.export.onnx_graph.graph import OPSET, Graph, Name, Weights
from rnnzoo.export.onnx_graph.rules import RULES
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.spec_json import to_json
from rnnzoo.typing import Params
from rnnzoo.version import __version__

IR_VERSION = 9  # of the file, which onnxruntime reads since 1.16


def write(model: Model, params: Params, folder: Path, int8: bool = False) -> tuple[Path, float]:
    """Write model.onnx with input "x" (T, B) or (T, B, I) and output "y" (T, B, O) or (B, O), for any T and B: the file
    and its error."""
    require_float32(model, "ONNX")
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed; accepted: pip install 'rnnzoo[onnx]'") from None
    file = folder / "model.onnx"
    ready = jax.jit(model.prepare)(params)
    onnx.save(_translated(model, ready, int8), str(file))
    session: Any = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    ours = jax.jit(lambda x: model.apply_prepared(ready, x)[0])
    xs = [random_input(model, *size) for size in ((7, 3), (12, 1))]
    return file, max(relative_error(session.run(["y"], {"x": x})[0], ours(x)) for x in xs)


def _translated(model: Model, ready: Params, int8: bool) -> Any:
    """The model as an ONNX ModelProto."""
    from onnx import TensorProto, helper

    time, batch = export.symbolic_shape("T, B")
    shape = (time, batch) if model.tokens else (time, batch, model.input_size)
    x = jax.ShapeDtypeStruct(shape, jnp.int32 if model.tokens else jnp.float32)
    closed = jax.make_jaxpr(lambda x: model.apply_prepared(ready, x, unroll=LAYERS)[0])(x)
    graph = Graph(Weights(), {}, RULES)
    sizes = graph.node("Shape", [Name("x")])
    for k, name in enumerate(("T", "B")):
        graph.dims[name] = graph.node("Slice", [sizes, graph.ints([k]), graph.ints([k + 1])]).text
    found = graph.run(closed.jaxpr, closed.consts, [Name("x")])[0]
    graph.nodes.append(helper.make_node("Identity", [graph.text(found)], ["y"]))
    nodes, used = graph.live(["y"])
    kind = TensorProto.INT32 if model.tokens else TensorProto.FLOAT
    constants = {name: a for name, a in graph.weights.arrays.items() if name in used}
    if int8:
        constants, restoring = _in_8_bits(constants)
        nodes = restoring + nodes
    axes = [str(n) if not isinstance(n, int) else n for n in closed.out_avals[0].shape]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "rnnzoo",
            [helper.make_tensor_value_info("x", kind, [str(n) if not isinstance(n, int) else n for n in shape])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, axes)],
            [_constant(name, a) for name, a in constants.items()],
        ),
        producer_name="rnnzoo",
        producer_version=__version__,
        doc_string=to_json(model),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def _in_8_bits(constants: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], list[Any]]:
    """The constants with matrices in 8 bits, and the nodes that give the matrices their names."""
    from onnx import helper

    found, nodes = {}, []
    for name, array in constants.items():
        if (r := rounded(array)) is None:
            found[name] = array
            continue
        found |= {f"{name}_int8": r.values, f"{name}_scale": r.scale}
        nodes.append(helper.make_node("DequantizeLinear", [f"{name}_int8", f"{name}_scale"], [name], axis=r.axis))
    return found, nodes


def _constant(name: str, value: np.ndarray) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name)


__all__ = ["write"]
