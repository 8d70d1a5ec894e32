"""Real data: which U is enough, with as many units, and with as many parameters?

    python -m rnnzoo study configs/studies/real.py --data-dir DIR
    python -m rnnzoo study configs/studies/real.py --data-dir DIR --only 'digits rows/gru'

GRU and LSTM, one layer, 10 seeds (Nottingham 5), the checkpoint that is best on validation data. "equal H" has the
same number of units whatever U is: 32 for the vowels, 128 for MNIST, 256 for Nottingham and Shakespeare, else 64.
"equal params" has as many units as give the cell the parameters of the dense one. MNIST and Shakespeare get few updates
(1,000 and 2,000).
"""

from typing import NamedTuple

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.study import Study
from rnnzoo.training.config import Config

STRUCTURES = {
    "diagonal": structures.Diagonal(),
    "band 3": structures.Banded(bandwidth=1),
    "block 8": structures.BlockDiagonal(block=8),
    "dense": structures.Dense(),
}
CELLS = {"gru": cells.GRU, "lstm": cells.LSTM}


class Recipe(NamedTuple):
    """A task, what the cell is given (numbers a step), the units of "equal H", and how it is trained."""

    task: tasks.Task
    inputs: int
    hidden: int
    steps: int
    batch_size: int
    lr: float
    embedding: int = 0
    stream: bool = False
    seeds: int = 10


TASKS = {
    "vowels": Recipe(tasks.UCR(name="JapaneseVowels"), 12, 32, 500, 32, 1e-2),
    "digits rows": Recipe(tasks.Digits(view="rows"), 8, 64, 1500, 64, 5e-3),
    "spoken digits": Recipe(tasks.SpokenDigits(), 26, 64, 900, 64, 5e-3),
    "jsb": Recipe(tasks.Polyphonic(data="jsb"), 88, 64, 1000, 16, 5e-3),
    "nottingham": Recipe(tasks.Polyphonic(data="nottingham", length=80), 88, 256, 6000, 16, 3e-3, seeds=5),
    "mnist rows": Recipe(tasks.MNIST(view="rows"), 28, 128, 1000, 128, 5e-3),
    "shakespeare": Recipe(tasks.Shakespeare(length=64), 64, 256, 2000, 64, 5e-3, embedding=64, stream=True),
}


def row(name: str, cell: cells.Cell) -> Config:
    """One network on one task."""
    recipe = TASKS[name]
    return Config(
        task=recipe.task,
        cell=cell,
        model=Stack(embedding_size=recipe.embedding),
        stream=recipe.stream,
        lr=recipe.lr,
        schedule="cosine",
        steps=recipe.steps,
        batch_size=recipe.batch_size,
        eval_every=recipe.steps // 10,
        seed=4000,
        seeds=recipe.seeds,
    )


rows = {}
for name, (_, inputs, hidden, *_) in TASKS.items():
    for cell_name, cell in CELLS.items():
        dense = cell(hidden_size=hidden, structure=structures.Dense())
        for structure_name, structure in STRUCTURES.items():
            thin = cell(hidden_size=hidden, structure=structure)
            at = f"real/{name}/{cell_name}/{structure_name}"
            rows[f"{at}/equal H"] = row(name, thin)
            if structure_name != "dense":
                rows[f"{at}/equal params"] = row(name, rnnzoo.match(thin, inputs, params=dense.num_params(inputs)))

study = Study(rows=rows, about="Which U is enough for real data?")
