"""Checks of whole models: that stacked layers of the other library compute the same, and that every shape fits."""

from collections.abc import Iterable

import jax
import numpy as np

from rnnzoo.convert.gates import Converted
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.typing import Params


def check_stack(model: Model, library: str) -> None:
    """Raise `UsageError` if the model has a norm or residuals between its layers, which other libraries do not."""
    stack = model.stack
    if stack.pattern:
        raise UsageError(f"Stack.pattern has blocks, which {library} has not; accepted: pattern=()")
    widths = [model.layer_input_size(layer) for layer in range(stack.layers)]
    effective = {"norm": stack.norm and stack.layers > 1, "residual": stack.residual and model.width in widths}
    if names := [name for name, is_effective in effective.items() if is_effective]:
        raise UsageError(
            f"{', '.join(f'Stack.{name} is True' for name in names)}; {library}'s layers have no norm or residual "
            f"between them; accepted: {', '.join(f'{name}=False' for name in names)}"
        )


def converted_model(model: Model, params: Params, unused: Iterable[str], without_source: Iterable[str]) -> Converted:
    """The result for a model. `missing` names what `params` lack, and those of them that are `without_source`.

    `UsageError` for an array whose shape differs from that in ``model.init``."""
    expected, given = (_named_shapes(tree) for tree in (model.shapes(), params))
    for name, shape in given.items():
        if shape != expected.get(name):
            raise UsageError(f"{name} has shape {shape} in the source; accepted: {expected.get(name, 'no such array')}")
    missing = (expected.keys() - given.keys()) | set(without_source)
    return Converted(params, tuple(sorted(unused)), tuple(sorted(missing)))


def _named_shapes(tree: Params) -> dict[str, tuple[int, ...]]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="."): np.shape(a) for path, a in leaves}


__all__ = ["check_stack", "converted_model"]
