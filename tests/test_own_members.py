"""Members of one's own, defined in a config file, with every command afterwards, and in another process."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from own_support import forget

import rnnzoo
from rnnzoo.__main__ import command
from rnnzoo.commands.arguments import take_imports
from rnnzoo.commands.exits import guarded
from rnnzoo.training import sources
from rnnzoo.training.config import load_config
from rnnzoo.training.definitions import definitions
from rnnzoo.training.run_folder import RunFolder

ROOT = Path(__file__).parents[1]

OWN = '''"""Members of my own."""

from __future__ import annotations

from pathlib import Path

from rnnzoo import cells, structures, tasks
from rnnzoo.base import spec
from rnnzoo.config import Config

HERE = Path(__file__).parent
with (HERE / "ran").open("a") as file:
    file.write("x")


@spec
class MyText(tasks.CharLM):
    """A text of my own."""

    mood: str = "calm"
    """How it reads."""


@spec
class MyDiagonal(structures.Diagonal):
    """A diagonal of my own."""

    def init(self, key, size):
        return 0.5 * super().init(key, size)


@spec
class MyCell(cells.Elman):
    """A cell of my own."""

    def readout(self, *args):
        return 2 * super().readout(*args)


config = Config(
    task=MyText(path=str(HERE / "text.txt"), length=8),
    cell=MyCell(hidden_size=6, structure=MyDiagonal()),
    batch_size=4,
    steps=4,
    log_every=2,
    eval_every=2,
)
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A config file with members of its own, in a folder of its own that is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != ""])
    write(tmp_path)
    yield tmp_path / "mine.py"
    forget()


def write(folder: Path) -> None:
    (folder / "mine.py").write_text(OWN)
    (folder / "text.txt").write_text("the cat sat on the mat, and that was that.\n" * 10)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with that config file and a run of it."""
    folder = tmp_path_factory.mktemp("trained")
    write(folder)
    assert command(["train", "--config", str(folder / "mine.py"), "--workdir", str(folder / "run")]) == 0
    sys.path.remove(str(folder))
    forget()
    return folder


@pytest.fixture
def run_dir(own, trained, capsys) -> Path:
    """The run in the current folder, left by a process that has ended."""
    shutil.copytree(trained / "run", "run")
    for file in (Path("run/run.json"), Path("run/config.json"), Path("run/definitions.json")):
        file.write_text(file.read_text().replace(str(trained), str(own.parent)))
    capsys.readouterr()
    return Path("run")


def refused(args: list[str], capsys: Any) -> str:
    """What a command that must fail says."""
    assert guarded(command)(args) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "Traceback" not in said
    return said


# ---- every command ---------------------------------------------------------------------------------------


def test_a_run_folder_notes_where_its_members_are_defined_and_holds_no_source(own, run_dir):
    noted = json.loads((run_dir / "definitions.json").read_text())
    assert noted.keys() == {"tasks.MyText", "cells.MyCell", "structures.MyDiagonal"}
    checksum = sources.hashlib.sha256(own.read_bytes()).hexdigest()
    assert noted["tasks.MyText"] == {"source": str(own), "sha256": checksum, "module": ""}
    assert not any(b"class MyText" in p.read_bytes() for p in run_dir.rglob("*") if p.is_file())


def test_a_run_without_own_members_notes_nothing(tmp_path):
    config = rnnzoo.config.Config(task=rnnzoo.tasks.Parity(), cell=rnnzoo.cells.GRU(hidden_size=4))
    assert definitions(config) == {}
    folder = RunFolder(tmp_path / "run")
    folder.open(config, config.task.open())
    folder.close()
    assert not (tmp_path / "run" / "definitions.json").exists()


COMMANDS = {
    "evaluate": ["evaluate", "run", "--json"],
    "show run": ["show", "run", "run"],
    "save": ["save", "run", "--out", "model"],
    "export": ["export", "run", "--format", "numpy", "--out", "exported"],
    "sample": ["sample", "run", "--length", "3"],
    "train": ["train", "--config", "run/config.json", "--workdir", "again"],
    "resume": ["train", "--config", "run/config.json", "--workdir", "run"],
    "warm start": ["train", "--config", "run/config.json", "--init-from", "run", "--workdir", "warm"],
}


def test_every_command_works_with_import_and_without_it_says_what_to_pass(own, run_dir, capsys):
    for name, args in COMMANDS.items():
        said = refused(args, capsys)
        assert "cells.MyCell, structures.MyDiagonal, tasks.MyText, defined in" in said, name
        assert f"the same command with --import {own}" in said, name
        assert not own.with_name("ran").exists(), f"{name} ran the file by itself"
    for name, args in COMMANDS.items():
        forget()
        imported = ["--import", "mine"] if name == "evaluate" else [f"--import={own}"]
        assert command([*args, *imported]) == 0, name
        assert "warning" not in capsys.readouterr().err, name
    assert own.with_name("ran").read_text() == "x" * len(COMMANDS)


def test_a_model_folder_asks_for_its_cell_and_does_not_need_its_task(own, run_dir, capsys):
    assert command(["save", "run", "--out", "model", "--import", "mine.py"]) == 0
    plain = ["--workdir", "plain", "--cell", "Elman", "--cell.structure", "dense"]
    assert command(["train", "--config", "mine.py", *plain]) == 0
    assert command(["save", "plain", "--out", "plain-model"]) == 0
    assert "`cells.MyCell` (mine.py)" in Path("model/README.md").read_text()
    forget()
    with pytest.raises(rnnzoo.UsageError, match=r"cells.MyCell, structures.MyDiagonal, defined in .*mine.py. Accepted"):
        rnnzoo.load_model("model")
    found = rnnzoo.load_model("plain-model")
    assert found.config is None and "tasks.MyText, defined in" in found.no_config and found.symbols is not None
    capsys.readouterr()
    assert command(["sample", "plain-model", "--length", "3"]) == 0
    assert command(["export", "plain-model", "--format", "numpy", "--out", "plain-numpy"]) == 0
    for args in (["save", "plain-model", "--out", "copy"], ["train", "--config", "plain-model/training.json"]):
        assert f"--import {own}" in refused(args, capsys)
    load = sources.load_source("mine")
    assert rnnzoo.load_model("model").config == load.config and not rnnzoo.load_model("model").no_config
    assert command(["save", "plain-model", "--out", "copy"]) == 0


MORE = """
@spec
class MyLoop(unrolls.Loop):
    ...


@spec
class MyZone(wrappers.Zoneout):
    ...


config = dataclasses.replace(config, cell=MyZone(cell=config.cell), unroll=MyLoop())
"""


def test_own_unrolls_and_wrappers(own, capsys):
    text = OWN.replace("from pathlib", "import dataclasses\nfrom pathlib")
    text = text.replace("structures, tasks", "structures, tasks, unrolls, wrappers") + MORE
    own.write_text(text)
    assert command(["train", "--config", "mine.py", "--workdir", "run"]) == 0
    forget()
    said = refused(["evaluate", "run"], capsys)
    assert "cells.MyCell, cells.MyZone, structures.MyDiagonal, tasks.MyText, unrolls.MyLoop, defined in" in said
    assert command(["evaluate", "run", "--import", "mine.py"]) == 0


def test_own_members_are_listed_and_shown(own, capsys):
    assert command(["list", "tasks", "mytext", "--import", "mine.py"]) == 0
    assert "A text of my own" in capsys.readouterr().out
    assert command(["--import", "mine.py", "show", "structure", "my-diagonal", "--size", "3"]) == 0
    assert Path("MyDiagonal.png").exists()


def test_in_processes_of_their_own(own, tmp_path):
    def rnn(*args: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "RNNZOO_CHECK_SHAPES": "0", "COLUMNS": "100"}
        return subprocess.run([sys.executable, *args], cwd=tmp_path, env=env, capture_output=True, text=True)

    help_of_own = rnn("-m", "rnnzoo", "train", "--config", "mine.py", "--help")
    assert help_of_own.returncode == 0, help_of_own.stderr
    for words in ("--task.mood", "How it reads.", "now MyText", "now MyDiagonal", "MyCell", "--import FILE.py"):
        assert words in help_of_own.stdout
    done = rnn(str(ROOT / "train.py"), "--config", "mine.py", "--workdir", "run")
    assert done.returncode == 0, done.stderr
    same = rnn("-m", "rnnzoo", "evaluate", "run", "--json", "--import", "mine.py")
    assert json.loads(same.stdout) == json.loads((tmp_path / "run/final.json").read_text())["metrics"], same.stderr


# ---- changed, moved and lost definitions -----------------------------------------------------------------


def test_a_changed_file_is_said_and_the_command_goes_on(own, run_dir, capsys):
    own.write_text(OWN + "# changed\n")
    assert command(["evaluate", "run", "--import", "mine.py"]) == 0
    said = capsys.readouterr().err
    warning = "the present cells.MyCell, structures.MyDiagonal, tasks.MyText"
    assert said == f"warning: {own} is not what it was when run was written; going on with {warning}\n"
    assert command(["train", "--config", "mine.py", "--workdir", "run"]) == 0  # goes on, too
    assert capsys.readouterr().err.count(warning) == 1
    assert command(["train", "--config", "run/config.json", "--workdir", "run"]) == 0
    assert capsys.readouterr().err.count(warning) == 1
    assert command(["train", "--config", "run/config.json", "--workdir", "other"]) == 0
    assert capsys.readouterr().err.count(warning) == 1
    with pytest.warns(UserWarning, match=warning):
        load_config("run/config.json")


def test_a_moved_file_is_as_good_and_a_lost_one_is_said(own, run_dir, capsys):
    Path("elsewhere").mkdir()
    moved = own.rename("elsewhere/mine.py")
    assert f"defined in {own}, which is not there now" in (said := refused(["evaluate", "run"], capsys))
    assert "with --import FILE.py" in said
    Path("elsewhere/text.txt").write_text(Path("text.txt").read_text())
    assert command(["evaluate", "run", "--import", str(moved)]) == 0
    assert "warning" not in capsys.readouterr().err


def test_a_file_that_lost_the_class_is_said(own, run_dir, capsys):
    own.write_text(OWN.replace("class MyText(", "class HisText(").replace("=MyText(", "=HisText("))
    said = refused(["evaluate", "run", "--import", "mine.py"], capsys)
    assert f"tasks.MyText, defined in {own}, which does not define it any more" in said


def test_another_configuration_in_the_folder_is_said_even_if_its_members_are_not_known(own, run_dir, capsys):
    Path("other.py").write_text(
        "from rnnzoo import cells, tasks\nfrom rnnzoo.config import Config\n"
        "config = Config(task=tasks.Parity(), cell=cells.GRU(hidden_size=4))\n"
    )
    said = refused(["train", "--config", "other.py", "--workdir", "run"], capsys)
    assert "belongs to another configuration" in said and "tasks.MyText" in said


def note(folder: Path, **changes: str) -> None:
    """Change what the folder notes of its task."""
    noted = json.loads((folder / "definitions.json").read_text())
    noted["tasks.MyText"] |= changes
    (folder / "definitions.json").write_text(json.dumps(noted))


def test_what_a_folder_notes_is_shown_with_care(own, run_dir, capsys):
    note(run_dir, source="", sha256="", module="__main__")
    said = refused(["evaluate", "run"], capsys)
    assert "tasks.MyText, defined in a notebook or an interactive session (copy the class to a file)" in said
    note(run_dir, source=str(own), module="__main__")
    assert f"the script {own} (--import runs it again" in refused(["evaluate", "run"], capsys)
    note(run_dir, source=str(own), module="my_package.tasks")
    assert "--import my_package.tasks" in refused(["evaluate", "run"], capsys)
    Path("a; rm b.py").write_text("")
    note(run_dir, source=str(Path("a; rm b.py").resolve()), module="")
    assert f"--import '{Path('a; rm b.py').resolve()}'" in refused(["evaluate", "run"], capsys)
    note(run_dir, source="a\x1b[2Jb")
    assert "definitions.json is damaged" in refused(["evaluate", "run"], capsys)
    (run_dir / "definitions.json").unlink()
    said = refused(["evaluate", "run"], capsys)
    assert "no 'MyCell' in cells" in said or "no 'MyText' in tasks" in said
    assert "A member of your own? Add --import FILE.py" in said


# ---- the loader ------------------------------------------------------------------------------------------


def test_a_file_runs_once_and_its_classes_are_registered_once(own):
    config, before = load_config("mine.py"), rnnzoo.members("tasks")["MyText"]
    Path("link.py").symlink_to(own)
    for args in (["--import", "mine.py"], [f"--import={own}"], ["--import", "mine"], ["--import", "./link.py"]):
        assert take_imports([*args, "stay"]) == ["stay"]
    import mine  # pyright: ignore

    assert mine.MyText is before is rnnzoo.members("tasks")["MyText"] is type(config.task)
    assert load_config("./mine.py") is config and own.with_name("ran").read_text() == "x"
    assert rnnzoo.from_json(rnnzoo.to_json(config)) == config


def test_a_module_that_was_imported_is_not_run_again(own, monkeypatch):
    monkeypatch.syspath_prepend(str(own.parent))
    import mine  # pyright: ignore

    assert load_config("mine.py") is mine.config and own.with_name("ran").read_text() == "x"
    assert definitions(mine.config)["tasks.MyText"]["source"] == str(own)


def test_a_changed_file_runs_again_and_its_classes_replace_the_old_ones(own):
    old = load_config("mine.py")
    own.write_text(OWN.replace("class MyText", 'OTHER = "mood"\n\n\n@spec\nclass MyText').replace("@spec\n\n", "\n"))
    with pytest.raises(rnnzoo.UsageError):  # a decorator without a class: nothing of it stays
        own.write_text("@spec\n")
        load_config("mine.py")
    own.write_text(OWN.replace("calm", "wild"))
    new = load_config("mine.py")
    assert (old.task.mood, new.task.mood) == ("calm", "wild")  # pyright: ignore
    assert type(new.task) is rnnzoo.members("tasks")["MyText"] is not type(old.task)


def test_a_class_of_that_name_in_another_file_is_refused_with_both_files(own):
    load_config("mine.py")
    Path("elsewhere.py").write_text(OWN)
    with pytest.raises(rnnzoo.UsageError, match=r"elsewhere.py:\d+: tasks already has a MyText \(from .*mine.py\)"):
        load_config("elsewhere.py")


def test_files_import_their_neighbours_which_hide_nothing(own):
    own.with_name("helper_of_mine.py").write_text("from mine import MyText\nVALUE = 3\n")
    own.with_name("json.py").write_text("raise SystemExit\n")
    own.write_text(OWN + "import json\nimport helper_of_mine\nassert json.loads('3') == helper_of_mine.VALUE\n")
    sys.modules.pop("json")  # would be found anew
    load_config("mine.py")
    sys.modules["json"] = json
    assert own.with_name("ran").read_text() == "x"


FAULTS: dict[str, tuple[str, str]] = {
    "syntax": ("x = 1\nconfig = (", "bad.py:2: SyntaxError: '(' was never closed"),
    "name": ("\n\nnothing", "bad.py:3: NameError: name 'nothing' is not defined"),
    "own exception": ("class Mine(Exception):\n    ...\nraise Mine('two\\nlines')", "bad.py:3: Mine: two lines"),
    "base exception": ("class Mine(BaseException):\n    ...\nraise Mine('x')", "bad.py:3: Mine: x"),
    "exit": ("import sys\nsys.exit(7)", "bad.py:2: SystemExit: 7"),
    "assert": ("assert False, 'why'", "bad.py:1: AssertionError: why"),
    "value": ("int('three')", "bad.py:1: ValueError: invalid literal"),
    "key": ("{}['a']", "bad.py:1: KeyError: 'a'"),
    "zero": ("def f():\n    return 1 / 0\nf()", "bad.py:2: ZeroDivisionError"),
    "recursion": ("def f():\n    f()\nf()", "bad.py:2: RecursionError"),
    "missing file": ("open('/nowhere/at/all')", "bad.py:1: FileNotFoundError"),
    "usage": ("from rnnzoo import cells\ncells.GRU(hidden_size=0)", "bad.py:2: GRU.hidden_size is 0; accepted"),
    "no text": ("class E(Exception):\n    def __str__(self): return 1 / 0\nraise E", "bad.py:3: E: "),
    "null": ("x = '\0'", "bad.py"),
    "neighbour": ("import bad_neighbour", "bad_neighbour.py:2: NameError"),
    "neighbour's syntax": ("import worse_neighbour", "worse_neighbour.py:1: SyntaxError"),
    "missing module": ("\nimport nothing_like_this", "bad.py:2: ModuleNotFoundError: No module named"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("way", ["--config", "--import", "module"])
def test_a_file_that_raises_is_one_line_with_file_and_line(own, name, way, capsys):
    text, message = FAULTS[name]
    Path("bad.py").write_text(text)
    Path("bad_neighbour.py").write_text("\nnothing\n")
    Path("worse_neighbour.py").write_text("(")
    said = refused(["train", *{"module": ["--import", "bad"]}.get(way, [way, "bad.py"])], capsys)
    assert message in said and said.count("\n") == 1, said
    assert "bad" not in sys.modules and not sources._RUN


def test_what_import_refuses(own, capsys):
    Path("folder.py").mkdir()
    for args, message in [
        (["--import"], "--import needs a Python file or a module"),
        (["--import", "--json"], "--import needs a Python file or a module"),
        (["--import="], "--import needs a Python file or a module"),
        (["--import", "nothing.py"], "nothing.py: No such file"),
        (["--import", "folder.py"], "Is a directory"),
        (["--import", "no_such_module"], "no module 'no_such_module'; accepted"),
        (["--import", "no_such.module"], "no module 'no_such.module'; accepted"),
        (["--import", "..mine"], "..mine"),
        (["--import", "json.nothing"], "json.nothing"),
    ]:
        assert message in refused(["list", *args], capsys), args


# ---- help ------------------------------------------------------------------------------------------------


SHOW = ["show", "show structure", "show structures", "show run"]
WITH_HELP = ["", "train", "evaluate", "list", *SHOW, "save", "sample", "export", "push", "pull"]


@pytest.mark.parametrize("args", WITH_HELP)
def test_help_of_every_command_shows_usage_and_examples(args, capsys):
    code: Callable[[list[str]], int] = guarded(command)
    try:
        assert code([*args.split(), "--help"]) == 0
    except SystemExit as ended:
        assert ended.code == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: rnnzoo {args}".strip()) and not said.err
    assert f"\nexamples:\n  rnnzoo {args}".rstrip() in said.out
    assert args.startswith("show") or "--import FILE" in said.out


def test_help_of_evaluate_shows_only_what_can_be_changed(own, run_dir, capsys):
    with pytest.raises(SystemExit) as ended:
        command(["evaluate", "run", "--import", "mine.py", "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and "--task.mood" in said and "--unroll {" in said
    assert "--lr" not in said and "--cell" not in said
