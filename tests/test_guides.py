"""The programs of the guides do what their pages say."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDES = Path(__file__).parents[1] / "docs" / "guides"

FILES = "import runpy, sys; [runpy.run_path(file, run_name='__main__') for file in sys.argv[1:]]"
LINES = """
import shlex, sys
from rnnzoo.__main__ import command
for line in sys.argv[1:]:
    assert command(shlex.split(line)[1:]) == 0, line
"""


def test_an_agent_learns_to_remember_a_cue():
    spec = importlib.util.spec_from_file_location("recurrent_ppo", GUIDES / "recurrent_ppo.py")
    assert spec is not None and spec.loader is not None
    guide = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(guide)
    params, reward = guide.train(updates=60)
    assert reward > 0.95
    assert [guide.play(params, cue) for cue in (1.0, -1.0)] == [1, 0]


@pytest.fixture(scope="module")
def own_members(tmp_path_factory):
    """What the page on members of one's own prints: its four files, and its command lines with fewer steps."""
    folder, page = tmp_path_factory.mktemp("own"), (GUIDES / "own_members.md").read_text("utf-8")
    names = re.findall(r"^## .*: `(\w+\.py)`$", page, re.M)
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    for name, block in zip(names, blocks, strict=True):
        (folder / name).write_text(block, "utf-8")
    lines = re.findall(r"^rnnzoo \w+ .*", page.replace("\\\n", ""), re.M)
    assert len(names) == 4 and len(lines) == 2
    fewer = [line.replace("--workdir", "--steps 4 --log-every 2 --workdir") for line in lines]
    return printed(folder, FILES, *names) + printed(folder, LINES, *fewer)


def printed(folder, code, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(GUIDES.parents[1])}
    command = [sys.executable, "-c", code, *arguments]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_members_of_ones_own_agree_with_what_they_stand_for(own_members):
    for line in (
        "the default unroll agrees with a plain loop: True",
        "weights: 13 of 25",
        "U h is right: True",
        "gradients agree with the default's: True",
        "better than the input itself: True",
    ):
        assert line in own_members


def test_members_of_ones_own_are_trained_saved_and_loaded(own_members):
    for line in (
        "a saved Blend is loaded: True",
        "a saved Hub is loaded: True",
        "a saved configuration has it: SeveralSteps(each=2)",
        "a saved model knows its task: LargestSoFar()",
        "of the test part, at step 4; best baseline the input itself",
    ):
        assert line in own_members
