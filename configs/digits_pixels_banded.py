"""Handwritten digits (scikit-learn), read pixel by pixel (64 steps) by an LSTM with a band three wide.

    python train.py --config configs/digits_pixels_banded.py

Expected: about 40 s on 2 cores; accuracy on 500 held-out images 0.898 [0.890, 0.944] (median and range of 5 seeds,
with --seeds 5), at the last step. checkpoints/best is chosen on the same 500 images, so its score flatters.
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
