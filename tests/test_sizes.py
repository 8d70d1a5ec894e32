"""Cells of a given number of parameters."""

import dataclasses

import pytest

from rnnzoo import UsageError, cells, match, structures, tasks, wrappers
from rnnzoo.commands.matched import matched, take_params
from rnnzoo.config import Config
from rnnzoo.models import Stack

CASES = [
    cells.GRU(hidden_size=4),
    cells.LSTM(hidden_size=4, structure=structures.Banded()),
    cells.Elman(hidden_size=4, structure=structures.BlockDiagonal(block=4)),
    cells.Elman(hidden_size=4, structure=structures.Butterfly()),
    cells.LRU(hidden_size=4),
    wrappers.Zoneout(cell=cells.GRU(hidden_size=4)),
]


@pytest.mark.parametrize("cell", CASES, ids=str)
@pytest.mark.parametrize("params", [200])
def test_no_other_size_is_nearer(cell, params):
    found = match(cell, 3, params)
    assert type(found) is type(cell)
    distance = abs(found.num_params(3) - params)
    near = range(max(1, found.hidden_size - 4), found.hidden_size + 5)
    for size in near:
        try:
            other = cells_of_size(cell, size)
        except UsageError:
            continue
        assert distance <= abs(other.num_params(3) - params)


def cells_of_size(cell, size):
    if isinstance(cell, wrappers.Zoneout):
        return wrappers.Zoneout(cell=dataclasses.replace(cell.cell, hidden_size=size))
    return dataclasses.replace(cell, hidden_size=size)


def test_counts_are_of_free_numbers():
    banded = cells.GRU(hidden_size=4, structure=structures.Banded())
    assert banded.num_params(3) == 3 * (4 * 3 + 4 + 10) + 4  # n has a bias inside, too
    assert match(cells.GRU(hidden_size=64), 8, params=2_000).hidden_size == 22


@pytest.mark.parametrize("params", [0, -1, 2.5, True])
def test_what_is_no_number_of_parameters_is_refused(params):
    with pytest.raises(UsageError, match=f"params is {params}"):
        match(CASES[0], 3, params)


def test_a_size_that_cannot_be_reached_is_refused():
    fixed = cells.Elman(hidden_size=16, structure=structures.Kronecker(factors=(4, 4)))
    with pytest.raises(UsageError, match="nearest hidden_size that it accepts, 16"):
        match(fixed, 3, 10_000)
    with pytest.raises(UsageError, match="has 40 parameters at the nearest"):
        match(cells.LSTM(hidden_size=8), 8, 10)


def test_the_command_line_asks_for_a_number_of_parameters():
    assert take_params(["--cell.params", "2_000", "--lr", "1"]) == (2000, ["--lr", "1"])
    assert take_params(["--config.cell.params=300"]) == (300, [])
    config = Config(task=tasks.Adding(), cell=cells.GRU(hidden_size=3), model=Stack(embedding_size=5))
    found = matched(config, 400).cell
    assert found == match(cells.GRU(hidden_size=1), 5, params=400) and matched(config, None) == config


@pytest.mark.parametrize("value", ["0", "-3", "many", "", "2.5"])
def test_what_is_no_number_on_the_command_line_is_refused(value):
    with pytest.raises(UsageError, match=r"--cell\.params '.*'; accepted: a positive integer"):
        take_params([f"--cell.params={value}"])
