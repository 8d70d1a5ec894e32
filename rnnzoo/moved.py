"""Old import paths: they lead to where the modules are now, with a DeprecationWarning, for one release."""

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType

MOVED = {
    "rnnzoo.advance": "rnnzoo.unrolls.base",
    "rnnzoo.catalogue": "rnnzoo.analysis.members",
    "rnnzoo.checkpoint": "rnnzoo.training.run_folder",
    "rnnzoo.convergence": "rnnzoo.analysis.convergence",
    "rnnzoo.devices": "rnnzoo.training.devices",
    "rnnzoo.facts": "rnnzoo.cells.base",
    "rnnzoo.faces": "rnnzoo.flax_conventions",
    "rnnzoo.grow": "rnnzoo.structures.nearest",
    "rnnzoo.hub": "rnnzoo.store.hub",
    "rnnzoo.job": "rnnzoo.training.job",
    "rnnzoo.layer": "rnnzoo.unrolls.base",
    "rnnzoo.linear": "rnnzoo.analysis.coordinates",
    "rnnzoo.memory": "rnnzoo.training.memory",
    "rnnzoo.model_folder": "rnnzoo.store.model_folder",
    "rnnzoo.noise": "rnnzoo.cells.noise",
    "rnnzoo.patterns": "rnnzoo.structures.patterns",
    "rnnzoo.pictures": "rnnzoo.analysis.matrices",
    "rnnzoo.portrait": "rnnzoo.analysis.run_picture",
    "rnnzoo.registry": "rnnzoo.spec",
    "rnnzoo.symbols": "rnnzoo.training.symbols",
    "rnnzoo.tasks.adding": "rnnzoo.tasks.synthetic.adding",
    "rnnzoo.tasks.binary_addition": "rnnzoo.tasks.synthetic.binary_addition",
    "rnnzoo.tasks.char_lm": "rnnzoo.tasks.text.char_lm",
    "rnnzoo.tasks.copy_memory": "rnnzoo.tasks.synthetic.copy_memory",
    "rnnzoo.tasks.corpus": "rnnzoo.tasks.text.corpus",
    "rnnzoo.tasks.delayed_recall": "rnnzoo.tasks.synthetic.delayed_recall",
    "rnnzoo.tasks.digits": "rnnzoo.tasks.classification.digits",
    "rnnzoo.tasks.ngrams": "rnnzoo.tasks.text.ngrams",
    "rnnzoo.tasks.parity": "rnnzoo.tasks.synthetic.parity",
    "rnnzoo.tensors": "rnnzoo.store.safetensors",
    "rnnzoo.warm_start": "rnnzoo.training.warm_start",
    "rnnzoo.weights": "rnnzoo.store.checks",
}


class _Moved(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Asked last, so only for modules that are not where they are looked for."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name in MOVED:
            return importlib.machinery.ModuleSpec(name, self)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """An alias: the module itself, under its old name as well."""
        warnings.warn(
            f"{spec.name} is now {MOVED[spec.name]}; the old path goes in the next release",
            DeprecationWarning,
            stacklevel=2,
        )
        module = importlib.import_module(MOVED[spec.name])
        self._own = module.__spec__, module.__loader__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run. The import system has marked the module as the alias's: undo that."""
        module.__spec__, module.__loader__ = self._own


def install() -> None:
    """Let the import system find modules under their old paths."""
    if not any(isinstance(finder, _Moved) for finder in sys.meta_path):
        sys.meta_path.append(_Moved())
