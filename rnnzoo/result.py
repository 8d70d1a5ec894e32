"""What `rnnzoo.train` and `rnnzoo.evaluate` return."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo.models import Model
from rnnzoo.notebook import tree
from rnnzoo.store.model_folder import Trained
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Data, Part
from rnnzoo.training.config import Config
from rnnzoo.training.curves import curves_figure
from rnnzoo.training.record import MEANS, Line, Scores
from rnnzoo.typing import Params

Curves = dict[str, dict[str, np.ndarray]]


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of a run's checkpoint on a part of the data of a task."""

    task: Task
    part: Part
    step: int
    """The step of the checkpoint."""
    per_seed: dict[str, np.ndarray]
    """Name -> the score of each seed, (S,)."""
    data: Data = dataclasses.field(repr=False)

    @property
    def scores(self) -> dict[str, float]:
        """Name -> score; of several seeds, the median."""
        return medians(self.per_seed)

    @functools.cached_property
    def baselines(self) -> dict[str, float]:
        """What predictors without memory or training reach in ``task.metric``, on the test part."""
        return self.task.baselines(self.data)

    def __repr__(self) -> str:
        return f"Evaluation({_scores_in_words(self.scores)}; {self.part} part, step {self.step})"

    def __treescope_repr__(self, path: str | None, subtree_renderer: Any) -> Any:
        names = ("scores", "per_seed", "part", "step", "task")
        return tree(self, {name: getattr(self, name) for name in names}, path, subtree_renderer)


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
    """A run that has ended. Its folder holds the same, and more."""

    config: Config
    folder: Path
    """The run folder, which all commands take."""
    networks: tuple[Trained, ...]
    """The network of each seed: `model`, `params`, `config`, `scores` and `symbols`, as `load_model` returns them."""
    per_seed: dict[str, np.ndarray]
    """Name -> the score of each seed on the test part at the last step, (S,)."""
    baselines: dict[str, float]
    """What predictors without memory or training reach in ``config.task.metric`` on the test part."""
    curves: Curves
    """"training" and "validation", each name -> array. Both have ``step`` and ``seconds`` (N,), at lines of the log;
    training has ``loss`` and ``grad_norm`` (N, S), means over the steps since the line before; validation has the
    scores (N, S), at the lines with an evaluation."""
    final: dict[str, Any]
    """The contents of final.json: the best checkpoint, when the task was solved, times, versions, ..."""

    @property
    def model(self) -> Model:
        """The network, to be called with `params`."""
        return self.networks[0].model

    @property
    def params(self) -> Params:
        """The parameters of the first seed; those of the others are in `networks`."""
        return self.networks[0].params

    @property
    def scores(self) -> dict[str, float]:
        """Name -> score on the test part at the last step; of several seeds, the median."""
        return medians(self.per_seed)

    def plot(self) -> Any:
        """Loss and validation score over steps, as a `matplotlib.figure.Figure`; ``.savefig(path)`` writes it."""
        return curves_figure(self.config, _lines(self.curves), self.final)

    def __repr__(self) -> str:
        seeds = f", {len(self.networks)} seeds" * (len(self.networks) > 1)
        what = f"{type(self.config.task).__name__}, {type(self.config.cell).__name__}"
        return f"Result({what}{seeds}: {_scores_in_words(self.scores)}; {str(self.folder)!r})"

    def __treescope_repr__(self, path: str | None, subtree_renderer: Any) -> Any:
        names = ("scores", "per_seed", "baselines", "config", "networks", "curves", "folder")  # final repeats them
        return tree(self, {name: getattr(self, name) for name in names}, path, subtree_renderer)


def medians(per_seed: dict[str, np.ndarray]) -> dict[str, float]:
    """The median of each score over seeds."""
    return {name: float(np.median(values)) for name, values in per_seed.items()}


def arrays_of(scores: Scores) -> dict[str, np.ndarray]:
    """Each score as an array (S,)."""
    return {name: np.asarray(values) for name, values in scores.items()}


def curves_of(lines: list[Line]) -> Curves:
    """The lines of metrics.jsonl as arrays."""
    judged = [line for line in lines if "validation" in line]
    names = judged[0]["validation"] if judged else ()
    training = {name: np.asarray([line[name] for line in lines]) for name in ("step", "seconds", *MEANS)}
    validation = {name: np.asarray([line[name] for line in judged]) for name in ("step", "seconds")}
    scores = {name: np.asarray([line["validation"][name] for line in judged]) for name in names}
    return {"training": training, "validation": validation | scores}


def _lines(curves: Curves) -> list[Line]:
    """The inverse of `curves_of`, as far as pictures need it."""
    training, validation = curves["training"], curves["validation"]
    scores = {name: values for name, values in validation.items() if name not in ("step", "seconds")}
    judged = {
        int(step): {name: v[n].tolist() for name, v in scores.items()} for n, step in enumerate(validation["step"])
    }
    lines = zip(training["step"].tolist(), training["loss"].tolist(), strict=True)
    return [{"step": s, "loss": loss} | ({"validation": judged[s]} if s in judged else {}) for s, loss in lines]


def _scores_in_words(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in scores.items())


__all__ = ["Curves", "Evaluation", "Result", "arrays_of", "curves_of", "medians"]
