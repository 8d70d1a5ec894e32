"""``rnnzoo sweep --config FILE --grid lr=1e-3,3e-3``: a study of one configuration with options varied."""

import itertools
import re
from pathlib import Path

import numpy as np

from rnnzoo.commands.arguments import add_config, add_data_dir, new_parser, take_config
from rnnzoo.commands.matched import matched, take_params
from rnnzoo.commands.options import override
from rnnzoo.commands.presets import with_preset
from rnnzoo.commands.study import run
from rnnzoo.spec import UsageError
from rnnzoo.study.plan import Study
from rnnzoo.training.config import Config, load_config

Choice = dict[str, str]  # option -> value, as on the command line
RANGE = re.compile(r"(log|uniform):([^:]+):([^:]+)")


def main(args: list[str], prog: str = "rnnzoo sweep") -> int:
    """Train a configuration with options varied, and print the table."""
    parser = new_parser(
        prog,
        "Train one configuration with some options varied, over a grid or at random, and print a table. Any option of\n"
        "train.py can be varied; others apply to all runs. Learning rates, seeds and the like share one compilation.",
        f"{prog} parity --grid lr=1e-3,1e-2 --grid cell.structure=dense,banded",
        f"{prog} adding --random lr=log:1e-4:1e-1 --samples 20",
        f"{prog} parity --grid lr=1e-3,1e-2 --cell gru --seeds 3",
    )
    add_config(parser)
    parser.add_argument("--grid", metavar="OPTION=A,B,...", action="append", default=[], help="every value; repeatable")
    parser.add_argument(
        "--random",
        metavar="OPTION=log:LOW:HIGH",
        action="append",
        default=[],
        help="drawn: log:LOW:HIGH, uniform:LOW:HIGH, or one of A,B,...; repeatable",
    )
    parser.add_argument("--samples", metavar="N", type=int, default=10, help="number of draws (10)")
    parser.add_argument("--draw-seed", metavar="N", type=int, default=0, help="selects the draws (0)")
    parser.add_argument(
        "--out", metavar="FILE.csv", type=Path, help="the table (results/sweep-<name of the config>.csv)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with a table that is there")
    add_data_dir(parser)
    known, rest = parser.parse_known_args(args)
    name, rest = take_config(known.config, rest, prog)
    base = load_config(name)
    choices = combinations(known.grid, known.random, known.samples, known.draw_seed)
    study = Study(rows={_name(choice): _config(base, choice, rest, prog) for choice in choices})
    return run(study, known.out or Path("results") / f"sweep-{Path(name).stem}.csv", known.resume)


def combinations(grid: list[str], random: list[str], samples: int, seed: int) -> list[Choice]:
    """All combinations of the grid's values, each with every draw."""
    if not grid and not random:
        raise UsageError("nothing is varied; accepted: --grid OPTION=A,B or --random OPTION=log:LOW:HIGH")
    if samples < 1:
        raise UsageError(f"--samples is {samples}; accepted: 1 or more")
    options = [_parts(text, "--grid") for text in grid]
    axes = [[(name, value) for value in _listed(name, text, "--grid")] for name, text in options]
    draws = _draws([_parts(text, "--random") for text in random], samples, seed)
    return [dict(values) | draw for values in itertools.product(*axes) for draw in draws]


def _parts(text: str, option: str) -> tuple[str, str]:
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise UsageError(f"{option} {text!r}; accepted: {option} lr=1e-3,1e-2")
    return name.removeprefix("--"), values


def _listed(name: str, text: str, option: str) -> list[str]:
    values = text.split(",")
    if not all(values) or len(set(values)) < len(values):
        raise UsageError(f"{option} {name}={text}; accepted: different values between commas")
    return values


def _draws(random: list[tuple[str, str]], samples: int, seed: int) -> list[Choice]:
    if not random:
        return [{}]
    rng = np.random.default_rng(seed)
    return [{name: _draw(rng, name, text) for name, text in random} for _ in range(samples)]


def _draw(rng: np.random.Generator, name: str, text: str) -> str:
    found = RANGE.fullmatch(text)
    if not found:
        return str(rng.choice(_listed(name, text, "--random")))
    try:
        low, high = float(found[2]), float(found[3])
    except ValueError:
        low = high = float("nan")
    if not (low < high and np.isfinite([low, high]).all()) or (found[1] == "log" and low <= 0):
        raise UsageError(f"--random {name}={text}; accepted: two numbers, the first smaller, and above 0 with log")
    value = np.exp(rng.uniform(np.log(low), np.log(high))) if found[1] == "log" else rng.uniform(low, high)
    return f"{value:.4g}"


def _name(choice: Choice) -> str:
    return " ".join(f"{name}={value}" for name, value in choice.items())


def _config(base: Config, choice: Choice, rest: list[str], prog: str) -> Config:
    args = [*rest, *(part for name, value in choice.items() for part in (f"--{name}", value))]
    config, args = with_preset(base, args)
    params, args = take_params(args)
    return matched(override(config, args, prog), params)


__all__ = ["combinations", "main"]
