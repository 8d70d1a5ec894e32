"""Networks with the block layouts of papers, at any size: what `Model` and `Config` take as cell and stack.

>>> import rnnzoo
>>> cell, stack = rnnzoo.models.presets.griffin(width=32, layers=3)
>>> model = rnnzoo.models.Model(cell=cell, stack=stack, input_size=50, output_size=50, tokens=True)

The layouts were held against numbers of the authors' own networks. `tied` says whether the head has the weights of the
embedding, for networks that read and predict tokens.
"""

from collections.abc import Callable

from rnnzoo.models.presets.gated_deltanet import gated_deltanet
from rnnzoo.models.presets.griffin import griffin, hawk
from rnnzoo.models.presets.mamba2 import mamba2
from rnnzoo.models.presets.mingru import mingru
from rnnzoo.models.presets.rwkv7 import rwkv7
from rnnzoo.models.presets.sizes import Preset
from rnnzoo.models.presets.xlstm import xlstm, xlstm_large
from rnnzoo.spec import UsageError, suggest


def presets() -> dict[str, Callable[..., Preset]]:
    """All presets by name."""
    return {f.__name__: f for f in (gated_deltanet, griffin, hawk, mamba2, mingru, rwkv7, xlstm, xlstm_large)}


def preset(name: str) -> Callable[..., Preset]:
    """The preset of that name; case, "-" and "_" do not matter. `UsageError` with the nearest names."""
    known = presets()
    folded = name.lower().replace("-", "_")
    for candidate, function in known.items():
        if candidate.replace("_", "") == folded.replace("_", ""):
            return function
    raise UsageError(f"no preset {name!r}; {suggest(name, known)}")


__all__ = [
    "Preset", "gated_deltanet", "griffin", "hawk", "mamba2", "mingru", "preset", "presets", "rwkv7", "xlstm",
    "xlstm_large",
]  # fmt: skip
