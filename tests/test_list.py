"""``rnnzoo list --json``: the tables as programs read them."""

import json

import pytest

import rnnzoo
from rnnzoo.__main__ import command
from rnnzoo.analysis import members
from rnnzoo.commands.list import KINDS, OTHER


def said(args, capsys, size=8):
    assert command(["list", *args, "--json", "--size", str(size)]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(kind, capsys):
    rows = said([kind], capsys)
    expected = OTHER[kind]() if kind in OTHER else members.rows(kind, size=8)
    assert [row["name"] for row in rows] == [row["name"] for row in expected]
    for row, shown in zip(rows, expected, strict=True):
        assert row["what"]
        for value, text in zip(row.values(), shown.values(), strict=True):
            shown_as = int(text.replace(",", "")) if isinstance(value, int) else text
            assert value == (None if text == "-" else shown_as)


def test_numbers_are_numbers(capsys):
    (lstm,) = said(["cells", "lstm"], capsys)
    assert (lstm["params"], lstm["in_U"], lstm["state"], lstm["year"]) == (544, 256, 16, 2000)
    (pairs,) = said(["structures", "complexpairs"], capsys, size=9)
    assert pairs["params"] is None and pairs["what"]


def test_all_kinds_at_once(capsys):
    found = said([], capsys)
    assert tuple(found) == KINDS and all(found.values())


def test_one_form_at_a_time():
    with pytest.raises(rnnzoo.UsageError, match="accepted: one of them"):
        command(["list", "cells", "--json", "--markdown"])
