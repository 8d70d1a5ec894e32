"""Brackets of two kinds, three deep at most, with an LSTM whose recurrent matrices are diagonal. Judged on twice the
length.

    python train.py --config configs/dyck.py

Expected: about 25 s on 2 cores; wrong_sequences 0.049 [0.033, 0.134] (median and range of 5 seeds; 3 of them are below
0.05, solved), where a predictor that sees the current bracket alone has 1.0.
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.training.config import Config

config = Config(
    task=tasks.Dyck(kinds=2, depth=3, length=16, test_length=32),
    cell=cells.LSTM(hidden_size=32, structure=structures.Diagonal()),
    lr=1e-2,
    steps=2000,
    batch_size=64,
    log_every=200,
    eval_every=1000,
    seeds=5,
)
