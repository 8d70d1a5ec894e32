"""The next chord of Bach's chorales, by a diagonal GRU.

    python train.py --config configs/jsb_chorales.py --data-dir DIR
    python train.py --config configs/jsb_chorales.py --data-dir DIR --cell.structure dense

DIR/polyphonic holds JSB_Chorales.mat. Expected: about 30 s on 2 cores; nats_per_frame on the 77 test pieces
8.480 [8.471, 8.503] (median and range of 5 seeds, with --seeds 5), with 34,552 parameters. The frequency of each key
has 11.09; the TCN paper reports 8.43 for a dense GRU of about 300,000 parameters (Bai et al. 2018).
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.training.config import Config

config = Config(
    task=tasks.Polyphonic(data="jsb"),
    cell=cells.GRU(hidden_size=96, structure=structures.Diagonal()),
    model=Stack(dropout=0.2),
    lr=1e-2,
    schedule="cosine",
    steps=1000,
    batch_size=16,
    log_every=50,
    eval_every=100,
)
