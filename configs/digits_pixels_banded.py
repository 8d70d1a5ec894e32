"""Handwritten digits (8 x 8 pixels), read pixel by pixel (64 steps) by an LSTM with a band three wide.

    python train.py --config configs/digits_pixels_banded.py

Expected: about 40 s on 2 cores; accuracy about 0.90 on the 500 test images (0.89 to 0.91 over 5 seeds).
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.training.config import Config

config = Config(
    task=tasks.Digits(view="pixels"),
    cell=cells.LSTM(hidden_size=64, structure=structures.Banded(bandwidth=1)),
    lr=1e-2,
    schedule="cosine",
    steps=1500,
    batch_size=64,
    log_every=150,
    eval_every=500,
)
