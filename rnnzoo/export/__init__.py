"""A trained model for programs that do not have rnnzoo. Each format is checked against the model after writing."""

import importlib
import shutil
from pathlib import Path

from rnnzoo.models import Model
from rnnzoo.spec import UsageError, suggest
from rnnzoo.typing import Params

FORMATS = {
    "stablehlo": "model.stablehlo, for jax.export.deserialize in any batch and length, on CPU, CUDA and TPU",
    "onnx": "model.onnx, for onnxruntime and others",
    "numpy": "model.py, which needs numpy only and runs one step at a time",
}
TOLERANCE = 1e-5  # of the largest output


def export(model: Model, params: Params, format: str, out: str | Path) -> tuple[Path, float]:
    """Write a model into a new folder `out`, as one of `FORMATS`: (the file, its error on random input, relative to the
    largest output).

    Raises:
        UsageError (a ValueError): a folder that exists, a package that is missing, a model that the format cannot
            carry, or a file whose outputs differ from the model's by more than 1e-5; nothing is left behind then.
    """
    out = Path(out)
    if format not in FORMATS:
        raise UsageError(f"no format {format!r}; {suggest(format, FORMATS)}")
    if out.exists() or out.is_symlink():
        raise UsageError(f"{out} is there already and is not overwritten; accepted: a free name")
    writer = importlib.import_module(f"rnnzoo.export.{format}")
    try:
        out.mkdir(parents=True)
    except OSError as error:
        raise UsageError(
            f"{out} cannot be made: {error.strerror}; accepted: a free name in a folder of yours"
        ) from None
    try:
        file, error = writer.write(model, params, out)
        if not error <= TOLERANCE:
            raise UsageError(f"{file.name} differs from the model by {error:.1e}, more than {TOLERANCE}; not kept")
    except BaseException:
        shutil.rmtree(out)
        raise
    return file, error


__all__ = ["FORMATS", "export"]
