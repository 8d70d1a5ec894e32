"""Predict the next character of Shakespeare, read in order by a GRU that keeps its state from one update to the next.

    python train.py --config configs/shakespeare.py --data-dir DIR

DIR/shakespeare holds shakespeare.txt. Expected: 46 s on an H200, about 2,600 s on 2 cores (of which some hundred steps
were timed); bits_per_char 1.98 and 1.99 in two runs on the last 5 % of the text, where a trigram has 2.85. The trained
network comes with rnnzoo: `rnnzoo sample shakespeare --prompt "HAMLET."`.
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.training.config import Config

config = Config(
    task=tasks.Shakespeare(length=64),
    cell=cells.GRU(hidden_size=384, structure=structures.Dense()),
    model=Stack(embedding_size=64),
    stream=True,
    lr=3e-3,
    schedule="cosine",
    warmup=200,
    steps=10_000,
    batch_size=64,
    log_every=200,
    eval_every=2000,
)
