"""Nothing from outside runs: no call that could run data, and a model folder opens and imports nothing but itself."""

import ast
import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import jax
import pytest

import rnnzoo
from rnnzoo import UsageError, cells
from rnnzoo.__main__ import command
from rnnzoo.commands.exits import guarded
from rnnzoo.disk import read_bytes
from rnnzoo.models import Model
from rnnzoo.store.hub import FILES, pull_model, push_model
from rnnzoo.store.model_folder import load_model, save_model
from rnnzoo.visible import visible

PACKAGE = Path(rnnzoo.__file__).parent

# ---- calls -----------------------------------------------------------------------------------------------

MODULES = (
    "pickle cloudpickle dill joblib marshal shelve subprocess pty ctypes cffi yaml runpy code codeop imp builtins "
    "socket urllib http requests httpx multiprocessing ftplib smtplib xmlrpc telnetlib webbrowser"
).split()
CALLS = "eval exec compile __import__ breakpoint input".split()
IMPORTS = "import_module exec_module load_module find_spec spec_from_file_location module_from_spec".split()
OF_MODULES = {
    "os": "system popen fork forkpty execv execve execvp execvpe execl execle execlp execlpe spawnl spawnv spawnve "
    "posix_spawn posix_spawnp startfile",
    "np": "load loadtxt genfromtxt fromfile",
    "jnp": "load",
    "torch": "load",
}
OPTIONS = {"allow_pickle", "shell"}

ALLOWED = {
    "training/sources.py": {"exec", "compile", "find_spec", "import_module"},  # what --config and --import name
    "export/numpy.py": {"spec_from_file_location", "module_from_spec", "exec_module"},  # what it wrote, or --trust
    "export/__init__.py": {"import_module"},  # one of FORMATS
    "__main__.py": {"import_module"},  # one of COMMANDS
    "commands/loggers.py": {"find_spec"},  # whether the package of a logger is there
    "moved.py": {"import_module"},  # old names of the package's own modules
    "training/arrays.py": {"load"},  # of numpy, with allow_pickle=False, after a check of the SHA-256
    "tasks/classification/array_classify.py": {"load"},  # of numpy, with allow_pickle=False
    "tasks/classification/digits.py": {"load"},  # of numpy, with allow_pickle=False, of a file of the package
    "loggers/base.py": {"import_module"},  # the package that a logger's class names
    "training/lock.py": {"socket"},  # the name of this machine
    "training/memory.py": {"ctypes"},  # malloc's options
}


def risks(source: str) -> set[str]:
    """What a module calls or imports that could run data."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [str(node.module)]
            found |= {name.partition(".")[0] for name in names} & set(MODULES)
            owner = node.module if isinstance(node, ast.ImportFrom) else ""
            found |= {alias.name for alias in node.names} & {*IMPORTS, *OF_MODULES.get(str(owner), "").split()}
        elif isinstance(node, ast.Name) and node.id in CALLS:
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr in IMPORTS or node.attr in OF_MODULES.get(owner, "").split():
                found.add(node.attr)
        elif isinstance(node, ast.keyword) and node.arg in OPTIONS and ast.unparse(node.value) != "False":
            found.add(node.arg)
    return found


PLANTED = {
    "import pickle": "pickle",
    "from yaml import load": "yaml",
    "import os.path, subprocess as s": "subprocess",
    "run = eval\nrun(text)": "eval",
    "exec(text)": "exec",
    "compile(text, '', 'exec')": "compile",
    "os.system(text)": "system",
    "from os import system": "system",
    "np.load(file)": "load",
    "f(file, allow_pickle=True)": "allow_pickle",
    "f(text, shell=True)": "shell",
    "importlib.import_module(name)": "import_module",
    "from importlib import import_module as i": "import_module",
    "__import__(name)": "__import__",
}


@pytest.mark.parametrize("source", PLANTED)
def test_the_scan_sees_what_could_run_data(source):
    assert risks(source) == {PLANTED[source]}
    assert not risks("import re, json\nre.compile('a')\nx.lower(y).compile()\njson.loads(text)\nload_file(path)")
    assert not risks("f(file, allow_pickle=False)\nself.system(x)")


def test_the_package_runs_nothing_but_what_its_user_names():
    found = {str(path.relative_to(PACKAGE)): risks(path.read_text()) for path in PACKAGE.rglob("*.py")}
    found = {name: what for name, what in found.items() if what}
    assert found == ALLOWED


# ---- model folders ---------------------------------------------------------------------------------------

MODEL = Model(cell=cells.GRU(hidden_size=4), input_size=3, output_size=2)


@pytest.fixture
def folder(tmp_path) -> Path:
    save_model(tmp_path / "model", MODEL, MODEL.init(jax.random.key(0)))
    return tmp_path / "model"


WATCH = """
import pathlib, sys
from rnnzoo import UsageError, load_model
good, hostile = map(pathlib.Path, sys.argv[1:])
load_model(good)  # what Python imports late is there from now on
before, outside, ran = set(sys.modules), [], []
ours = tuple({str(pathlib.Path(p).resolve()) for p in (*sys.path, sys.prefix, sys.base_prefix) if p})

def watch(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)):
        path = pathlib.Path(args[0] if isinstance(args[0], str) else args[0].decode()).absolute()
        if path.parent != hostile or path.is_symlink():
            outside.append(str(path))
    elif event in ("import", "exec", "compile", "os.system") or event.startswith(("subprocess.", "socket.", "pickle.")):
        ran.append(f"{event} {args[0]}")

sys.addaudithook(watch)
try:
    print(load_model(hostile, warn=lambda text: None).no_config)
except UsageError as error:
    print("refused:", error)
outside = [p for p in outside if not p.startswith(ours)]
print("outside", outside, "ran", ran, "imported", sorted(set(sys.modules) - before))
"""


def _watched(good: Path, hostile: Path, code: str = WATCH) -> list[str]:
    args = [sys.executable, "-c", code, str(good), str(hostile)]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(args, capture_output=True, text=True, env=env, cwd=good, check=True)
    return done.stdout.splitlines()


def test_a_model_folder_opens_nothing_outside_of_it_and_imports_nothing(folder, tmp_path):
    from rnnzoo import tasks
    from rnnzoo.training.config import Config

    hostile, private = tmp_path / "hostile", tmp_path / "private.json"
    config = Config(task=tasks.Parity(), cell=cells.GRU(hidden_size=4))
    save_model(hostile, MODEL, MODEL.init(jax.random.key(0)), config=config)
    private.write_text("{}")
    (hostile / "evil.py").write_text("raise SystemExit('it ran')")
    (hostile / "README.md").unlink()
    (hostile / "README.md").symlink_to(private)
    _rewrite(hostile, "training.json", lambda text: text.replace("tasks.Parity", "tasks.Evil"))
    lines = _watched(folder, hostile)
    assert lines[-1] == "outside [] ran [] imported []" and "no 'Evil' in tasks" in lines[-2]
    control = WATCH.replace("try:\n", "open(hostile / 'README.md')\ncompile('1', '', 'eval')\ntry:\n")
    found = _watched(folder, hostile, control)[-1]
    assert "README.md'] ran" in found and "compile" in found
    (hostile / "definitions.json").symlink_to(private)
    lines = _watched(folder, hostile)
    assert lines[-1] == "outside [] ran [] imported []" and "definitions.json is a link" in lines[-2]


def _rewrite(folder: Path, name: str, change: Any) -> None:
    """Change a file of a model folder, and its entry in config.json."""
    from rnnzoo.store.files import sealed, size_and_checksum

    (folder / name).write_text(change((folder / name).read_text()))
    facts = json.loads((folder / "config.json").read_text())
    facts["files"][name] = size_and_checksum(folder / name)
    (folder / "config.json").write_text(json.dumps(sealed(facts)))


def test_a_folders_facts_say_each_thing_once(folder):
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace('"format": 1', '"format": 1, "format": 1'))
    with pytest.raises(UsageError, match="the name 'format' is there twice"):
        load_model(folder)


# ---- links -----------------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch) -> Any:
    """A hub that notes what is uploaded, and gives what `download` writes."""
    fake: Any = types.ModuleType("huggingface_hub")
    fake.uploaded = []
    upload = lambda **fields: fake.uploaded.append(fields) or "address"  # noqa: E731
    fake.HfApi = lambda: types.SimpleNamespace(create_repo=lambda *a, **f: None, upload_folder=upload)
    fake.snapshot_download = lambda repo_id, *, local_dir, **fields: fake.download(Path(local_dir))
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    return fake


@pytest.mark.parametrize("name", FILES)
def test_a_link_is_not_pushed(name, folder, tmp_path, hub):
    private = tmp_path / "private"
    private.write_bytes((folder / name).read_bytes() if (folder / name).exists() else b"{}")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(private)
    with pytest.raises(UsageError, match=f"{name} is missing, or not a plain file in the folder"):
        push_model(folder, "me/x")
    assert not hub.uploaded


def test_what_does_not_belong_there_is_not_pulled(folder, tmp_path, hub):
    import shutil

    (tmp_path / "private").mkdir()
    (tmp_path / "private/kept").write_text("mine")

    def linked_readme(to: Path) -> None:
        (to / "README.md").unlink()
        (to / "README.md").symlink_to(tmp_path / "private/kept")

    def more(to: Path) -> None:
        (to / "run\x1b.sh").write_text("")

    for change, message in (
        (linked_readme, "README.md is missing, or not a plain file"),
        (more, "me/x has 'run.x1b.sh'"),
    ):
        hub.download = lambda to, change=change: (shutil.copytree(folder, to), change(to))
        with pytest.raises(UsageError, match=message):
            pull_model("me/x", tmp_path / "here")
        assert not (tmp_path / "here").exists()
    hub.download = lambda to: (shutil.copytree(folder, to), (to / ".cache").symlink_to(tmp_path / "private"))
    pull_model("me/x", tmp_path / "here")
    assert not os.path.lexists(tmp_path / "here/.cache") and (tmp_path / "private/kept").read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_is_no_regular_file_is_not_read(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.py")
    for path in (str(tmp_path / "pipe.py"), "/dev/zero", str(tmp_path)):
        assert guarded(command)(["list", "tasks", "--import", path + ("/" if path == str(tmp_path) else "")]) == 2
        assert "error: cannot read" in capsys.readouterr().err
    (tmp_path / "large").write_bytes(b"12345")
    with pytest.raises(UsageError, match="has more than 4 bytes"):
        read_bytes(tmp_path / "large", 4)


# ---- what is printed -------------------------------------------------------------------------------------

SHOWN = {
    "\x1b]0;title\x07": r"\x1b]0;title\x07",
    "\x9b31m": r"\x9b31m",  # C1: the same as ESC [
    "a\u202eb\u2066c": r"a\u202eb\u2066c",  # text direction
    "\r\x08\x7f\u2028\ufeff": r"\r\x08\x7f\u2028\ufeff",
    "\ud800\U000e0041": r"\ud800\U000e0041",
    "tab\tand\nline": "tab\tand\nline",
    "\u4e2d\u3000\u00e9e\u0301 \U0001f469\u200d\U0001f680": "\u4e2d\u3000\u00e9e\u0301 \U0001f469\u200d\U0001f680",
}


@pytest.mark.parametrize("text", SHOWN, ids=ascii)
def test_control_characters_are_shown(text):
    assert visible(text) == SHOWN[text] == str(UsageError(text)) and visible(SHOWN[text]) == SHOWN[text]


SYMBOLS = "".join(sorted("a\x1b\x07\x9b\u202e\u00e9\u4e2d\ud800\n\t"))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_sampled_text_cannot_act_on_the_terminal(encoding, tmp_path, monkeypatch):
    import io

    size = len(SYMBOLS) + 1
    model = Model(cell=cells.Elman(hidden_size=2), input_size=size, output_size=size, tokens=True)
    save_model(tmp_path / "m", model, jax.tree.map(lambda a: 0 * a, model.init(jax.random.key(0))), symbols=SYMBOLS)
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding))
    assert guarded(command)(["sample", str(tmp_path / "m"), "--prompt", "a", "--length", "200"]) == 0
    text = out.getvalue().decode(encoding)
    assert {c for c in text if not c.isprintable()} == {"\n", "\t"}
    for shown in (r"\x1b", r"\x07", r"\x9b", r"\u202e", r"\ud800", "\u4e2d" if encoding == "utf-8" else r"\u4e2d"):
        assert shown in text
    assert ("\u00e9" if encoding != "ascii" else r"\xe9") in text


def test_names_in_a_model_folder_cannot_act_on_the_terminal(folder, capsys):
    from rnnzoo.store import safetensors
    from rnnzoo.store.files import WEIGHTS, sealed, size_and_checksum

    facts = json.loads((folder / "config.json").read_text())
    facts["scores"] = {"\x1b[2J\u202e": 1.0}
    (folder / "config.json").write_text(json.dumps(sealed(facts)))
    assert load_model(folder).scores == facts["scores"]
    safetensors.write(folder / WEIGHTS, {f"{c}\x1b[2J": jax.numpy.zeros(99) for c in "abc"})
    facts["files"][WEIGHTS] = size_and_checksum(folder / WEIGHTS)
    (folder / "config.json").write_text(json.dumps(sealed(facts)))
    assert guarded(command)(["save", str(folder), "--out", str(folder) + "2"]) == 2
    said = capsys.readouterr()
    assert "\x1b" not in said.err + said.out and r"a\x1b[2J is in only one" in said.err
