"""Looking back: the longest delay that a structure of U solves, at equal numbers of parameters.

    python -m rnnzoo study configs/studies/memory.py

Adding and delayed recall over 50 to 800 steps, about 3,400 parameters in the cell, 5 seeds, at most 3,000 updates; each
seed ends when it is solved. U of IndRNN and of the diagonal cells starts near 1, gates by the chrono rule.
"""

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.study import Study
from rnnzoo.training.config import Config

PARAMS = 3_400
LENGTHS = (50, 100, 200, 400, 800)
TASKS = {"adding": (tasks.Adding, 2), "delayed recall": (tasks.DelayedRecall, None)}
STRUCTURES = {"diagonal": structures.Diagonal(), "band 3": structures.Banded(bandwidth=1), "dense": structures.Dense()}


def networks(size: int) -> dict[str, cells.Cell]:
    """The cells, each with about as many parameters."""
    made = {"indrnn/diagonal": cells.IndRNN(hidden_size=8), "lru/diagonal": cells.LRU(hidden_size=8)}
    for name, structure in STRUCTURES.items():
        made[f"elman/{name}"] = cells.Elman(hidden_size=8, structure=structure)
        made[f"gru/{name}"] = cells.GRU(hidden_size=8, structure=structure)
        made[f"lstm/{name}"] = cells.LSTM(hidden_size=8, structure=structure)
    return {name: rnnzoo.match(cell, size, params=PARAMS) for name, cell in made.items()}


def row(task: tasks.Task, cell: cells.Cell) -> Config:
    """One network on one length."""
    return Config(
        task=task,
        cell=cell,
        lr=5e-3,
        steps=3000,
        batch_size=32,
        eval_every=300,
        seed=3000,
        seeds=5,
        stop_when_solved=True,
    )


rows = {}
for name, (task, _) in TASKS.items():
    for length in LENGTHS:
        made = task(length=length)
        for cell_name, cell in networks(made.input_size).items():
            rows[f"memory/{name} T={length}/{cell_name}"] = row(made, cell)

study = Study(rows=rows, about="How far back does each structure look, at equal parameters?")
