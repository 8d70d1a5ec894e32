"""Characters of Shakespeare's plays and poems, by an LSTM that carries its state from piece to piece.

    python train.py --config configs/shakespeare.py --data-dir DIR

DIR/shakespeare/shakespeare.txt is any edition in plain text.

Expected: (to be measured)
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.training.config import Config

config = Config(
    task=tasks.Shakespeare(length=64),
    cell=cells.LSTM(hidden_size=320, structure=structures.Dense()),
    model=Stack(embedding_size=64),
    lr=3e-3,
    schedule="cosine",
    warmup=200,
    steps=8000,
    batch_size=64,
    stream=True,
    log_every=200,
    eval_every=2000,
)
