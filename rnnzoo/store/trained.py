"""The trained model of a run folder or a model folder. Apart from `model_folder`, which needs no optax."""

from collections.abc import Callable
from pathlib import Path

import jax

from rnnzoo.spec import UsageError
from rnnzoo.store.model_folder import WEIGHTS, Trained, load_model
from rnnzoo.store.pretrained import load_pretrained, pretrained
from rnnzoo.tasks.data import Part
from rnnzoo.training.results import known_scores
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import evaluate
from rnnzoo.training.warm_start import stored_state


def trained_run(path: Path, which: str, seed: int, warn: Callable[[str], None]) -> Trained:
    """The model in a model folder; or that of a training run's checkpoint, the "last" or the "best", of its seed
    number `seed`, from 0; or, where there is no such folder, the pretrained model of that name."""
    if not path.exists() and str(path) in pretrained():
        return load_pretrained(str(path))
    if (path / WEIGHTS).exists():
        return load_model(path, warn=warn)
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


def evaluate_model(trained: Trained, part: Part = "test") -> dict[str, float]:
    """The scores of a model on a part of the data of the task that it was trained on.

    Raises:
        UsageError: the model does not say what it was trained on, or the data are not there.
    """
    if trained.config is None:
        raise UsageError(
            trained.no_config or "the model does not say what it was trained on; accepted: one with a config"
        )
    params = jax.tree.map(lambda a: a[None], trained.params)
    scores = evaluate(trained.config, trained.model, params, trained.config.task.open().held_out(part))
    return {name: values[0] for name, values in scores.items()}


__all__ = ["evaluate_model", "trained_run"]
