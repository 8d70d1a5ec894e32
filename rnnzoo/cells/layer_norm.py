"""What cells with layer normalisation share."""

from collections.abc import Mapping

import jax.numpy as jnp

from rnnzoo.typing import Array, Float


def standardized(v: Float[Array, " N"], epsilon: float) -> Float[Array, " N"]:
    """(v - mean) / sqrt(variance + epsilon), computed in float32 or wider."""
    wide = v.astype(jnp.promote_types(v.dtype, jnp.float32))
    centred = wide - wide.mean()
    return (centred / jnp.sqrt((centred**2).mean() + epsilon)).astype(v.dtype)


def standardized_together(vs: Mapping[str, Array], epsilon: float) -> dict[str, Array]:
    """The same for vectors (H,) with one mean and one variance for all, as for one long vector."""
    parts = jnp.split(standardized(jnp.concatenate(list(vs.values())), epsilon), len(vs))
    return dict(zip(vs, parts, strict=True))


__all__ = ["standardized", "standardized_together"]
