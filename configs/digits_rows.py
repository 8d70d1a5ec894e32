"""Handwritten digits, read row by row by a GRU with a diagonal U."""

from rnnzoo import cells, structures, tasks
from rnnzoo.config import Config

config = Config(
    task=tasks.Digits(view="rows"),
    cell=cells.GRU(hidden_size=64, structure=structures.Diagonal()),
    lr=5e-3,
    schedule="cosine",
    steps=1500,
    batch_size=64,
    log_every=150,
    eval_every=500,
)
