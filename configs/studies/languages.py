"""The four regular languages of Deletang et al. (arXiv:2207.02098), trained to 40 symbols, judged on 40 to 256.

    python -m rnnzoo study configs/studies/languages.py

Elman, GRU and LSTM of 32 units with nine structures of U, 5 seeds each, 3,000 updates of 32 strings: few, so that all
rows take about two hours on one core. The score is the accuracy over all test lengths; chance is 0.5 for even pairs
and parity, 0.2 for the other two.
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.study import Study
from rnnzoo.training.config import Config

H = 32
STRUCTURES = {
    "diagonal": structures.Diagonal(),
    "band 3": structures.Banded(bandwidth=1),
    "ring 3": structures.Ring(bandwidth=1),
    "block 4": structures.BlockDiagonal(block=4),
    "permutation": structures.Permutation(),
    "dense": structures.Dense(),
    "rank 1": structures.LowRank(rank=1),
    "kronecker": structures.Kronecker(),
    "monarch": structures.Monarch(),
}
CELLS = {"elman": cells.Elman, "gru": cells.GRU, "lstm": cells.LSTM}
LANGUAGES = {
    "parity": tasks.ParityCheck(),
    "even pairs": tasks.EvenPairs(),
    "cycle navigation": tasks.CycleNavigation(),
    "modular arithmetic": tasks.ModularArithmetic(),
}


def row(language: tasks.Task, cell: cells.Cell) -> Config:
    """One network on one language."""
    return Config(
        task=language,
        cell=cell,
        lr=5e-3,
        schedule="cosine",
        warmup=100,
        steps=3000,
        batch_size=32,
        eval_every=1000,
        seed=2000,
        seeds=5,
    )


study = Study(
    rows={
        f"languages/{name}/{c}/{s}": row(language, cell(hidden_size=H, structure=structure))
        for name, language in LANGUAGES.items()
        for c, cell in CELLS.items()
        for s, structure in STRUCTURES.items()
    },
    about="Which U follows the four regular languages to strings six times as long?",
)
