"""README and docs are true of the code: tables and counts come from the registry, files and commands exist."""

import re
from pathlib import Path

import pytest

import rnnzoo
from rnnzoo.__main__ import COMMANDS, command
from rnnzoo.analysis import members
from rnnzoo.spec import _FAMILIES
from rnnzoo.wrappers.base import Wrapper

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TABLES = (ROOT / "docs" / "members.md").read_text()


def test_the_tables_of_members_are_what_the_command_prints(capsys):
    assert command(["list", "--markdown"]) == 0
    assert capsys.readouterr().out == TABLES, "run: python -m rnnzoo list --markdown > docs/members.md"


def test_the_readme_counts_all_members():
    assert members.counts() in README, f"the README does not say: {members.counts()}"


@pytest.mark.parametrize("kind", members.KINDS)
def test_every_kind_has_a_table(kind, capsys):
    assert command(["list", kind]) == 0
    said = capsys.readouterr().out
    names = set(members.members_of(kind))
    assert names and all(name in said for name in names)
    if kind in ("cells", "wrappers"):
        wrapping = {n for n, c in rnnzoo.members("cells").items() if issubclass(c, Wrapper)}
        assert names == (wrapping if kind == "wrappers" else rnnzoo.members("cells").keys() - wrapping)
        assert ("Zoneout" in said) == (kind == "wrappers")


def test_all_members_are_in_a_table():
    listed = {name for kind in members.KINDS for name in members.members_of(kind)}
    for family in ("cells", "structures", "initializers", "patterns", "unrolls", "tasks"):
        assert rnnzoo.members(family).keys() <= listed


def test_members_of_one_module_have_summaries_of_their_own():
    said = [row["what"] for row in members.rows("patterns")]
    assert len(set(said)) == len(said)


def test_a_member_of_other_code_does_not_break_a_table(monkeypatch):
    class Demanding(rnnzoo.cells.Elman):
        """A member that no table can make."""

        def __init__(self, **fields):
            raise TypeError("a second argument is missing")

    monkeypatch.setattr(members, "members_of", lambda kind: {"Demanding": _FAMILIES["cells"].pop("Demanding")})
    (row,) = members.rows("cells")
    assert (row.pop("name"), row.pop("what")) == ("Demanding", "A member that no table can make")
    assert set(row.values()) == {"-"} and {"params", "in U"} <= row.keys()


def test_a_bar_does_not_end_a_cell_of_a_markdown_table():
    assert members.markdown([{"name": "a", "what": "|x| < 1"}]).splitlines()[-1] == r"| a | \|x\| < 1 |"


PAGES = [ROOT / "README.md", *(p for p in sorted((ROOT / "docs").rglob("*.md")) if "_members" not in p.parts)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_command_that_a_page_names_exists(page):
    text = page.read_text()
    for name in re.findall(r"configs/\w+\.py|configs/studies/\w+\.py|benchmarks/\w+\.py", text):
        assert (ROOT / name).exists(), name
    for link in re.findall(r"\]\(([^)#:]+)\)|(?:src|srcset)=\"([^\":]+)\"", text):
        assert (page.parent / "".join(link)).exists(), link
    assert set(re.findall(r"python -m rnnzoo (\w+)", text)) <= set(COMMANDS)


def test_the_readme_can_be_read_in_five_minutes():
    assert len(README.split()) < 900
