"""Part B of the study: small tasks that tell structures apart, trained on 16 steps and judged on 64.

    python -m rnnzoo study configs/studies/separate.py
    python -m rnnzoo study configs/studies/separate.py --only 'separate/parity'

Parity and sums modulo 3, products in the groups S3, A4 and A5 (and Z2, Z3 for blocks), and three star-free tasks, in
Elman, GRU and LSTM networks of 16 units, 10 seeds each; and recall of two keys and values (MQAR) in a GRU of 32 units,
with as many units and with as many parameters. All rows take some hours on 2 cores; a task 10 to 20 minutes.
"""

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.study import Study
from rnnzoo.training.config import Config

H = 16
STRUCTURES = {
    "diagonal": structures.Diagonal(),
    "bidiagonal": structures.Bidiagonal(),
    "triangular": structures.Triangular(),
    "block 2": structures.BlockDiagonal(block=2),
    "block 4": structures.BlockDiagonal(block=4),
    "block 8": structures.BlockDiagonal(block=8),
    "band 3": structures.Banded(bandwidth=1),
    "ring 3": structures.Ring(bandwidth=1),
    "permutation": structures.Permutation(),
    "dense": structures.Dense(),
    "rank 1": structures.LowRank(rank=1),
    "kronecker": structures.Kronecker(),
    "monarch": structures.Monarch(),
}
BLOCKS = [name for name in STRUCTURES if name == "diagonal" or name.startswith("block")]
CELLS = {"elman": cells.Elman, "gru": cells.GRU, "lstm": cells.LSTM}
TASKS = {
    "parity": tasks.Parity(length=16, test_length=64),
    "mod 3": tasks.ModularSum(modulus=3, length=16, test_length=64),
    "S3": tasks.WordProblem(group="S3", length=16, test_length=64),
    "A4": tasks.WordProblem(group="A4", length=16, test_length=64),
    "A5": tasks.WordProblem(group="A5", length=16, test_length=64),
    "flip flop": tasks.FlipFlop(length=16),
    "dyck": tasks.Dyck(kinds=2, depth=3, length=16, test_length=32),
    "even pairs": tasks.EvenPairs(length=16, test_length=64, shortest_test=64),
}
GROUPS = {  # those that only the GRU's blocks are asked about
    "Z2": tasks.WordProblem(group="Z2", length=16, test_length=64),
    "Z3": tasks.ModularSum(modulus=3, length=16, test_length=64),
}


def row(task: tasks.Task, cell: cells.Cell) -> Config:
    """One network on one task."""
    return Config(
        task=task,
        cell=cell,
        lr=1e-2,
        steps=3000,
        batch_size=32,
        eval_every=1000,
        eval_lengths=(1, 2, 4),
        seed=5000,
        seeds=10,
    )


rows = {
    f"separate/{name}/{c}/{s}": row(task, cell(hidden_size=H, structure=structure))
    for name, task in TASKS.items()
    for c, cell in CELLS.items()
    for s, structure in STRUCTURES.items()
}
rows |= {
    f"separate/{name}/gru/{s}": row(task, cells.GRU(hidden_size=H, structure=STRUCTURES[s]))
    for name, task in GROUPS.items()
    for s in BLOCKS
}

RECALL = tasks.MQAR(pairs=2, length=8, alphabet=12)
DENSE = cells.GRU(hidden_size=32, structure=structures.Dense())
for s, structure in STRUCTURES.items():
    cell = cells.GRU(hidden_size=32, structure=structure)
    rows[f"separate/mqar/gru/{s}/equal H"] = row(RECALL, cell)
    if s != "dense":
        wide = rnnzoo.match(cell, RECALL.input_size, params=DENSE.num_params(RECALL.input_size))
        rows[f"separate/mqar/gru/{s}/equal params"] = row(RECALL, wide)

study = Study(rows=rows, about="Which structures can count, track groups and remember, in which cell?")
