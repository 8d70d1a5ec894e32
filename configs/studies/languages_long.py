"""The two regular languages that 3,000 updates do not teach, with ten times as many.

    python -m rnnzoo study configs/studies/languages_long.py
    python -m rnnzoo study configs/studies/languages_long.py --only 'cycle navigation/gru'

The networks, strings and seeds of configs/studies/languages.py, 30,000 updates. A row of five seeds took, on cores that
others used too, 1.5 to 4 minutes for Elman, 1 to 8 for GRU and 4 to 9 for LSTM.
"""

import dataclasses
from pathlib import Path

from rnnzoo.study import Study, load_study

SHORT = load_study(str(Path(__file__).with_name("languages.py"))).rows
LANGUAGES = ("cycle navigation", "modular arithmetic")

study = Study(
    rows={
        name.replace("languages/", "languages long/"): dataclasses.replace(
            config, steps=30_000, warmup=1000, eval_every=10_000
        )
        for name, config in SHORT.items()
        if name.split("/")[1] in LANGUAGES
    },
    about="Which U follows cycle navigation and modular arithmetic, given time?",
)
