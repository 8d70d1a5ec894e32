"""The fault harness in short, and every command in every kind of trouble: one short message, never a traceback."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from faults import damage, locks, soak
from faults.runs import CONFIG, train
from faults.tally import Tally, merged, page, write

from rnnzoo.__main__ import command
from rnnzoo.commands.exits import guarded

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "kind",
    [
        lambda: damage.damaged_folders(12, 3),
        lambda: locks.double_starts(100),
        lambda: locks.full_disks(1, 9),
        lambda: soak.soak(3, 1),
    ],
    ids=["damage", "double starts", "full disks", "soak"],
)
def test_a_kind_of_fault(kind):
    tally = kind()
    assert tally.is_good, tally.failures
    assert tally.outcomes.total() > 3


def test_results_of_shards_are_merged_into_a_page(tmp_path):
    for shard in (1, 2):
        tally = Tally("a fault")
        tally.add("refused", "")
        tally.add("silently wrong", f"number {shard}")
        tally.control(True)
        write([tally], tmp_path / f"{shard}.json")
    paths = sorted(tmp_path.glob("*.json"))
    (found,) = merged(paths)
    assert not found.is_good and found.failures == ["silently wrong: number 1", "silently wrong: number 2"]
    text = page(paths)
    assert "| a fault | 4 | 0 | 0 | 2 | 0 | 2 | 0 | 0 | 2: 2 | " in text
    assert "**a fault: silently wrong: number 2**" in text and "- Cpu " in text


# ---- commands --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("finished") / "run"
    train(path)
    return path


COMMANDS = {
    "train": ["train", "--config", "{run}/config.json", "--workdir", "{place}"],
    "evaluate": ["evaluate", "{place}"],
    "verify": ["verify", "{place}"],
    "save": ["save", "{run}", "--out", "{place}"],
    "export": ["export", "{run}", "--format", "numpy", "--out", "{place}"],
    "show": ["show", "run", "{run}", "--out", "{place}/u.png"],
    "sample": ["sample", "{place}"],
}


def _below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "deeper"


def _link_loop(tmp_path: Path) -> Path:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return tmp_path / "loop"


PLACES = {
    "a name too long": lambda tmp_path: tmp_path / ("x" * 300),
    "below a file": _below_a_file,
    "a loop of links": _link_loop,
    "below /proc": lambda tmp_path: Path("/proc/x"),
    "a device": lambda tmp_path: Path("/dev/null"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_place_that_cannot_be(finished, tmp_path, name, place, capsys):
    where = PLACES[place](tmp_path)
    code = guarded(command)([arg.format(run=finished, place=where) for arg in COMMANDS[name]])
    said = capsys.readouterr().err.strip().splitlines()
    assert code in (2, 74) and said[-1].startswith("error: ") and "Traceback" not in "".join(said)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("name", ["train", "save", "export", "show"])
def test_a_folder_that_may_not_be_written(finished, tmp_path, name, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine").chmod(stat.S_IRUSR | stat.S_IXUSR)
    args = [arg.format(run=finished, place=tmp_path / "mine" / "x") for arg in COMMANDS[name]]
    assert guarded(command)(args) in (2, 74)
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("target", ["/dev/full", "closed"])
@pytest.mark.parametrize("args", [["list", "cells"], ["--help"], ["evaluate", "{run}"]], ids=lambda a: a[0])
def test_standard_output_that_cannot_be_written(finished, args, target):
    given = [arg.format(run=finished) for arg in args]
    out = " >&-" if target == "closed" else f" > {target}"
    line = " ".join([sys.executable, "-m", "rnnzoo", *given]) + out
    done = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr and done.returncode in (0, 74)
    if target == "/dev/full":
        assert done.returncode == 74 and done.stderr.strip().splitlines()[-1] == "error: No space left on device"


def test_errors_of_jax_and_of_memory_are_one_line(capsys):
    import jax

    def out_of_memory(args: list[str]) -> int:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 4 bytes.\nmore")

    def no_memory(args: list[str]) -> int:
        error = MemoryError()
        error.add_note("the checkpoint of step 3 is kept in run")
        raise error

    assert guarded(out_of_memory)([]) == 3
    assert capsys.readouterr().err == "error: JAX: RESOURCE_EXHAUSTED: Out of memory allocating 4 bytes.\n"
    assert guarded(no_memory)([]) == 3
    assert capsys.readouterr().err == "error: out of memory; the checkpoint of step 3 is kept in run\n"


def test_a_bug_is_no_short_message():
    def bug(args: list[str]) -> int:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        guarded(bug)([])
    assert CONFIG.steps == 12
