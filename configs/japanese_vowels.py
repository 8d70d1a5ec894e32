"""Who says a vowel, of nine speakers, from 7 to 29 steps of 12 numbers (UEA archive), by a GRU with a band.

    python train.py --config configs/japanese_vowels.py --data-dir DIR
    python train.py --config configs/japanese_vowels.py --data-dir DIR --cell.structure diagonal

DIR/ucr/JapaneseVowels holds the two .ts files. Expected: about 3 s on 2 cores; accuracy on the 370 test series
0.981 [0.970, 0.984] (median and range of 5 seeds, with --seeds 5), where the nearest training series has 0.938, and
least squares on means and standard deviations 0.962. It learns from 216 of the 270 training series; 54 are for
validation.
"""

from rnnzoo import cells, structures, tasks
from rnnzoo.training.config import Config

config = Config(
    task=tasks.UCR(name="JapaneseVowels"),
    cell=cells.GRU(hidden_size=32, structure=structures.Banded(bandwidth=1)),
    lr=1e-2,
    schedule="cosine",
    steps=500,
    batch_size=32,
    log_every=50,
    eval_every=250,
)
