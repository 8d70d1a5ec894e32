"""An exported folder, read again: its outputs, and its scores on the data that the model was trained for."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.disk import write_whole
from rnnzoo.export.numpy import load
from rnnzoo.spec import UsageError
from rnnzoo.spec_json import to_json
from rnnzoo.tasks.data import Batch
from rnnzoo.training.config import Config, read_config
from rnnzoo.training.symbols import SYMBOLS, read_symbols

TRAINING = "training.json"
FILES = ("model.onnx", "model.stablehlo", "model.py")
Outputs = Callable[[np.ndarray], np.ndarray]
"""From x (T, B) or (T, B, I) to outputs (T, B, O), or (B, O) of a model that is read at one step."""


def note(folder: Path, config: Config | None, symbols: str | None) -> None:
    """Write beside an exported model what it was trained on, and its characters, for `evaluate` and `sample`."""
    if config is not None:
        write_whole(folder / TRAINING, to_json(config, indent=1) + "\n")
    if symbols is not None:
        write_whole(folder / SYMBOLS, json.dumps(symbols) + "\n")


def exported_file(folder: Path) -> Path | None:
    """The model in an exported folder; None if it is another kind of folder."""
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


def outputs_of(file: Path, trust: bool = False) -> Outputs:
    """The function that an exported file computes.

    Raises:
        UsageError: a model.py, which is code, without `trust`; a package is not installed.
    """
    if file.suffix == ".py":
        return _each_step(_trusted(file, trust))
    if file.suffix == ".stablehlo":
        from jax import export

        called = jax.jit(export.deserialize(bytearray(file.read_bytes())).call)
        return lambda x: np.asarray(called(x))
    try:
        import onnxruntime
    except ImportError:
        raise UsageError("onnxruntime is not installed; accepted: pip install 'rnnzoo[onnx]'") from None
    session: Any = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return lambda x: session.run(["y"], {"x": x})[0]


def next_of(file: Path, trust: bool = False) -> Callable[[int], np.ndarray]:
    """A function from the next token of one text to the outputs (O,) after it. A file that holds no step reads all
    tokens before it again at each call."""
    if file.suffix == ".py":
        module = _trusted(file, trust)
        state = [module.start()]

        def step(token: int) -> np.ndarray:
            y, state[0] = module.step(token, state[0])
            return y

        return step
    outputs, read = outputs_of(file), list[int]()

    def whole(token: int) -> np.ndarray:
        read.append(token)
        return outputs(np.array(read, np.int32)[:, None])[-1, 0]

    return whole


def _trusted(file: Path, trust: bool) -> Any:
    if not trust:
        raise UsageError(
            f"{file} is code, which is not run unasked; accepted: --trust, or the run or model folder that it was "
            "exported from"
        )
    return load(file)


def _each_step(module: Any) -> Outputs:
    """The outputs of all steps, one sequence after the other. Whoever reads one step takes the last."""

    def outputs(x: np.ndarray) -> np.ndarray:
        lanes = []
        for lane in x.swapaxes(0, 1):
            state, ys = module.start(), []
            for x_t in lane:
                y, state = module.step(x_t, state)
                ys.append(y)
            lanes.append(np.stack(ys))
        return np.stack(lanes, 1)

    return outputs


# ---- scores ----------------------------------------------------------------------------------------------


def read_training(folder: Path) -> Config:
    """What the model in an exported folder was trained on."""
    if not (folder / TRAINING).is_file():
        raise UsageError(
            f"{folder} does not say what its model was trained on; accepted: the run or model folder that it was "
            "exported from, or one that rnnzoo export writes today"
        )
    return read_config(folder / TRAINING)


def read_characters(folder: Path) -> str:
    """The characters of the model in an exported folder, by token."""
    if not (folder / SYMBOLS).is_file():
        raise UsageError(f"{folder} has no characters to draw; accepted: the folder of a model of text, with them")
    return read_symbols(folder / SYMBOLS)


def scores_of(config: Config, outputs: Callable[[Batch], Any], batches: Iterable[Batch]) -> dict[str, float]:
    """Name -> score over all the batches, of outputs for each."""
    totals: Any = None
    for batch in batches:
        part = config.task.scores(jnp.asarray(outputs(batch)), batch)
        totals = part if totals is None else jax.tree.map(jnp.add, totals, part)
    means = {name: float(total / count) for name, (total, count) in totals.items()}
    return means | config.task.derived(means)


def outputs_of_batches(file: Path, read: str, trust: bool = False) -> Callable[[Batch], np.ndarray]:
    """The outputs of an exported file for whole batches: sequences of one length together, each as long as it is."""
    outputs = outputs_of(file, trust)

    def batch_outputs(batch: Batch) -> np.ndarray:
        if "resets" in batch:
            raise UsageError(f"{file} takes no resets, which these streams have; accepted: the folder of its run")
        x = np.asarray(batch["x"])
        time, count = x.shape[:2]
        lengths = np.asarray(batch.get("lengths", np.full(count, time)))
        found: Any = None
        for length in np.unique(lengths[lengths > 0]):
            rows = np.flatnonzero(lengths == length)
            ys = outputs(x[:length, rows])
            ys = ys[-1] if read != "each" and ys.ndim == 3 else ys
            if found is None:
                found = np.zeros((time, count, ys.shape[-1]) if ys.ndim == 3 else (count, ys.shape[-1]), np.float32)
            found[(slice(length), rows) if ys.ndim == 3 else rows] = ys
        if found is None or (read != "each" and not lengths.all()):
            raise UsageError(f"a sequence of 0 steps cannot be read from {file}; accepted: sequences of 1 or more")
        return found

    return batch_outputs


def at_most(batches: Iterable[Batch], steps: int) -> Iterator[Batch]:
    """The first batches, until they have so many steps: at least one."""
    done = 0
    for batch in batches:
        yield batch
        done += int(np.prod(np.shape(batch["x"])[:2]))
        if done >= steps:
            return


__all__ = [
    "at_most", "exported_file", "next_of", "note", "outputs_of", "outputs_of_batches", "read_characters",
    "read_training", "scores_of",
]  # fmt: skip
