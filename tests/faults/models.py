"""Model folders damaged as run folders are: what is loaded from them afterwards."""

import dataclasses
import random
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import jax
import numpy as np

from rnnzoo import cells, structures, tasks
from rnnzoo.models import Model, Stack
from rnnzoo.store.model_folder import Trained, load_model, save_model
from rnnzoo.training.config import Config

from .damage import damage
from .tally import SAME, SILENT, Tally, outcome_of

SYMBOLS = "\n abcdefghij\u00e9\u4e2d"
PLAIN = Model(
    cell=cells.GRU(hidden_size=4, structure=structures.Diagonal()),
    input_size=3,
    output_size=2,
    stack=Stack(layers=2, norm=True, dropout=0.25),
)
TEXT = Model(
    cell=cells.LSTM(hidden_size=5), input_size=len(SYMBOLS) + 1, output_size=len(SYMBOLS) + 1, tokens=True
)  # fmt: skip


def some_params(model: Model) -> dict:
    """Parameters of which no two are equal, so that none can stand for another."""
    leaves, tree = jax.tree.flatten(model.shapes())
    numbers = np.random.default_rng(1)
    return jax.tree.unflatten(tree, [numbers.normal(size=a.shape).astype(a.dtype) for a in leaves])


def save_all(folder: Path) -> None:
    """Two models as users save them: one by hand with its scores, and one of a run on text."""
    save_model(folder / "plain", PLAIN, some_params(PLAIN), scores={"accuracy": 0.5, "loss": 1.25})
    config = Config(task=tasks.CharLM(length=8), cell=cells.LSTM(hidden_size=5), steps=100, lr=0.02)
    save_model(folder / "text", TEXT, some_params(TEXT), config=config, symbols=SYMBOLS)


def is_same(found: Trained, expected: Trained) -> bool:
    """Whether two models are one in all that load_model returns: to the last bit of every parameter."""
    if dataclasses.replace(found, params=None) != dataclasses.replace(expected, params=None):
        return False
    if jax.tree.structure(found.params) != jax.tree.structure(expected.params):
        return False
    pairs = zip(jax.tree.leaves(found.params), jax.tree.leaves(expected.params), strict=True)
    return all(a.dtype == b.dtype and np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs)


def read(folder: Path, expected: Trained) -> str:
    """What loading makes of a folder. Its README.md is for people: load_model reads nothing of it."""
    return SAME if is_same(load_model(folder, warn=lambda text: None), expected) else SILENT


def damaged_models(count: int, seed: int) -> Tally:
    """`count` damaged copies of two model folders that lie side by side, so that files are swapped between them too.
    Counted: the reading of the folder that was damaged, and of the other one where both were."""
    tally, rng = Tally("a file of a model folder damaged: loaded"), random.Random(seed)
    with TemporaryDirectory() as name:
        sound, copy = Path(name) / "sound", Path(name) / "copy"
        save_all(sound)
        expected = {name: load_model(sound / name) for name in ("plain", "text")}
        for _ in range(count):
            shutil.copytree(sound, copy)
            what = damage(rng, copy)
            for name in expected:
                if name in what:
                    outcome, error = outcome_of(lambda name=name: read(copy / name, expected[name]))
                    tally.add(outcome, f"{name}, {what}; {error}")
            shutil.rmtree(copy)
        _plant(tally, sound, expected["plain"])
    return tally


def _plant(tally: Tally, sound: Path, expected: Trained) -> None:
    """Readings that are wrong in one bit, in the specification, and in the scores."""
    bit = jax.tree.map(np.array, expected.params)
    first = jax.tree.leaves(bit)[0]
    first.view(np.uint8)[..., 0] ^= 1
    others = ({"params": bit}, {"model": TEXT}, {"scores": {"accuracy": 0.25}}, {"symbols": "a"})
    for other in others:
        tally.control(read(sound / "plain", dataclasses.replace(expected, **other)) == SILENT)


__all__ = ["PLAIN", "SYMBOLS", "damaged_models", "is_same", "save_all", "some_params"]
