"""A trained model as a folder to exchange: model.safetensors, config.json, README.md, and no code."""

import dataclasses
import json
import os
import secrets
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.counts import num_params
from rnnzoo.disk import write_whole
from rnnzoo.models import Model
from rnnzoo.notebook import tree
from rnnzoo.shown import changed
from rnnzoo.spec import UnknownMember, UsageError
from rnnzoo.spec_json import to_dict, to_json
from rnnzoo.store import safetensors
from rnnzoo.store.checks import check_arrays, check_finite, checked_scores, named
from rnnzoo.store.files import (
    FORMAT,
    LARGEST,
    LISTED,
    TRAINING,
    WEIGHTS,
    check_content,
    check_size,
    plain_file,
    read_index,
    sealed,
    size_and_checksum,
    small_text,
)
from rnnzoo.training.config import Config, read_config
from rnnzoo.training.definitions import (
    DEFINITIONS,
    check_definitions,
    definitions,
    read_specification,
    to_text,
)
from rnnzoo.training.description import network_in_words
from rnnzoo.training.results import versions
from rnnzoo.training.symbols import SYMBOLS, check_symbols, read_symbols
from rnnzoo.typing import Params, PyTree


@dataclasses.dataclass(frozen=True)
class Trained:
    """A model with its parameters and their origin."""

    model: Model
    params: Params
    config: Config | None = None
    """The training run, if it is known."""
    scores: dict[str, float] = dataclasses.field(default_factory=dict)
    """The scores on the task's test set, if they are known."""
    symbols: str | None = None
    """The characters by token, for a model that reads and predicts text."""
    no_config: str = ""
    """Why `config` is None although the folder has a training.json: it names members that are not defined here."""

    def __repr__(self) -> str:
        scores = "".join(f"; {name} {value:.4g}" for name, value in self.scores.items())
        return f"Trained({network_in_words(self.model)}; {num_params(self.model):,} parameters{scores})"

    def __treescope_repr__(self, path: str | None, subtree_renderer: Any) -> Any:
        return tree(self, changed(self), path, subtree_renderer, is_call=True)


def save_model(
    path: str | Path,
    model: Model,
    params: PyTree,
    *,
    config: Config | None = None,
    scores: dict[str, float] | None = None,
    symbols: str | None = None,
) -> None:
    """Write a model folder. It appears complete or not at all, and replaces nothing.

    Args:
        path: the folder to write: a new name, or an empty folder.
        model: the network.
        params: its parameters.
        config: the training run, for the card and for training.json, which ``rnnzoo train --config`` takes.
        scores: scores on the test set, for the card.
        symbols: the characters by token, for symbols.json. None takes those of the config's task, "" none.

    Raises:
        UsageError (a ValueError): the path holds something; the parameters do not fit the model or are not finite; the
            symbols are not the model's.
    """
    path = Path(path)
    if path.is_symlink() or (path.exists() and not (path.is_dir() and not any(path.iterdir()))):
        raise UsageError(f"{path} exists and is not overwritten; accepted: a new name, or an empty folder")
    if path.exists() and path.samefile("."):  # it would be gone under whoever is in it
        raise UsageError(f"{path} is the current folder, which cannot be replaced; accepted: a new name in it")
    arrays = {name: np.asarray(a) for name, a in named(params).items()}
    check_arrays(model, arrays, "params")
    check_finite(arrays, "params")
    scores = checked_scores(scores or {}, "save_model")
    if symbols is None and config is not None:
        symbols = config.task.open().symbols
    check_symbols(model, symbols or None, "symbols")
    try:
        _write_whole(path, Trained(model, params, config, scores, symbols or None), arrays)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error}") from None


def load_model(path: str | Path, *, warn: Callable[[str], None] = warnings.warn) -> Trained:
    """Read a model folder. Nothing in it is executed; sizes and checksums must be those in config.json.

    A cell or structure of your own must have been defined before. A task of your own need not be: without it,
    `Trained.config` is None, and `Trained.no_config` says why.

    Args:
        path: the folder.
        warn: takes a message for each member whose definition has changed since the folder was written.

    Raises:
        UsageError (a ValueError): a file is missing, too large, changed, or outside the folder; the arrays do not fit
            the model; the model has members that are not defined here."""
    path = Path(path)
    facts = read_index(path)
    model = read_specification(json.dumps(facts.get("model")), path / "config.json")
    if not isinstance(model, Model):
        raise UsageError(f"config.json of {path} describes no Model")
    scores = checked_scores(facts.get("scores", {}), f"config.json of {path}")
    for name, expected in facts["files"].items():
        check_size(path, name, expected)
    largest = LARGEST | {WEIGHTS: _largest_weights(model, path)}
    for name, expected in facts["files"].items():
        check_content(path, name, expected, largest[name])
    config, no_config = _training(path) if TRAINING in facts["files"] else (None, "")
    if DEFINITIONS in facts["files"]:
        check_definitions(path, warn)
    symbols = read_symbols(path / SYMBOLS) if SYMBOLS in facts["files"] else None  # older folders lack it
    check_symbols(model, symbols, str(path / SYMBOLS))
    arrays = safetensors.read(path / WEIGHTS)
    numbers = sum(a.size for a in arrays.values())
    if model.stack.layers > len(arrays) or _largest_cell(model) > numbers:  # before arrays of that size are made
        raise UsageError(f"{path / WEIGHTS} is too small for the model of config.json: {numbers} numbers")
    like = check_arrays(model, arrays, str(path / WEIGHTS))
    with np.errstate(over="ignore"):  # float64 may overflow to infinity in float32
        leaves = {name: jnp.asarray(arrays[name]) for name in named(like)}
    check_finite(leaves, str(path / WEIGHTS))
    params = jax.tree.unflatten(jax.tree.structure(like), list(leaves.values()))
    return Trained(model, params, config, scores, symbols, no_config)


def _largest_weights(model: Model, path: Path) -> int:
    """The most bytes that the weights of a model take: 64-bit numbers, each array with a name, and metadata."""
    size = plain_file(path, WEIGHTS).stat().st_size
    if 2 * _largest_cell(model) > size or 8 * model.stack.layers > size:  # before shapes of that size are computed
        raise UsageError(f"{path / WEIGHTS} is too small for the model of config.json: {size} bytes")
    leaves = named(model.shapes())
    return sum(16 * leaf.size + len(name) + 1024 for name, leaf in leaves.items()) + 2**20


def _largest_cell(model: Model) -> int:
    """The most hidden units, or outputs of an attention."""
    own = [block.cell for block in model.stack.pattern if block.cell is not None]
    return max(cell.hidden_size if isinstance(cell, Cell) else cell.output_size for cell in (model.cell, *own))


def _training(path: Path) -> tuple[Config | None, str]:
    """The configuration in training.json; or None and the reason, if a member in it is not defined here."""
    small_text(path, TRAINING)
    try:
        return read_config(path / TRAINING), ""
    except UnknownMember as error:
        return None, str(error)


# ---- writing ---------------------------------------------------------------------------------------------


def _write_whole(path: Path, trained: Trained, arrays: dict[str, np.ndarray]) -> None:
    """Write the folder under a temporary name, and rename it once it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    temporary.mkdir()  # fails if it exists: what is removed below must be ours
    try:
        _fill(temporary, trained, arrays)
        os.replace(temporary, path)  # fails if another process has written there meanwhile
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill(folder: Path, trained: Trained, arrays: dict[str, np.ndarray]) -> None:
    safetensors.write(folder / WEIGHTS, arrays, {"format": "rnnzoo"})
    if trained.config is not None:
        write_whole(folder / TRAINING, to_json(trained.config, indent=1) + "\n")
    if own := definitions(trained.model, trained.config):
        write_whole(folder / DEFINITIONS, to_text(own))
    if trained.symbols is not None:
        write_whole(folder / SYMBOLS, json.dumps(trained.symbols) + "\n")
    files = {name: size_and_checksum(folder / name) for name in LISTED if (folder / name).exists()}
    facts = {
        "format": FORMAT,
        "model": to_dict(trained.model),
        "files": files,
        "scores": trained.scores,
        "versions": versions(),
    }
    text = json.dumps(sealed(facts), indent=1, allow_nan=False)
    write_whole(folder / "config.json", text + "\n")
    write_whole(folder / "README.md", _card(trained, facts["versions"]))
    for file in folder.iterdir():
        with file.open("rb") as opened:
            os.fsync(opened.fileno())


def _card(trained: Trained, versions: dict[str, str]) -> str:
    """The model card, with the front matter that hubs read."""
    model, config = trained.model, trained.config
    lines = ["---", "library_name: rnnzoo", "tags: [jax, recurrent-neural-network]", "---", ""]
    lines += [f"# {type(model.cell).__name__}, {model.cell.hidden_size} units", "", f"    {model.cell}", ""]
    lines += [f"- block {n}: {block}" for n, block in enumerate(model.stack.pattern)] + [""] * bool(model.stack.pattern)
    lines += [f"Layers: {model.stack.layers}. Inputs: {model.input_size}. Outputs: {model.output_size}.", ""]
    if own := definitions(model, config):
        files = ", ".join(f"`{name}` ({Path(of['source']).name or 'a notebook'})" for name, of in own.items())
        lines += [f"Needs code that is not part of rnnzoo: {files}. Pass it with `--import FILE.py`.", ""]
    if config is not None:
        lines += [f"Task: `{config.task}`", "", f"    python -m rnnzoo train --config {TRAINING}", ""]
    lines += [f"- {name} on the test set: {value:.4f}" for name, value in trained.scores.items()]
    lines += ["", "Load it with `rnnzoo.load_model(folder)`. Made with " + _list(versions) + ".", ""]
    return "\n".join(lines)


def _list(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


__all__ = ["Trained", "load_model", "save_model"]
