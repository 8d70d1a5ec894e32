"""Predict the next byte of Wikipedia's XML (enwik8), read in order by a GRU that keeps its state between updates.

python train.py --config configs/enwik8.py --data-dir DIR
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.training.config import Config

config = Config(
    task=tasks.Enwik8(length=128),
    cell=cells.GRU(hidden_size=576, structure=structures.Dense()),
    model=Stack(embedding_size=64),
    stream=True,
    lr=2e-3,
    schedule="cosine",
    warmup=200,
    steps=10_000,
    batch_size=128,
    log_every=200,
    eval_every=5000,
)
