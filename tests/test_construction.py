"""What a specification answers to wrong arguments, and what `help` says about it."""

import json
import pydoc
import subprocess
import sys

import jax
import pytest
from zoo import CELLS as MEMBERS

import rnnzoo
from rnnzoo import cells

CASES = {
    "cells.LSTM(4)": "LSTM takes its fields by name; accepted: LSTM(hidden_size=4)",
    "models.Model(CELL, 3)": "accepted: Model(cell=LSTM(hidden_size=4",
    "structures.Dense(3)": "Dense takes its fields by name; accepted: Dense()",
    "cells.LSTM(hiden_size=4)": "LSTM has no field 'hiden_size'; did you mean hidden_size?",
    "structures.Banded(bandwith=1)": "Banded has no field 'bandwith'; did you mean bandwidth?",
    "cells.LSTM(hidden_size=4, batch_first=True)": "jnp.swapaxes(xs, 0, 1)",
    "cells.GRU(input_size=3, hidden_size=4)": "cell.init(key, input_size)",
    "cells.GRU(hidden_size=4, num_layers=2)": "models.Stack(layers=n)",
    "structures.Dense(units=3)": "Dense has no field 'units'; known: ",
    "run(PARAMS, CELL, XS)": "cell is a dict of w, b, u; accepted: a specification",
    "run(XS, PARAMS, CELL)": "cell is an array (5, 2, 3); accepted: a specification",
    "run(CELL, XS, PARAMS)": "xs is a dict of w, b, u; accepted: an array (T, *B, I), after the parameters",
}
SCRIPT = """
import json, sys
import jax, jax.numpy as jnp
from rnnzoo import cells, models, run, structures
CELL = cells.LSTM(hidden_size=4)
PARAMS, XS = CELL.init(jax.random.key(0), 3), jnp.ones((5, 2, 3))
said = {}
for case in json.load(sys.stdin):
    try:
        eval(case)
    except (TypeError, ValueError) as error:
        said[case] = str(error)
print(json.dumps(said))
"""


def test_wrong_arguments_are_answered_with_the_right_ones():
    """In a process of its own: the type checks of these tests would answer first."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=json.dumps(list(CASES)), capture_output=True, text=True, check=True
    )
    said = json.loads(ran.stdout)
    assert said.keys() == CASES.keys()
    for case, wanted in CASES.items():
        assert wanted in said[case]
        assert len(said[case]) < 500


def test_help_begins_with_a_sentence_and_explains_every_field():
    said = pydoc.render_doc(cells.LSTM, renderer=getattr(pydoc, "plaintext"))  # noqa: B009 (no stub has it)
    assert "Long short-term memory" in said
    for name, meaning in (("hidden_size", "Number of hidden units H"), ("t_max", "Longest time to remember")):
        assert f"{name}: {meaning}" in said


@pytest.mark.parametrize("kind", ["cells", "structures", "unrolls", "tasks", "initializers", "patterns"])
def test_every_member_says_what_it_is(kind):
    ours = {n: c for n, c in rnnzoo.members(kind).items() if c.__module__.startswith("rnnzoo.")}
    for name, cls in ours.items():
        assert cls.__doc__ and not cls.__doc__.lstrip().startswith("::"), name


def test_a_subclass_has_a_docstring_of_its_own():
    class Mine(cells.LSTM):
        """Mine."""

    assert Mine.__doc__ == "Mine."
    Mine.__doc__ = "Mine, changed."
    assert Mine.__doc__ == "Mine, changed."


@pytest.mark.parametrize("size", [-1, (3, 4, 5, 6)])
@pytest.mark.parametrize("cell", MEMBERS, ids=lambda cell: type(cell).__name__)
def test_an_input_size_is_one_of_features(cell, size):
    with pytest.raises(rnnzoo.UsageError, match=rf"input_size of {type(cell).__name__} is .*; accepted: "):
        cell.init(jax.random.key(0), size)
