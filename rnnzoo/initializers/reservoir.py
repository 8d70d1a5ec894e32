"""A fixed sparse random reservoir: the echo state network (Jaeger 2001, GMD report 148)."""

from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.initializers.base import Initializer
from rnnzoo.initializers.spectral_radius import refuses_scaling
from rnnzoo.spec import Positive, Range, Seed, UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.nearest import nearest_member
from rnnzoo.typing import Array, Key, PyTree


@spec
class Reservoir(Initializer):
    """Each entry of U differs from 0 with probability `density`, then is uniform in (-1, 1), all scaled to a spectral
    radius. A structure that does not contain such a matrix gets the nearest one that it contains, scaled in the same
    way. Input weights are uniform in (-1, 1). Drawn from `seed` alone, so that every run, gate and layer has the same
    reservoir. The report trains the output weights only; this initializer does not keep U from learning."""

    examples = ("Banded", "Ring", "SparseMask", "Dense")

    seed: Seed = 0
    """The seed of the reservoir; the seed of the run has no effect on it."""
    density: Annotated[float, Range(low=1e-3, high=1)] = 0.1
    """The probability that a unit hears another."""
    radius: Positive = 0.9
    """Spectral radius of U: the report's echo states need less than 1."""

    def refuses(self, structure: Structure, size: int) -> str | None:
        return refuses_scaling(structure, size)

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        return jax.random.uniform(jax.random.key(self.seed), shape, minval=-1.0, maxval=1.0)

    def matrix(self, key: Key, structure: Structure, size: int) -> PyTree:
        self.require(structure, size)
        for attempt in range(100):  # among few units there may be no cycle
            rng = np.random.default_rng((self.seed, attempt))
            dense = rng.uniform(-1, 1, (size, size)) * (rng.random((size, size)) < self.density)
            with jax.ensure_compile_time_eval():
                u = nearest_member(structure, jnp.asarray(dense, jnp.float32))
                radius = np.abs(np.linalg.eigvals(np.asarray(structure.matrix(u, size), float))).max()
                if radius > 1e-3:
                    return jax.tree.map(lambda a, c=self.radius / radius: a * float(c), u)
        raise UsageError(f"{self} leaves {structure} of hidden_size {size} no cycle; accepted: a larger density")
