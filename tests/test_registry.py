import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zoo import published

from rnnzoo import cells, structures, tasks, unrolls
from rnnzoo.shown import in_full
from rnnzoo.spec import _FAMILIES, Range, UsageError, accepts, describe, find, members, suggest
from rnnzoo.spec_json import from_json, to_json
from rnnzoo.training.config import Config


@pytest.mark.parametrize("kind", ["cells", "structures", "unrolls", "tasks"])
def test_every_member_hashes_prints_compares_and_survives_json(kind):
    assert published(kind)
    for name, cls in published(kind).items():
        one, two = (cls(hidden_size=8) if kind == "cells" else cls() for _ in range(2))  # pyright: ignore
        assert one == two and hash(one) == hash(two) and name in repr(one)
        back = from_json(to_json(one))
        assert back == one and type(back) is cls
        with pytest.raises(AttributeError):
            one.anything = 1  # pyright: ignore


def test_a_configuration_is_read_with_nothing_imported_but_rnnzoo():
    import subprocess
    import sys

    text = to_json(Config(task=tasks.Parity(), cell=cells.GRU(hidden_size=4)))
    code = f"import rnnzoo; print(rnnzoo.from_json({text!r}))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert said.stdout.startswith("Config(task=Parity("), said.stderr


def test_nested_specifications_survive_json():
    cell = cells.LSTM(hidden_size=8, structure=structures.Diagonal(), dtype="bfloat16")
    assert from_json(to_json(cell, indent=2)) == cell
    assert from_json(to_json(cell)) != cells.LSTM(hidden_size=8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type": "cells.LTSM", "hidden_size": 8}', "no 'LTSM' in cells; did you mean LSTM"),
        ('{"type": "cellz.LSTM"}', "no family 'cellz'; did you mean cells?"),
        ('{"type": "os.system"}', "no family 'os'"),
        ('{"type": "cells.LSTM", "hidden_sise": 8}', "has no field 'hidden_sise'; did you mean hidden_size?"),
        ('{"type": "cells.LSTM"}', "hidden_size"),
        # of rnnzoo.models: beartype, which checks cells in this test run, would be first to complain there
        ('{"type": "models.Stack", "layers": "8"}', "Stack.layers is '8'; accepted: an integer >= 1"),
        ('{"type": "models.Stack", "layers": true}', "Stack.layers is True"),
        ('{"type": "models.Stack", "layers": 0}', "Stack.layers is 0; accepted: an integer >= 1"),
        (
            '{"type": "models.Stack", "head_init": {"type": "unrolls.Scan"}}',
            "Stack.head_init is Scan(); accepted: a spec",
        ),
        ('{"type": "models.Stack", "dropout": NaN}', "NaN is not a finite number"),
        ('{"hidden_size": 8}', '"type": None'),
        ("[" * 100_000, "the specification is not JSON"),
        ("nonsense", "the specification is not JSON"),
        ("3", "the specification is 3; accepted: an object"),
    ],
)
def test_bad_json_is_refused_with_the_place_and_what_is_accepted(text, message):
    with pytest.raises(UsageError, match=None) as error:
        from_json(text)
    assert message in str(error.value)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
trees = st.recursive(scalars, lambda x: st.lists(x) | st.dictionaries(st.text() | st.just("type"), x))


@given(trees)
def test_any_json_is_read_or_refused_but_never_crashes(data):
    try:
        from_json(json.dumps(data))
    except UsageError:
        pass


@given(st.sampled_from(sorted(_FAMILIES)), st.text())
def test_any_name_is_found_or_refused(kind, name):
    try:
        assert find(kind, name) in members(kind).values()
    except UsageError:
        pass


def test_names_ignore_case_and_separators():
    assert find("cells", "ind_rnn") is find("cells", "IND-RNN") is cells.IndRNN
    assert suggest("diagnal", members("structures")).startswith("did you mean Diagonal")


def test_field_types_are_strict():
    from typing import Annotated, Literal

    assert accepts(float, 1) and accepts(float | None, None) and accepts(tuple[int, ...], (1, 2))
    assert not accepts(int, 1.0) and not accepts(float, float("nan")) and not accepts(int, True)
    assert not accepts(Literal[1], True) and not accepts(tuple[int, ...], (1, "2"))
    assert not accepts(Annotated[float, Range(0, 1, open=True)], 1.0)
    assert describe(Annotated[int, Range(1, 7)]) == "an integer >= 1 and <= 7"


def test_one_name_is_one_class():
    with pytest.raises(UsageError, match="already has a LSTM"):

        class LSTM(cells.LSTM):
            pass

    assert members("cells")["LSTM"] is cells.LSTM
    assert unrolls.Scan() == unrolls.Scan()


@pytest.mark.parametrize("kind", ["cells", "structures", "unrolls", "tasks", "patterns"])
def test_a_repr_is_what_one_would_write(kind):
    families = {name: cls for family in _FAMILIES.values() for name, cls in family.items()} | published(kind)
    for name, cls in published(kind).items():
        one = cls(hidden_size=8) if kind == "cells" else cls()  # pyright: ignore
        assert eval(repr(one), families) == one
        assert len(repr(one)) <= len(in_full(one)) and in_full(one).startswith(f"{name}(")
