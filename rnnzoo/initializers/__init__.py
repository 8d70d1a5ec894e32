"""Initial weights, in place of those that a cell or a structure draws by itself."""

from rnnzoo.initializers.base import Initializer
from rnnzoo.initializers.identity_like import IdentityLike
from rnnzoo.initializers.indrnn_uniform import IndRNNUniform
from rnnzoo.initializers.long_memory import LongMemory
from rnnzoo.initializers.orthogonal import Orthogonal
from rnnzoo.initializers.reservoir import Reservoir
from rnnzoo.initializers.s4d import S4D
from rnnzoo.initializers.spectral_radius import SpectralRadius
from rnnzoo.initializers.uniform import Uniform

__all__ = [
    "S4D",
    "IdentityLike",
    "IndRNNUniform",
    "Initializer",
    "LongMemory",
    "Orthogonal",
    "Reservoir",
    "SpectralRadius",
    "Uniform",
]
