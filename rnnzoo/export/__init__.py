"""A trained model for programs without rnnzoo. Each file is compared with the model after it is written."""

import importlib
import shutil
from pathlib import Path

from rnnzoo.models import Model
from rnnzoo.spec import UsageError, suggest
from rnnzoo.typing import Params

FORMATS = {
    "stablehlo": "model.stablehlo, for jax.export.deserialize in any batch and length, on CPU, CUDA and TPU",
    "onnx": "model.onnx, for onnxruntime and others",
    "numpy": "model.py, which needs only numpy and computes one step at a time",
}
INT8 = ("numpy", "onnx")  # the formats that may have 8-bit weights
MODULES = {"onnx": "onnx_graph"}  # whose name is another than the format's: onnx itself is a package
TOLERANCE = 1e-5  # relative to the largest output


def export(model: Model, params: Params, format: str, out: str | Path, *, int8: bool = False) -> tuple[Path, float]:
    """Write a model into a new folder `out`, in one of `FORMATS`.

    Args:
        model: the network.
        params: its parameters.
        format: a key of `FORMATS`.
        out: the folder, which must not exist.
        int8: whether matrices of weights are stored in 8 bits, with a scale for each row or column; states and sums
            stay float32. The same file in float32 is written and checked before.

    Returns:
        The file, and the largest error of its outputs on random input, relative to the largest output.

    Raises:
        UsageError (a ValueError): the folder exists, a package is not installed, the format cannot carry the model, or
            the error in float32 is above 1e-5. Nothing is left on disk then.
    """
    out = Path(out)
    if format not in FORMATS:
        raise UsageError(f"no format {format!r}; {suggest(format, FORMATS)}")
    if int8 and format not in INT8:
        raise UsageError(f"{format} has no 8-bit weights; accepted for them: {' or '.join(INT8)}")
    if out.exists() or out.is_symlink():
        raise UsageError(f"{out} exists and is not overwritten; accepted: the name of a new folder")
    writer = importlib.import_module(f"rnnzoo.export.{MODULES.get(format, format)}")
    try:
        out.mkdir(parents=True)
    except OSError as error:
        raise UsageError(
            f"{out} cannot be made: {error.strerror}; accepted: a new folder where you may write"
        ) from None
    try:
        file, error = writer.write(model, params, out)
        if not error <= TOLERANCE:
            raise UsageError(
                f"{file.name} differs from the model by {error:.1e} of the largest output, and is not kept; "
                f"accepted: up to {TOLERANCE:g}"
            )
        if int8:
            file, error = writer.write(model, params, out, int8=True)
    except BaseException:
        shutil.rmtree(out)
        raise
    return file, error


__all__ = ["FORMATS", "INT8", "export"]
