"""The README is true of the code: its tables come from the registry, its commands exist."""

import re
from pathlib import Path

from rnnzoo.analysis import members

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_tables_of_members_are_those_of_the_registry():
    stands = README.split("<!-- members -->")[1].split("<!-- /members -->")[0].strip()
    assert stands == members.document(), "run: python -m rnnzoo list --markdown, and put it between the markers"


def test_every_file_and_command_that_the_readme_names_exists():
    root = Path(__file__).parents[1]
    for name in re.findall(r"configs/\w+\.py|benchmarks/\w+\.py|CONTRIBUTING\.md|LICENSE", README):
        assert (root / name).exists(), name
    from rnnzoo.__main__ import COMMANDS

    assert set(re.findall(r"python -m rnnzoo (\w+)", README)) <= set(COMMANDS)
