from rnnzoo import cells, structures, tasks
from rnnzoo.config import Config

config = Config(
    task=tasks.CopyMemory(delay=30),
    cell=cells.GRU(hidden_size=64, structure=structures.Dense()),
    lr=3e-3,
    steps=3000,
    batch_size=32,
    log_every=300,
    eval_every=1000,
)
