"""``rnnzoo show cell``: a page for every cell, and what the diagram of a step says."""

import jax
import pytest
from zoo import all_cells, label

from rnnzoo import cells, structures
from rnnzoo.__main__ import command
from rnnzoo.analysis.step_diagram import diagram, page
from rnnzoo.cells.histories import histories


def arrows(cell):
    """What is made of what, as the diagram says."""
    lines = [line.split("<--") for line in diagram(cell, 3) if "<--" in line]
    return {name.strip(): made.strip() for name, made in lines}


@pytest.mark.parametrize("cell", all_cells(6), ids=label)
def test_every_cell_has_a_page_abstractly(cell):
    text = page(cell, 3)
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), 3))
    assert f"{sum(leaf.size for leaf in jax.tree.leaves(params)):,}" in text
    assert all(name in text for name in params)
    state = jax.eval_shape(lambda: cell.initial_state(cell.prepare(cell.init(jax.random.key(0), 3))))
    made = {name.partition("_t")[0] for name in arrows(cell) if name.endswith("_t")}
    assert {name.split(".")[0] for name in made} == state.keys() - {*histories(cell)}


def test_the_diagram_of_an_lstm():
    found = arrows(cells.LSTM(hidden_size=4))
    assert found["a.i"] == "z.i + U.i (h_tm1)"
    assert found["c_t"] == "a.f, a.g, a.i, c_tm1"  # not o
    assert found["h_t"] == "a.f, a.g, a.i, a.o, c_tm1"


def test_a_matrix_that_hears_another_vector_says_so():
    found = arrows(cells.GRUResetBefore(hidden_size=4))
    assert found["a.r"] == "z.r + U.r (h_tm1)"
    assert found["a.n"] == "z.n + U.n (a.r, h_tm1)"


def test_as_a_command(capsys):
    assert command(["show", "cell", "lstm", "--size", "8", "--inputs", "2", "--structure", "banded"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("LSTM, 8 hidden units, 2 inputs") and "Gers et al. 2000" in said
    banded = cells.LSTM(hidden_size=8, structure=structures.Banded())
    assert said.strip() == page(banded, 2).strip()
