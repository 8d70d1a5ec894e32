"""Characters of Python's own documentation, one after another, by an LSTM with a diagonal U."""

from rnnzoo import cells, structures, tasks
from rnnzoo.config import Config
from rnnzoo.models import Stack

config = Config(
    task=tasks.CharLM(length=64),
    cell=cells.LSTM(hidden_size=256, structure=structures.Dense()),
    model=Stack(embedding_size=64),
    lr=4e-3,
    schedule="cosine",
    warmup=100,
    steps=2000,
    batch_size=32,
    log_every=100,
    eval_every=500,
)
