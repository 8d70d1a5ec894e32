"""Add two 8-bit numbers, bit by bit, with an LSTM whose recurrent matrices are diagonal.

    python train.py --config configs/binary_addition.py

Expected: about 10 s on 2 cores; wrong_sums 0.0004 [0.0000, 0.0046] (median and range of 20 seeds, with --seeds 20; all
are below 0.01, solved), where a memoryless predictor has 0.867. Evaluate the run on longer numbers with:

    python -m rnnzoo evaluate RUN_DIR --task.bits 32

On 32 bits the same 20 networks have 0.138 [0.022, 0.316], and none is below 0.01.
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.training.config import Config

config = Config(
    task=tasks.BinaryAddition(bits=8),
    cell=cells.LSTM(hidden_size=16, structure=structures.Diagonal()),
    lr=1e-2,
    steps=2000,
    batch_size=32,
    log_every=200,
    eval_every=1000,
)
