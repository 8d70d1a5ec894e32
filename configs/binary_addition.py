"""Binary addition with a diagonal against a band.

python train.py --config configs/binary_addition.py

"""

from rnnzoo import cells, structures, tasks
from rnnzoo.config import Config

config = Config(
    task=tasks.BinaryAddition(bits=8),
    cell=cells.LSTM(hidden_size=16, structure=structures.Diagonal()),
    lr=1e-2,
    steps=2000,
    batch_size=32,
    log_every=200,
    eval_every=1000,
)
