"""Handwritten digits (scikit-learn), read as 8 rows of 8 pixels by a GRU.

    python train.py --config configs/digits_rows.py
    python train.py --config configs/digits_rows.py --cell.structure diagonal

Expected: about 20 s on 2 cores; accuracy on 500 held-out images 0.986 [0.976, 0.988] (median and range of 5 seeds,
with --seeds 5), and 0.916 [0.906, 0.922] with the diagonal. These are scores of the last step. checkpoints/best is
chosen on the same 500 images, so its score flatters.
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
