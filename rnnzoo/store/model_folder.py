"""A trained model as a folder that people exchange: model.safetensors, config.json, README.md. No code in any of it."""

import dataclasses
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.models import Model
from rnnzoo.spec import UsageError, from_json, to_dict, to_json
from rnnzoo.store import safetensors
from rnnzoo.store.checks import check_arrays, check_finite, checked_scores, named
from rnnzoo.training.config import Config, read_text
from rnnzoo.training.results import known_scores, versions
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.symbols import SYMBOLS, check_symbols, read_symbols
from rnnzoo.training.warm_start import stored_state
from rnnzoo.typing import Params

FORMAT = 1
WEIGHTS, TRAINING = "model.safetensors", "training.json"
LISTED = (WEIGHTS, TRAINING, SYMBOLS)  # in config.json, with size and checksum
LARGEST_CONFIG = 2**20  # bytes


@dataclasses.dataclass(frozen=True)
class Trained:
    """A model with its parameters, and where they come from."""

    model: Model
    params: Params
    config: Config | None = None
    """The training run, if it is known."""
    scores: dict[str, float] = dataclasses.field(default_factory=dict)
    """The scores on the task's test set, if they are known."""
    symbols: str | None = None
    """The characters by token, of a model that reads and predicts text."""


def save_model(
    path: str | Path,
    model: Model,
    params: Params,
    *,
    config: Config | None = None,
    scores: dict[str, float] | None = None,
    symbols: str | None = None,
) -> None:
    """Write a model folder. It appears as a whole or not at all, and replaces nothing.

    Args:
        path: a name that is free, or an empty folder.
        model: what computes.
        params: its parameters.
        config: the training run, for the card and as training.json, which ``rnnzoo train --config`` takes.
        scores: the scores on the test set, for the card.
        symbols: the characters by token, as symbols.json; None: those of the config's task, "": none are known.

    Raises:
        UsageError (a ValueError): a path that holds something; parameters that do not fit the model or are not finite;
            symbols that are not the model's.
    """
    path = Path(path)
    if path.is_symlink() or (path.exists() and not (path.is_dir() and not any(path.iterdir()))):
        raise UsageError(f"{path} is there already and is not overwritten; accepted: a free name, or an empty folder")
    if path.exists() and path.samefile("."):  # whoever is in it would be left in a folder that is gone
        raise UsageError(f"{path} is the current folder, which cannot be replaced; accepted: a name in it")
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


def load_model(path: str | Path) -> Trained:
    """Read a model folder, without executing anything; sizes and checksums must be those in config.json.

    Raises:
        UsageError (a ValueError): a file that is missing, too large, changed, outside of the folder, or that does not
            fit the model."""
    path, config = Path(path), None
    facts = _config(path)
    model = from_json(json.dumps(facts.get("model")))
    if not isinstance(model, Model):
        raise UsageError(f"config.json of {path} describes no Model")
    scores = checked_scores(facts.get("scores", {}), f"config.json of {path}")
    for name, expected in facts["files"].items():
        _check_file(path, name, expected)
    if TRAINING in facts["files"]:
        config = from_json(_small(path, TRAINING))
        if not isinstance(config, Config):
            raise UsageError(f"{path / TRAINING} is no configuration of a training run")
    symbols = read_symbols(path / SYMBOLS) if SYMBOLS in facts["files"] else None  # older folders have none
    check_symbols(model, symbols, str(path / SYMBOLS))
    arrays = safetensors.read(path / WEIGHTS)
    numbers = sum(a.size for a in arrays.values())
    if model.stack.layers > len(arrays) or model.cell.hidden_size > numbers:  # before anything of that size is made
        raise UsageError(f"{path / WEIGHTS} is too small for the model of config.json: {numbers} numbers")
    like = check_arrays(model, arrays, str(path / WEIGHTS))
    with np.errstate(over="ignore"):  # float64 may become float32, and infinite
        leaves = {name: jnp.asarray(arrays[name]) for name in named(like)}
    check_finite(leaves, str(path / WEIGHTS))
    params = jax.tree.unflatten(jax.tree.structure(like), list(leaves.values()))
    return Trained(model, params, config, scores, symbols)


def trained_run(path: Path, which: str, seed: int, warn: Callable[[str], None]) -> Trained:
    """The model of a training run's checkpoint, the "last" or the "best", of its seed number `seed` from 0; or the
    model in a model folder."""
    if (path / WEIGHTS).exists():
        return load_model(path)
    folder = RunFolder(path)
    config = folder.config()
    if not 0 <= seed < config.seeds:
        raise UsageError(f"--seed is {seed}; accepted: 0 to {config.seeds - 1}, the seeds of the run in {path}")
    data = config.task.open()
    folder.check_data(config.task, data)  # they say what the model's inputs mean
    model = config.network(data)
    step, state = stored_state(folder, config, model, which, warn)
    scores = {name: values[seed] for name, values in known_scores(folder, step).items()}
    return Trained(model, jax.tree.map(lambda a: a[seed], state["params"]), config, scores, data.symbols)


# ---- writing ---------------------------------------------------------------------------------------------


def _write_whole(path: Path, trained: Trained, arrays: dict[str, np.ndarray]) -> None:
    """Write the folder under another name, and rename it once it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    temporary.mkdir()  # fails if it is there, so that what is removed below is ours
    try:
        _fill(temporary, trained, arrays)
        os.replace(temporary, path)  # fails if another process has put something there in the meantime
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill(folder: Path, trained: Trained, arrays: dict[str, np.ndarray]) -> None:
    safetensors.write(folder / WEIGHTS, arrays, {"format": "rnnzoo"})
    if trained.config is not None:
        (folder / TRAINING).write_text(to_json(trained.config, indent=1) + "\n", encoding="utf-8")
    if trained.symbols is not None:
        (folder / SYMBOLS).write_text(json.dumps(trained.symbols) + "\n", encoding="utf-8")
    files = {name: _facts(folder / name) for name in LISTED if (folder / name).exists()}
    facts = {
        "format": FORMAT,
        "model": to_dict(trained.model),
        "files": files,
        "scores": trained.scores,
        "versions": versions(),
    }
    text = json.dumps(facts, indent=1, allow_nan=False)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_card(trained, facts["versions"]), encoding="utf-8")
    for file in folder.iterdir():
        with file.open("rb") as opened:
            os.fsync(opened.fileno())


def _facts(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        return {"bytes": file.stat().st_size, "sha256": hashlib.file_digest(opened, "sha256").hexdigest()}


def _card(trained: Trained, versions: dict[str, str]) -> str:
    """The model card, with the front matter that model hubs read."""
    model, config = trained.model, trained.config
    lines = ["---", "library_name: rnnzoo", "tags: [jax, recurrent-neural-network]", "---", ""]
    lines += [f"# {type(model.cell).__name__}, {model.cell.hidden_size} units", "", f"    {model.cell}", ""]
    lines += [f"Layers: {model.stack.layers}. Inputs: {model.input_size}. Outputs: {model.output_size}.", ""]
    if config is not None:
        lines += [f"Task: `{config.task}`", "", f"    python -m rnnzoo train --config {TRAINING}", ""]
    lines += [f"- {name} on the test set: {value:.4f}" for name, value in trained.scores.items()]
    lines += ["", "Load it with `rnnzoo.load_model(folder)`. Made with " + _list(versions) + ".", ""]
    return "\n".join(lines)


def _list(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


# ---- reading ---------------------------------------------------------------------------------------------


def _config(path: Path) -> dict[str, Any]:
    file = path / "config.json"
    text = _small(path, "config.json")
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no JSON: {error}") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        found = facts.get("format") if isinstance(facts, dict) else facts
        raise UsageError(f'{file} is no config.json of a model folder: "format" is {found!r}; accepted: {FORMAT}')
    files = facts.get("files")
    names = set(files) if isinstance(files, dict) else set()
    if WEIGHTS not in names or not names <= set(LISTED):
        optional = " and ".join(LISTED[1:])
        raise UsageError(f'{file} has "files": {sorted(names)}; accepted: {WEIGHTS} and, if you like, {optional}')
    return facts


def _small(path: Path, name: str) -> str:
    """The text of a file of moderate size."""
    file = _inside(path, name)
    if file.stat().st_size > LARGEST_CONFIG:
        raise UsageError(f"{file} has {file.stat().st_size} bytes; accepted: up to {LARGEST_CONFIG}")
    return read_text(file)


def _inside(path: Path, name: str) -> Path:
    """A regular file that lies in the folder itself."""
    if not path.is_dir():
        raise UsageError(f"no model folder {str(path)!r}")
    file = path / name
    if file.is_symlink() or not file.is_file():
        raise UsageError(f"{file} is missing, or no plain file of the folder; accepted: a model folder")
    return file


def _check_file(path: Path, name: str, expected: Any) -> None:
    file = _inside(path, name)
    size = expected.get("bytes") if isinstance(expected, dict) else None
    if file.stat().st_size != size:
        raise UsageError(f"{file} has {file.stat().st_size} bytes, and config.json says {size}: it is damaged")
    if _facts(file)["sha256"] != expected.get("sha256"):
        raise UsageError(f"{file} is not what config.json says (SHA-256): it is damaged or has been changed")


__all__ = ["Trained", "load_model", "save_model", "trained_run"]
