"""Which digit is said (Free Spoken Digit Dataset), from 26 log mel energies every 16 ms, by a GRU.

    python train.py --config configs/spoken_digits.py --data-dir DIR
    python train.py --config configs/spoken_digits.py --data-dir DIR --cell.structure banded

DIR/fsdd/recordings holds the 3,000 files. Expected: about 90 s on 2 cores that others used too; accuracy on the 300
test recordings 0.983 [0.970, 0.990] (5 seeds of configs/studies/real.py, best checkpoint by validation), and 0.963
[0.947, 0.973] with the band; least squares on the means and standard deviations of the bands has 0.883.
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.training.config import Config

config = Config(
    task=tasks.SpokenDigits(),
    cell=cells.GRU(hidden_size=64, structure=structures.Dense()),
    lr=5e-3,
    schedule="cosine",
    steps=900,
    batch_size=64,
    log_every=100,
    eval_every=300,
)
