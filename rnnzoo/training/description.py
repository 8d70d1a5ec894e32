"""What a run is about to train, and what came out, in a few lines for people."""

from pathlib import Path
from typing import Any

import jax

from rnnzoo.cells.base import Cell
from rnnzoo.counts import dense_u, nonzeros_u, num_params, weights_u
from rnnzoo.models import Model
from rnnzoo.models.summary import cell_in_words
from rnnzoo.shown import in_short
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Data, HostData, InMemory
from rnnzoo.training.config import Config
from rnnzoo.training.results import in_words
from rnnzoo.training.solved import best_baseline, is_solved

LABEL = 10  # columns of a label


def labelled(label: str, text: str) -> str:
    """A line of the description."""
    return f"{label:<{LABEL}}{text}"


def describe(config: Config, model: Model, data: Data, folder: Path, devices: str = "") -> list[str]:
    """The lines before a run, those of `description`."""
    return [labelled(label, text) for label, text in description(config, model, data, folder, devices).items()]


def description(config: Config, model: Model, data: Data, folder: Path, devices: str = "") -> dict[str, str]:
    """Label -> words: task, network, data, work, devices where they need a word, and the run folder."""
    lines = {
        "task": f"{in_short(config.task)}: {_goal(config.task)}",
        "network": f"{network_in_words(model)}; {num_params(model):,} parameters",
        "U": _recurrent(model),
        "data": _data(config.task, data),
        "training": _work(config),
        "devices": devices,
        "folder": str(folder),
    }
    return {label: text for label, text in lines.items() if text}


def config_in_words(config: Config) -> str:
    """The cells of a configuration with the structures of their recurrent matrices: ``GRU, 16 units, U Diagonal``."""
    own = [block.cell for block in config.model.pattern]
    cells = list(dict.fromkeys(config.cell if cell is None else cell for cell in own or [config.cell]))
    said = " and ".join(cell_in_words(c) for c in cells if isinstance(c, Cell))
    structures = dict.fromkeys(in_short(s) for c in cells if isinstance(c, Cell) for s in c.structures.values())
    count, both = config.model.layers, "in both directions, " * config.model.bidirectional
    layers = f"{count} {'blocks' if own else 'layers'} of " * (count > 1)
    return f"{both}{layers}{said}" + (f", U {' and '.join(structures)}" if structures else "")


def _goal(task: Task) -> str:
    goal = f"{task.metric}, {task.better} is better"
    if task.solved_at is None:
        return goal
    return f"{goal}; solved {_beyond(task)} {task.solved_at:g}"


def _beyond(task: Task) -> str:
    return "below" if task.better == "lower" else "above"


def network_in_words(model: Model) -> str:
    """The cells in words, such as "2 layers of LSTM, 16 units"."""
    names = dict.fromkeys(cell_in_words(cell) for cell, _ in model.cells)
    count = model.stack.layers
    what = "blocks" if model.stack.pattern else "layers"
    both = "in both directions, " if model.stack.bidirectional else ""
    return f"{both}{f'{count} {what} of ' * (count > 1)}{' and '.join(names)}"


def _recurrent(model: Model) -> str:
    """The recurrent matrices in words; "" for cells that have none."""
    structures = dict.fromkeys(in_short(s) for cell, _ in model.cells for s in cell.structures.values())
    nonzeros, dense = nonzeros_u(model), dense_u(model)
    if not structures:
        return f"{nonzeros:,} entries are not 0" if nonzeros else ""
    said = f"{' and '.join(structures)}: {weights_u(model):,} weights"
    return said if nonzeros == dense else f"{said}; {nonzeros:,} of {dense:,} entries are not 0"


def _data(task: Task, data: Data) -> str:
    inputs = f"{data.input_size} {'tokens' if task.tokens else 'features'} in, {data.output_size} out"
    if isinstance(data, HostData):
        return f"{inputs}; read batch by batch"
    assert isinstance(data, InMemory)
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(data.arrays) if hasattr(leaf, "nbytes"))
    return f"{inputs}; " + (f"{_bytes(size)} in memory" if size else "drawn anew for each batch")


def _bytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB" if size >= 2**20 else f"{size / 2**10:,.0f} KiB"


def _work(config: Config) -> str:
    seeds = f"; {config.seeds} seeds, of which lines show medians" if config.seeds > 1 else ""
    steps = f"{config.steps:,} steps of {config.batch_size} sequences"
    return f"{steps}, {config.optimizer}, learning rate {config.lr:g}{seeds}"


def verdict(task: Task, final: dict[str, Any]) -> str:
    """The result in one line: "solved: wrong_sums 0.0001, below 0.01; best baseline trigram 2.38".

    Args:
        task: the run's task.
        final: the contents of final.json.
    """
    score = final["metrics"][task.metric]
    said, best = f"{task.metric} {in_words(score)}", best_baseline(task, final["baseline"])
    if task.solved_at is not None:
        values = score["per_seed"] if isinstance(score, dict) else [score]
        count, place = sum(bool(is_solved(task, value)) for value in values), f"{_beyond(task)} {task.solved_at:g}"
        if len(values) > 1:
            said = f"solved by {count} of {len(values)} seeds ({place}): {said.partition(' of ')[0]}"
        else:
            said = f"solved: {said}, {place}" if count else f"not solved: {said}, not {place}"
    return f"{said}; best baseline {best}" if best else said


def outcome(task: Task, final: dict[str, Any]) -> list[str]:
    """The lines after a run: the verdict, other scores, all baselines if there are several, and the time."""
    others = [f"{name} {in_words(value)}" for name, value in final["metrics"].items() if name != task.metric]
    baselines = [f"{name} {value:.4g}" for name, value in final["baseline"].items()]
    lines = [verdict(task, final), *([f"also: {', '.join(others)}"] if others else [])]
    if len(baselines) > 1:
        lines.append(f"baselines of {task.metric}: {', '.join(baselines)}")
    return [*lines, f"{final['seconds']:.1f} s of training"]


__all__ = ["config_in_words", "describe", "description", "labelled", "network_in_words", "outcome", "verdict"]
