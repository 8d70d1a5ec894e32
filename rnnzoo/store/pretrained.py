"""Models that come with the package: model folders under rnnzoo/pretrained, each with a card.json."""

import dataclasses
import fnmatch
from pathlib import Path
from typing import Any

import jax

from rnnzoo.disk import read_json
from rnnzoo.spec import UsageError, suggest
from rnnzoo.store.model_folder import Trained, load_model

FOLDER = Path(__file__).parents[1] / "pretrained"
CARD = "card.json"
FIELDS = ("what", "metric", "seeds", "command", "data", "licence")
"""What a card says: what the model does; its metric, with the range over seeds; how many seeds; the command that
trained it; the data; and their licence with its attribution."""


def pretrained() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{CARD}"))


def load_pretrained(name: str) -> Trained:
    """A model that comes with the package: ``.model``, ``.params``, ``.config`` (how it was trained), ``.scores``.

    Larger ones are stored in bfloat16; the parameters are returned in the model's own dtypes, float32.

    Args:
        name: one of ``python -m rnnzoo list pretrained``.

    Raises:
        UsageError (a ValueError): there is no model of that name; the message has the nearest ones.
    """
    trained = load_model(folder_of(name))
    params = jax.tree.map(lambda a, like: a.astype(like.dtype), trained.params, trained.model.shapes())
    return dataclasses.replace(trained, params=params)


def folder_of(name: str) -> Path:
    """The model folder of that name."""
    if name not in (names := pretrained()):
        raise UsageError(f"no pretrained model {name!r}; {suggest(str(name), names)}")
    return FOLDER / name


def card(name: str) -> dict[str, Any]:
    """What the card of a model says."""
    found = read_json(folder_of(name) / CARD)
    if missing := [field for field in FIELDS if field not in found]:
        raise UsageError(f"{folder_of(name) / CARD} lacks {missing[0]!r}")
    return found


def rows(pattern: str = "*") -> list[dict[str, str]]:
    """One row for each model whose name matches the pattern."""
    names = [name for name in pretrained() if fnmatch.fnmatch(name, pattern.lower())]
    return [
        {"name": name} | {field: str(card(name)[field]) for field in ("what", "metric", "licence")} for name in names
    ]


__all__ = ["card", "folder_of", "load_pretrained", "pretrained", "rows"]
