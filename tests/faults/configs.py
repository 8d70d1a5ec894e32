"""Configurations with something wrong in them, as JSON and in Python: refused by name, or exactly what was written."""

import dataclasses
import decimal
import fractions
import json
import math
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np

from rnnzoo import cells, structures, tasks, unrolls
from rnnzoo.cells.base import Cell
from rnnzoo.models import Stack
from rnnzoo.spec import Spec
from rnnzoo.spec_json import from_json, to_dict, to_json
from rnnzoo.store.model_folder import load_model
from rnnzoo.tasks.base import Task
from rnnzoo.training.begun import begin
from rnnzoo.training.config import Config, load_config
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.unrolls.base import Unroll

from .crafted import edit
from .models import save_all
from .tally import REFUSED, SAME, SILENT, Tally, outcome_of

sys.path.append(str(Path(__file__).parents[1]))  # of which pytest makes the top, and python -m tests.faults does not
from mutated_specifications import HOW, STRANGE, examples, mutated, places

LONGEST = 3000  # characters of a message
CONFIG = Config(task=tasks.CharLM(length=8), cell=cells.GRU(hidden_size=4, structure=structures.Diagonal()), lr=0.125)


# ---- what is right, said again ---------------------------------------------------------------------------


def _size(low: int, high: int = 2**31 - 1) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(low: float, high: float = sys.float_info.max, is_open: bool = False) -> Callable[[Any], bool]:
    return lambda v: type(v) is float and math.isfinite(v) and (low < v if is_open else low <= v) and v <= high


def _one_of(*names: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in names


def _a(cls: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, cls)


BOUNDS: dict[type, dict[str, Callable[[Any], bool]]] = {
    Config: {
        "task": _a(Task), "cell": _a(Cell), "model": _a(Stack), "unroll": _a(Unroll), "stream": _a(bool),
        "init_from": _a(str), "optimizer": _one_of("sgd", "adam", "adamw", "rmsprop"),
        "schedule": _one_of("constant", "linear", "cosine"), "devices": _one_of("all", "one"),
        "lr": _number(0, is_open=True), "momentum": _number(0, 1), "weight_decay": _number(0), "clip": _number(0),
        "clip_recurrent": _number(0), "warmup": _size(0), "batch_size": _size(1), "steps": _size(1),
        "log_every": _size(1), "eval_every": _size(1), "seeds": _size(1), "seed": _size(0, 2**32 - 1),
    },
    Stack: {
        "layers": _size(1, 1024), "embedding_size": _size(0), "residual": _a(bool), "norm": _a(bool),
        "head_bias": _a(bool), "dropout": _number(0, 1), "bidirectional": _a(bool),
    },
}  # fmt: skip


def wrong_in(value: Any, where: str = "") -> str | None:
    """The first value in a specification that is out of its bounds, or that no field may hold."""
    if isinstance(value, Spec):
        for name in (f.name for f in dataclasses.fields(value)):  # pyright: ignore[reportArgumentType]
            part, place = getattr(value, name), f"{where}{type(value).__name__}.{name}"
            if not BOUNDS.get(type(value), {}).get(name, lambda part: True)(part):
                return place
            if wrong := wrong_in(part, place + " "):
                return wrong
        return None
    if isinstance(value, tuple):
        return next(filter(None, (wrong_in(part, f"{where}[]") for part in value)), None)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return None
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**63 else where
    return None if isinstance(value, float) and math.isfinite(value) else where


def is_as_written(found: Any, written: Any) -> bool:
    """Whether a reading has each value of the JSON that was written; what is not written there has its default."""
    if isinstance(written, dict):
        if not isinstance(found, dict) or not written.keys() <= found.keys():
            return False
        is_named = "type" not in written or _folded(found["type"]) == _folded(written["type"])
        return is_named and all(is_as_written(found[name], v) for name, v in written.items() if name != "type")
    if isinstance(written, list):
        return isinstance(found, list) and len(found) == len(written) and all(map(is_as_written, found, written))
    both_or_no_bool = isinstance(found, bool) == isinstance(written, bool)
    return both_or_no_bool and found == written and isinstance(found, str) == isinstance(written, str)


def _folded(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _parsed(text: str) -> Any:
    """JSON read by Python, with names that are there twice refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs)
        return dict(pairs)

    return json.loads(text, object_pairs_hook=once)


def judge(read: Callable[[], Any], written: Any = None) -> tuple[str, str]:
    """What a reading comes to, and the message. `written`: the data that it read, if they were JSON."""

    def attempt() -> str:
        found = read()
        if wrong := wrong_in(found):
            return f"{SILENT}: {wrong}"
        same = from_json(to_json(found)) == found and (written is None or is_as_written(to_dict(found), written))
        return SAME if same else SILENT

    outcome, error = outcome_of(attempt)
    if outcome == REFUSED and (not error or len(error) > LONGEST):
        return SILENT, error[:100]
    return (SILENT, outcome) if outcome.startswith(SILENT) else (outcome, error)


# ---- JSON ------------------------------------------------------------------------------------------------


class Doors:
    """The files of specifications, and what reads them."""

    def __init__(self, folder: Path):
        save_all(folder / "models")
        self.config, self.run, self.model = folder / "config.json", folder / "run", folder / "models" / "plain"
        self.run.mkdir()
        data = CONFIG.task.open()
        self.written = {
            "config": to_dict(CONFIG),
            "run": begin(CONFIG, data, {"jax": "0"}) | {"symbols": "ab"},
            "model": json.loads((self.model / "config.json").read_text())["model"],
        }

    def read(self, which: str, text: str, data: Any) -> Any:
        """What is read, by the door of that file."""
        match which:
            case "config":
                self.config.write_text(text)
                return load_config(str(self.config))
            case "run":
                (self.run / "run.json").write_text(text)
                return RunFolder(self.run).config()
        edit(self.model, lambda facts: facts.update(model=data))
        return load_model(self.model).model


def mutated_texts(tally: Tally, count: int, rng: random.Random) -> None:
    """`count` mutations of config.json, run.json, and the model in a model folder."""
    with TemporaryDirectory() as name:
        doors = Doors(Path(name))
        for number in range(count):
            which = ("config", "run", "model")[number % 3]
            written = doors.written[which]
            path, how, value = rng.choice(places(written)), rng.choice(HOW), rng.choice(STRANGE)
            data = mutated(written, path, how, written if value == "itself" else value)
            text = json.dumps(data)
            try:
                plain = _parsed(text)
            except AssertionError:
                plain = "written twice"  # which no reading is
            part = plain.get("config", "none") if which == "run" and isinstance(plain, dict) else plain
            outcome, error = judge(lambda which=which, text=text, data=data: doors.read(which, text, data), part)
            tally.add(outcome, f"{which}.json, {how} {path} {str(value)[:40]}: {error}")
        shutil.rmtree(doors.run)


# ---- Python ----------------------------------------------------------------------------------------------


class Awkward:
    """An object that cannot be compared, counted or printed."""

    def _fail(self, *args: Any) -> Any:
        raise RuntimeError("not this")

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __float__ = __bool__ = __len__ = __iter__ = __repr__ = __str__ = _fail
    __hash__ = None  # type: ignore[assignment]


class Wordy:
    """An object that says too much."""

    def __repr__(self) -> str:
        return "wordy " * 10**6


ITSELF: list[Any] = []
ITSELF.append(ITSELF)
VALUES: list[Any] = [
    *STRANGE, -math.inf, -0.0, 5e-324, 1e308, 2**32, 2**32 - 1, 2**63, -(2**63), 1 + 1j, b"x", (), (1, "a"), object(),
    Awkward(), Wordy(), ITSELF, lambda: 1, print, type, Config, cells.LSTM, np.float64("nan"), np.float64(0.5),
    np.float32(0.5), np.int64(3), np.bool_(True), np.array([1.0, 2.0]), np.array(1), np.zeros((0,)), np.str_("adam"),
    decimal.Decimal("NaN"), decimal.Decimal(1), fractions.Fraction(1, 3), range(3), iter([1]), ..., NotImplemented,
    {1}, frozenset(), Exception("x"), tasks.Parity(), tasks.CharLM(), cells.GRU(hidden_size=3), structures.Diagonal(),
    unrolls.Scan(), Stack(), "\0", "\ud800", "\x1b[2J", "adam ", "SGD", "x" * 10**6, math,
]  # fmt: skip


def constructed(tally: Tally, count: int, rng: random.Random) -> None:
    """`count` members constructed with one value in the place of another; half of them configurations."""
    members = examples()
    members = [m for m in members if dataclasses.fields(m)]  # pyright: ignore[reportArgumentType]
    for number in range(count):
        member = rng.choice([CONFIG, Stack()]) if number % 2 else rng.choice(members)
        field, value = rng.choice(dataclasses.fields(member)), rng.choice(VALUES)  # pyright: ignore[reportArgumentType]
        outcome, error = judge(lambda m=member, f=field, v=value: dataclasses.replace(m, **{f.name: v}))  # pyright: ignore
        tally.add(outcome, f"{type(member).__name__}.{field.name} of {type(value).__name__}: {error}")


def malformed_configs(count: int, seed: int) -> Tally:
    """`count` configurations, half of them as JSON."""
    tally, rng = Tally("a configuration with something wrong in it, as JSON or in Python"), random.Random(seed)
    mutated_texts(tally, count // 2, rng)
    constructed(tally, count - count // 2, rng)
    with mock.patch.object(sys.modules["rnnzoo.spec"], "accepts", lambda hint, value: True):
        for fields in ({"lr": math.nan}, {"lr": math.inf}, {"batch_size": 2**40}, {"steps": True}, {"momentum": 1.5}):
            tally.control(judge(lambda f=fields: dataclasses.replace(CONFIG, **f))[0] == SILENT)
    other = dataclasses.replace(CONFIG, lr=0.25)
    tally.control(judge(lambda: other, to_dict(CONFIG))[0] == SILENT)
    tally.control(judge(lambda: CONFIG, to_dict(CONFIG) | {"strange": 1})[0] == SILENT)
    return tally


__all__ = ["CONFIG", "judge", "malformed_configs"]
