"""The word problem of S3, the smallest group that is not Abelian, with a GRU. Trained on 1 to 16 steps, judged on 64.

    python train.py --config configs/word_problem.py
    python train.py --config configs/word_problem.py --cell.structure diagonal

Expected: about 40 s on 2 cores; wrong_sequences 0.0005 [0.0000, 0.0010] (median and range of 5 seeds), all below 0.01,
solved. With a diagonal U no seed is solved: all have 1.0, and 0.396 [0.387, 0.401] of the single steps right. Other
groups, with --task.group: Z2, Z5, D4, A4, A5, S5.
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.training.config import Config

config = Config(
    task=tasks.WordProblem(group="S3", length=16, test_length=64),
    cell=cells.GRU(hidden_size=32, structure=structures.Dense()),
    lr=1e-2,
    steps=2000,
    batch_size=64,
    log_every=200,
    eval_every=1000,
    seeds=5,
)
