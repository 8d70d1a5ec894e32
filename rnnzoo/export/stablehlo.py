"""StableHLO by `jax.export`: whole sequences, of any batch and length, for several platforms."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.disk import write_whole
from rnnzoo.export.check import random_input, relative_error
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.spec_json import to_dict
from rnnzoo.typing import Params

PLATFORMS = ("cpu", "cuda", "tpu")


def write(model: Model, params: Params, folder: Path) -> tuple[Path, float]:
    """Write model.stablehlo, a function of x (T, B) or (T, B, I) to outputs (T, B, O) or (B, O) that contains the
    parameters, and signature.json: the file and its error."""
    from jax import export

    file = folder / "model.stablehlo"
    ready = jax.jit(model.prepare)(params)
    function = jax.jit(lambda x: model.apply_prepared(ready, x)[0])
    time, batch = export.symbolic_shape("T, B")
    shape = (time, batch) if model.tokens else (time, batch, model.input_size)
    x = jax.ShapeDtypeStruct(shape, jnp.int32 if model.tokens else jnp.float32)
    try:
        exported = export.export(function, platforms=PLATFORMS)(x)
    except (NotImplementedError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"StableHLO cannot carry {model.cell} for any batch and length ({reason}); accepted: another structure or "
            "cell, or the format numpy"
        ) from error
    try:
        file.write_bytes(exported.serialize())
    except ImportError:
        raise UsageError("flatbuffers is not installed; accepted: pip install 'rnnzoo[export]'") from None
    write_whole(folder / "signature.json", json.dumps(_signature(model, exported), indent=1) + "\n")
    read = export.deserialize(bytearray(file.read_bytes()))
    return file, max(_error(read.call, function, random_input(model, *size)) for size in ((7, 3), (12, 1)))


def _error(found: Any, expected: Any, x: Any) -> float:
    return relative_error(found(x), expected(x))


def _signature(model: Model, exported: Any) -> dict[str, object]:
    return {
        "read": "jax.export.deserialize(bytearray(open('model.stablehlo', 'rb').read())).call(x)",
        "x": str(exported.in_avals[0]),
        "outputs": str(exported.out_avals[0]),
        "platforms": list(exported.platforms),
        "jax": jax.__version__,
        "model": to_dict(model),
    }


__all__ = ["write"]
