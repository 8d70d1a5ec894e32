"""``--cell.params N``: as many hidden units as give the cell about N parameters."""

import dataclasses

from rnnzoo.sizes import match
from rnnzoo.spec import UsageError
from rnnzoo.training.config import Config

HELP = "--cell.params N: as many hidden units as give the first layer's cell about N parameters."


def take_params(args: list[str]) -> tuple[int | None, list[str]]:
    """The number that ``--cell.params`` asks for (None: it is not there), and the other options."""
    wanted, rest, waiting = None, [], list(args)
    while waiting:
        arg = waiting.pop(0)
        key, equals, value = arg.partition("=")
        if key not in ("--cell.params", "--config.cell.params"):
            rest.append(arg)
            continue
        value = value if equals else waiting.pop(0) if waiting else ""
        digits = value.replace("_", "")
        if not digits.isdecimal() or not int(digits):
            raise UsageError(f"--cell.params {value!r}; accepted: a positive integer, such as --cell.params 20000")
        wanted = int(digits)
    return wanted, rest


def matched(config: Config, params: int | None) -> Config:
    """The configuration whose cell has about so many parameters; unchanged for None. Opens the data, which say what
    size the cell's inputs have."""
    if params is None:
        return config
    size = config.network(config.task.open()).layer_input_size(0)
    return dataclasses.replace(config, cell=match(config.cell, size, params))


__all__ = ["HELP", "matched", "take_params"]
