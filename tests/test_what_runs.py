"""docs/what_runs.md says what runs."""

import re
from pathlib import Path

import pytest
import what_runs
from zoo import all_cells, published

PAGE = (Path(__file__).parent.parent / "docs" / "what_runs.md").read_text()
FIRST, SECOND = PAGE.split("## Cells and structures")


def test_every_member_has_its_place():
    rows = re.findall(r"^\| (\w+) \|", FIRST, re.MULTILINE)
    assert rows == ["cell", *published("cells")]
    head = next(line for line in FIRST.splitlines() if line.startswith("| cell"))
    assert re.findall(r"\w+", head)[1:] == list(published("unrolls"))


@pytest.mark.parametrize("cell", all_cells(what_runs.SIZE)[::25], ids=lambda cell: type(cell).__name__)
def test_a_row(cell):
    assert what_runs.row(cell) in FIRST.splitlines()


@pytest.mark.slow
def test_the_page():
    assert "\n".join(what_runs.page()) + "\n" == PAGE
