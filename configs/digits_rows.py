"""Handwritten digits, read as 8 rows of 8 pixels by a GRU.

    python train.py --config configs/digits_rows.py
    python train.py --config configs/digits_rows.py --cell.structure diagonal

Expected: about 20 s on 2 cores; accuracy on the 500 test images 0.978 [0.976, 0.984], and 0.916 [0.908, 0.922] with
the diagonal (median and range of 5 seeds, with --seeds 5).
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.training.config import Config

config = Config(
    task=tasks.Digits(view="rows"),
    cell=cells.GRU(hidden_size=64, structure=structures.Dense()),
    lr=5e-3,
    schedule="cosine",
    steps=1500,
    batch_size=64,
    log_every=150,
    eval_every=500,
)
