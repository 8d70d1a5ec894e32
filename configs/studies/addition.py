"""Part A of the study: which U can learn to add binary numbers, in which cell and by which training?

    python -m rnnzoo study configs/studies/addition.py
    python -m rnnzoo study configs/studies/addition.py --only 'adam/gru/band' --out results/band.csv

20 seeds (1000 to 1019) of 16 units each. "question" is the question's own protocol, one pair a step; "adam" has biases
and Adam, 32 pairs a step. Judged on 8 bits, the training length, and on 16 and 32 bits.
"""

from rnnzoo import cells, initializers, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.study import Study
from rnnzoo.training.config import Config

STRUCTURES = {
    "diagonal": structures.Diagonal(),
    "bidiagonal": structures.Bidiagonal(),
    "block 2": structures.BlockDiagonal(block=2),
    "band 3": structures.Banded(bandwidth=1),
    "ring 3": structures.Ring(bandwidth=1),
    "block 4": structures.BlockDiagonal(block=4),
    "triangular": structures.Triangular(),
    "rank 1": structures.LowRank(rank=1),
    "kronecker": structures.Kronecker(),
    "monarch": structures.Monarch(),
    "permutation": structures.Permutation(),
    "dense": structures.Dense(),
}
CELLS = {
    "sigmoid": lambda s: cells.Elman(hidden_size=16, activation="sigmoid", structure=s),
    "tanh": lambda s: cells.Elman(hidden_size=16, structure=s),
    "gru": lambda s: cells.GRU(hidden_size=16, structure=s),
    "lstm": lambda s: cells.LSTM(hidden_size=16, structure=s),
}
SEEDS = {"seed": 1000, "seeds": 20}


def question(structure: structures.Structure, steps: int, bias: bool) -> Config:
    """The question's own protocol: plain gradient descent, one pair a step."""
    uniform = initializers.Uniform(limit=1.0)
    own = {"kernel_init": uniform, "bias": bias}
    if not isinstance(structure, structures.Permutation):
        own["recurrent_init"] = uniform
    return Config(
        task=tasks.BinaryAddition(bits=8, objective="squared"),
        cell=cells.Elman(hidden_size=16, activation="sigmoid", structure=structure, **own),
        model=Stack(head_bias=bias, head_init=uniform),
        optimizer="sgd",
        lr=0.1,
        clip=0.0,
        batch_size=1,
        steps=steps,
        eval_every=steps // 10,
        eval_lengths=(1, 2, 4),
        **SEEDS,
    )


def adam(cell: cells.Cell) -> Config:
    """Biases, Adam, 32 pairs a step."""
    return Config(
        task=tasks.BinaryAddition(bits=8),
        cell=cell,
        lr=1e-2,
        steps=3000,
        batch_size=32,
        eval_every=300,
        eval_lengths=(1, 2, 4),
        **SEEDS,
    )


rows = {f"adam/{c}/{s}": adam(make(u)) for c, make in CELLS.items() for s, u in STRUCTURES.items()}
for name, structure in STRUCTURES.items():
    rows[f"question/10k/{name}"] = question(structure, 10_000, bias=False)
    rows[f"question with biases/10k/{name}"] = question(structure, 10_000, bias=True)
for name in ("diagonal", "band 3", "dense"):
    rows[f"question/100k/{name}"] = question(STRUCTURES[name], 100_000, bias=False)

study = Study(rows=rows, about="Which U can learn to add binary numbers, in which cell and by which training?")
