"""Predict the next character of a text: by default the documentation that comes with Python, read by an LSTM.

    python train.py --config configs/char_lm.py
    python train.py --config configs/char_lm.py --task.path my.txt --cell.structure banded

Expected: about 60 s on 2 cores; bits_per_char 1.789 [1.771, 1.798] (median and range of 5 seeds, with --seeds 5) on the
held-out text of Python 3.11, where a trigram has 2.38.
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.training.config import Config

config = Config(
    task=tasks.CharLM(length=64),
    cell=cells.LSTM(hidden_size=128, structure=structures.Dense()),
    model=Stack(embedding_size=64),
    lr=4e-3,
    schedule="cosine",
    warmup=100,
    steps=1500,
    batch_size=32,
    log_every=100,
    eval_every=500,
)
