"""Weights from and to other libraries: torch, Flax Linen and NNX, Keras, Haiku, and the code of some papers' authors.
None of them needs to be installed.

Every ``from_...`` returns a `Converted`: our parameters, the keys of the source that were not used, and the parameters
that the source has no weights for. A conversion is exact, or refused with the reason.

>>> import numpy as np
>>> from rnnzoo import cells, convert
>>> source = {"rnn.weight_ih_l0": np.ones((8, 3)), "rnn.weight_hh_l0": np.eye(8), "out.weight": np.ones((2, 8))}
>>> found = convert.from_torch(cells.Elman(hidden_size=8), source)
>>> found.params["w"]["h"].shape, found.unused
((8, 3), ('out.weight',))
"""

from rnnzoo.convert.authors import from_mingru, from_pararnn
from rnnzoo.convert.flax import from_flax, to_linen, to_nnx
from rnnzoo.convert.gates import Converted
from rnnzoo.convert.haiku import from_haiku, to_haiku
from rnnzoo.convert.keras import from_keras, to_keras
from rnnzoo.convert.networks import from_recurrentgemma, from_xlstm, from_xlstm_large
from rnnzoo.convert.torch import from_torch, to_torch

__all__ = [
    "Converted",
    "from_flax",
    "from_haiku",
    "from_keras",
    "from_mingru",
    "from_pararnn",
    "from_recurrentgemma",
    "from_torch",
    "from_xlstm",
    "from_xlstm_large",
    "to_haiku",
    "to_keras",
    "to_linen",
    "to_nnx",
    "to_torch",
]
