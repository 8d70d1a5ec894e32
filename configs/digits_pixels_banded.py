from rnnzoo import cells, structures, tasks
from rnnzoo.config import Config

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
