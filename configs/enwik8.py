"""Predict the next byte of Wikipedia's XML (enwik8), read in order by a GRU that keeps its state between updates.

    python train.py --config configs/enwik8.py --data-dir DIR

DIR/enwik8 holds enwik8.gz. Expected: 120 s on an H200 that other programs used too, about 4,500 s on 2 cores (from
twelve steps); bits_per_byte 1.796 (one seed) on the last 5,000,000 bytes, where a trigram has 3.177. The trained
network comes with rnnzoo: `rnnzoo sample enwik8 --prompt "The [["`.
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
