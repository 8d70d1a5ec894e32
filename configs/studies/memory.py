"""Looking back: the longest delay that a structure of U solves, at equal numbers of parameters.

    python -m rnnzoo study configs/studies/memory.py
    python -m rnnzoo study configs/studies/memory.py --only 'adding T=(50|100)/'

Adding and delayed recall over 50 to 800 steps, about 1,000 parameters in the cell, 5 seeds, at most 3,000 updates; each
seed ends when it is solved. The start fits the length: gates by the chrono rule, U of IndRNN as in its paper (and kept
there by its clip), U of the Elman networks as a diagonal of time constants up to the length. T = 50 and 100 took 26
minutes of cores that others used too, T = 200 fifty; T = 400 and 800 have not been run.
"""

import rnnzoo
from rnnzoo import cells, initializers, structures, tasks
from rnnzoo.study import Study
from rnnzoo.training.config import Config

PARAMS = 1_000
LENGTHS = (50, 100, 200, 400, 800)
TASKS = {"adding": tasks.Adding, "delayed recall": tasks.DelayedRecall}
STRUCTURES = {"diagonal": structures.Diagonal(), "band 3": structures.Banded(bandwidth=1), "dense": structures.Dense()}


def networks(size: int, length: int) -> dict[str, cells.Cell]:
    """The cells, each with about as many parameters."""
    near_one, leaks = initializers.IndRNNUniform(horizon=length), initializers.LongMemory(horizon=length)
    made: dict[str, cells.Cell] = {
        "indrnn/diagonal": cells.IndRNN(hidden_size=8, recurrent_init=near_one),
        "lru/diagonal": cells.LRU(hidden_size=8),
    }
    for name, structure in STRUCTURES.items():
        made[f"elman/{name}"] = cells.Elman(hidden_size=8, structure=structure, recurrent_init=leaks)
        made[f"gru/{name}"] = cells.GRU(hidden_size=8, structure=structure, t_max=float(length))
        made[f"lstm/{name}"] = cells.LSTM(hidden_size=8, structure=structure, t_max=float(length))
    return {name: rnnzoo.match(cell, size, params=PARAMS) for name, cell in made.items()}


def row(task: tasks.Task, cell: cells.Cell, length: int) -> Config:
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
        clip_recurrent=2 ** (1 / length) if isinstance(cell, cells.IndRNN) else 0.0,
    )


rows = {}
for name, task in TASKS.items():
    for length in LENGTHS:
        made = task(length=length)
        for cell_name, cell in networks(made.input_size, length).items():
            rows[f"memory/{name} T={length}/{cell_name}"] = row(made, cell, length)

study = Study(rows=rows, about="How far back does each structure look, at equal parameters?")
