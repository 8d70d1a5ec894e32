"""ONNX by jax2onnx, with the recurrence as an ONNX Loop; compared with the model by onnxruntime."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.base import Cell
from rnnzoo.export.check import random_input, relative_error, require_float32
from rnnzoo.models import Model
from rnnzoo.spec import UsageError, spec
from rnnzoo.typing import Control, Params, PyTree, State
from rnnzoo.unrolls.base import Unroll, advance


def write(model: Model, params: Params, folder: Path) -> tuple[Path, float]:
    """Write model.onnx with input "x" (T, B) or (T, B, I) and output "y" (T, B, O) or (B, O), for any T and B: the file
    and its error."""
    require_float32(model, "ONNX")
    try:
        import jax2onnx
        import onnxruntime
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed; accepted: pip install 'rnnzoo[onnx]'") from None
    file = folder / "model.onnx"
    ready = jax.jit(model.prepare)(params)

    def function(x: Any) -> Any:
        return model.apply_prepared(ready, x, unroll=_PlainScan())[0]

    shape: Any = ("T", "B") if model.tokens else ("T", "B", model.input_size)
    x = jax.ShapeDtypeStruct(shape, jnp.int32 if model.tokens else jnp.float32)
    try:
        jax2onnx.to_onnx(
            function, [x], return_mode="file", output_path=str(file), input_names=["x"], output_names=["y"]
        )
        session: Any = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        pairs = [(session, jax.jit(function), random_input(model, *size)) for size in ((7, 3), (12, 1))]
        return file, max(relative_error(s.run(["y"], {"x": x})[0], f(x)) for s, f, x in pairs)
    except Exception as error:  # both packages raise errors of many kinds
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(
            f"the installed jax2onnx or onnxruntime cannot carry {model.cell} to ONNX ({reason}); "
            "accepted: another structure or cell, or the formats stablehlo and numpy"
        ) from error


@spec
class _PlainScan(Unroll):
    """A loop without custom derivatives, which jax2onnx cannot translate."""

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        def body(state_tm1: State, inputs_t: Any) -> tuple[State, State]:
            state_t = advance(cell, params, state_tm1, *inputs_t)
            return state_t, state_t

        return lax.scan(body, state, (zs, controls))[1]


__all__ = ["write"]
