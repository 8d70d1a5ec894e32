"""Does the order of structures depend on the learning rate? Small real data, each row with the rate that suits it.

    python -m rnnzoo study configs/studies/rates.py --data-dir DIR

The GRUs of configs/studies/real.py with as many units, on vowels, digits and spoken digits; the learning rate, of four,
is the one with the best median validation score of three other seeds. It took 32 minutes of a shared core.
"""

import re
from pathlib import Path

from rnnzoo.study import Study, load_study

REAL = load_study(str(Path(__file__).with_name("real.py"))).rows
WANTED = re.compile(r"real/(vowels|digits rows|spoken digits)/gru/.*equal H")

study = Study(
    rows={name.replace("real/", "rates/"): config for name, config in REAL.items() if WANTED.fullmatch(name)},
    choose={"lr": (1e-3, 3e-3, 1e-2, 3e-2)},
    about="Which U is enough for real data, each with a learning rate of its own?",
)
