"""What every conversion of a whole `Model` checks: that the other library's layers compute it, and every shape."""

from collections.abc import Iterable

import jax
import numpy as np

from rnnzoo.convert.gates import Converted
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.typing import Params


def check_stack(model: Model, library: str) -> None:
    """`UsageError` if layers of another library, one upon the other, compute something else than the model's."""
    stack = model.stack
    widths = [model.layer_input_size(layer) for layer in range(stack.layers)]
    acts = {"norm": stack.norm and stack.layers > 1, "residual": stack.residual and model.width in widths}
    if on := [name for name, found in acts.items() if found]:
        raise UsageError(
            f"{', '.join(f'Stack.{name} is True' for name in on)}; {library}'s layers have no norm or residual between "
            f"them; accepted: {', '.join(f'{name}=False' for name in on)}"
        )


def complete(model: Model, found: Params, unused: Iterable[str], zeroed: Iterable[str]) -> Converted:
    """`found`, with the names of the parameters that it lacks and those `zeroed`, which are there without a source.

    `UsageError` for one of another shape than the model's own."""
    wanted, have = (_shapes(tree) for tree in (jax.eval_shape(lambda: model.init(jax.random.key(0))), found))
    for name, shape in have.items():
        if shape != wanted.get(name):
            raise UsageError(f"{name} has shape {shape} in the source; accepted: {wanted.get(name, 'no such array')}")
    missing = (wanted.keys() - have.keys()) | set(zeroed)
    return Converted(found, tuple(sorted(unused)), tuple(sorted(missing)))


def _shapes(tree: Params) -> dict[str, tuple[int, ...]]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="."): np.shape(a) for path, a in leaves}


__all__ = ["check_stack", "complete"]
