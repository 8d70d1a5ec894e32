from rnnzoo import cells, structures, tasks
from rnnzoo.config import Config

config = Config(
    task=tasks.Parity(length=16, test_length=64),
    cell=cells.Elman(hidden_size=16, structure=structures.Dense()),
    lr=1e-2,
    steps=3000,
    batch_size=32,
    log_every=300,
    eval_every=1500,
    seeds=5,
)
