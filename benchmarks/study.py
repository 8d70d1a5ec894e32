"""One training step of each row of a study, alone: what a comparison at equal seconds needs.

    python benchmarks/study.py configs/studies/memory.py --only 'T=100/' --out docs/measured/memory.csv

A step of one seed: forward, backward and update, --steps of them in a run, as the study compiles them. `size` is the
number of hidden units, `ratio` the time as a part of that of the first row.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))  # beside the package, in a checkout
sys.path.insert(0, str(Path(__file__).parent))
from timing import measure, parser, report

from rnnzoo.study import load_study
from rnnzoo.training.config import Config
from rnnzoo.training.numbers import lanes_of, program_of
from rnnzoo.training.update import first_state, train_steps


def candidate(config: Config, steps: int) -> Any:
    """So many training steps of one seed."""
    config = dataclasses.replace(config, seeds=1)
    data: Any = config.task.open()
    model = config.network(data)
    program, lanes = program_of(config), lanes_of(config)
    state = [first_state(config, model)]

    def run() -> None:
        state[0], metrics = train_steps(
            program, model, data.static, data.arrays, *lanes, state[0], np.int32(0), length=steps
        )
        jax.block_until_ready((state[0], metrics))

    return run


def main() -> None:
    args = parser(__doc__ or "")
    args.add_argument("study", help="the file of the study")
    args.add_argument("--only", default="", metavar="REGEX", help="only the rows whose name has a match")
    args.add_argument("--steps", type=int, default=10, help="training steps in a run (default 10)")
    known = args.parse_args()
    rows = load_study(known.study).only(known.only).rows
    timed = measure({name: candidate(config, known.steps) for name, config in rows.items()}, known.runs)
    for row in timed:
        row["wall_ms"] = round(row["wall_ms"] / known.steps, 3)
        row["cpu_ms"] = round(row["cpu_ms"] / known.steps, 3)
        row["size"] = rows[row["candidate"]].cell.hidden_size
    report(timed, known.out)


if __name__ == "__main__":
    main()
