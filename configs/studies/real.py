"""Small real data: which U is enough, with as many units, and with as many parameters?

    python -m rnnzoo study configs/studies/real.py --data-dir DIR
    python -m rnnzoo study configs/studies/real.py --data-dir DIR --only 'digits rows/gru'

GRU and LSTM, one layer, 5 seeds, the checkpoint that is best on validation data. "equal H" has 64 units (32 for the
vowels) whatever U is; "equal params" has as many units as give the cell the parameters of the dense one.
"""

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.study import Study
from rnnzoo.training.config import Config

STRUCTURES = {
    "diagonal": structures.Diagonal(),
    "band 3": structures.Banded(bandwidth=1),
    "block 8": structures.BlockDiagonal(block=8),
    "dense": structures.Dense(),
}
CELLS = {"gru": cells.GRU, "lstm": cells.LSTM}
TASKS = {  # task, input size, hidden units, steps, batch, learning rate
    "vowels": (tasks.UCR(name="JapaneseVowels"), 12, 32, 500, 32, 1e-2),
    "digits rows": (tasks.Digits(view="rows"), 8, 64, 1500, 64, 5e-3),
    "spoken digits": (tasks.SpokenDigits(), 26, 64, 900, 64, 5e-3),
    "jsb": (tasks.Polyphonic(data="jsb"), 88, 64, 1000, 16, 5e-3),
    "nottingham": (tasks.Polyphonic(data="nottingham"), 88, 64, 1000, 16, 5e-3),
}


def row(name: str, cell: cells.Cell) -> Config:
    """One network on one task."""
    task, _, _, steps, batch, lr = TASKS[name]
    return Config(
        task=task,
        cell=cell,
        lr=lr,
        schedule="cosine",
        steps=steps,
        batch_size=batch,
        eval_every=steps // 10,
        seed=4000,
        seeds=5,
    )


rows = {}
for name, (_, size, hidden, *_) in TASKS.items():
    for cell_name, cell in CELLS.items():
        dense = cell(hidden_size=hidden, structure=structures.Dense())
        for structure_name, structure in STRUCTURES.items():
            thin = cell(hidden_size=hidden, structure=structure)
            at = f"real/{name}/{cell_name}/{structure_name}"
            rows[f"{at}/equal H"] = row(name, thin)
            if structure_name != "dense":
                rows[f"{at}/equal params"] = row(name, rnnzoo.match(thin, size, params=dense.num_params(size)))

study = Study(rows=rows, about="Which U is enough for small real data?")
