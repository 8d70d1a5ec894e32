"""Python files for --config with something wrong in them: one short message with the file and its line."""

import contextlib
import io
import random
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rnnzoo.__main__ import command
from rnnzoo.commands.exits import guarded
from rnnzoo.training.config import Config, load_config

from .configs import CONFIG, judge
from .tally import REFUSED, SAME, SILENT, TRACEBACK, Tally, outcome_of

LONGEST = 1500  # characters of a message
GOOD = """from rnnzoo import cells, structures, tasks
from rnnzoo.training.config import Config

config = Config(
    task=tasks.CharLM(length=8),
    cell=cells.GRU(hidden_size=4, structure=structures.Diagonal()),
    lr=0.125,
)
"""
RAISED = (
    "raise ValueError('no')", "raise SystemExit", "raise SystemExit(0)", "raise SystemExit('text')",
    "import sys; sys.exit(3)", "raise", "raise BaseException('b')", "raise GeneratorExit", "raise StopIteration",
    "raise MemoryError", "raise OSError(28, 'full', 'x')", "raise BrokenPipeError",
    "raise ExceptionGroup('g', [ValueError('a'), ExceptionGroup('h', [KeyError('b')])])", "1 / 0", "undefined",
    "raise ValueError('x' * 10**6)", "raise ValueError('a\\nb\\x1b[2J\\u202e\\ud800')", "raise KeyError",
    "assert False", "import none_such", "from rnnzoo import none_such", "from . import x", "exec('raise ValueError')",
    "eval('1 +')", "open('/none/such')", "[].x", "{}['a']",
    "class E(Exception):\n    __str__ = lambda self: 1 / 0\nraise E",
    "class E(Exception):\n    __str__ = lambda self: 3\nraise E",
    "class E(Exception):\n    __str__ = lambda self: exit(3)\nraise E", "def f(): f()\nf()",
    "class C:\n    __getattr__ = lambda s, n: s.x\nC().y", "import sys\ndel sys.modules[__name__]\nraise ValueError",
    "import sys; sys.modules.clear" + "; raise ValueError", "async def f(): pass\nf().throw(ValueError)",
    "raise UnicodeDecodeError('utf-8', b'x', 0, 1, 'r')", "raise SyntaxError",
    "raise SyntaxError('s', ('elsewhere.py', 3, 1, 'x'))", "raise type('Odd', (BaseException,), {})('o')",
    "int('9' * 5000)", "cells.GRU(hidden_size=-1)", "cells.GRU(hidden_size=10**400)", "Config()",
    "Config(task=1, cell=2)", "cells.None_such()", "tasks.CharLM(path='/none').open()",
    "import threading\nthreading.Thread(target=1).start(2)",
    "def g():\n    try:\n        1 / 0\n    finally:\n        raise KeyError\ng()",
    "import warnings; warnings.warn(1)", "config.lr = 3", "__import__('os').chdir('/none')", "__file__.x",
    "raise ValueError('%s {} %d')", "cells = None; cells.GRU()",
)  # fmt: skip
UNPARSED = (
    "(", ")", "'", '"""', "def", "x = = 1", "  indented", "\tx\n  y", "\u201cquoted\u201d", "return", "yield",
    "await x", "print 1", "\0", "1__0", "9" * 5000, "(" * 300, "-" * 10**5 + "1", "[" * 90 + "]" * 90 + "]",
    "x = 1 if", "lambda:", "f'{'", "nonlocal x", "0777", "a b", "$", "\u00a0x", "\ud800", "del 1", "break",
    "from __future__ import none", "import *", "x: int: int", "match 1:\n  case", "+".join("1" * 10**5), "if 1:" * 99,
)  # fmt: skip
UNDEFINED = (
    "del config", "config = None", "config = Config", "config = {}", "config = 'text' * 10**6", "config = [config]",
    "config = config.cell", "config = lambda: config", "class config: pass", "config = [range(10**6)] * 99",
    "Config_ = config; del config", "class R:\n    __repr__ = lambda self: 1 / 0\nconfig = R()",
    "class R:\n    __repr__ = lambda self: exit()\nconfig = R()", "config: Config; del config",
    "class R:\n    __class__ = property(lambda self: 1 / 0)\nconfig = R()", "config = object.__new__(Config)",
    "config = [1]; config.append(config)", "object.__setattr__(config, 'lr', float('nan'))",
    "object.__setattr__(config, 'cell', 3)", "object.__setattr__(config, 'steps', 10**400)",
    "object.__setattr__(config, 'init_from', object())", "object.__delattr__(config, 'task')", "globals().clear()",
    "vars().update(config=3)",
)  # fmt: skip
ENCODED: dict[str, bytes] = {
    "an encoding of nobody": b"# -*- coding: none-such -*-\n" + GOOD.encode(),
    "Latin-1": GOOD.encode() + b"x = '\xe9'\n", "UTF-16": GOOD.encode("utf-16"), "UTF-32": GOOD.encode("utf-32"),
    "a NUL": GOOD.encode() + b"\0", "bytecode": b"\xa7\r\r\n" + bytes(range(256)), "nothing": b"",
    "a mark and none": b"\xef\xbb\xbf", "cut": GOOD.encode()[:-3], "random": random.Random(0).randbytes(500),
    "gzip": b"\x1f\x8b\x08" + bytes(9), "JSON": b'{"type": "configs.Config"}',
    "a coding that runs": b"# coding: rot13\n" + GOOD.encode(), "a coding of bytes": b"# coding: hex\nzz\n",
    "surrogates": GOOD.encode() + b"'\xed\xa0\x80'\n",
}  # fmt: skip


def run(path: Path, workdir: Path) -> tuple[int, str]:
    """The exit code of a training command, and what it says on standard error."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = guarded(command)(["train", "--config", str(path), "--workdir", str(workdir)])
    return code, said.getvalue().strip()


def judge_command(path: Path, line: int | None, runner: Any = run) -> tuple[str, str]:
    """Whether a broken file is refused in one line that names it, and the line in it where that is known."""
    workdir = path.parent / "workdir"
    try:
        code, said = runner(path, workdir)
    except BaseException as error:
        return TRACEBACK, f"{type(error).__name__}: {str(error)[:200]}"
    last = said.splitlines()[-1] if said else ""
    is_short = last.startswith("error: ") and len(last) < LONGEST and "Traceback" not in said
    is_named = path.name in last and (line is None or re.search(rf"{re.escape(path.name)}:{line}\b", last))
    began = workdir.exists()
    shutil.rmtree(workdir, ignore_errors=True)
    good = is_short and is_named and code == 2 and not began
    return (REFUSED if good else SILENT), f"{code}: {said[-300:]}"


def broken(rng: random.Random) -> tuple[bytes, int | None]:
    """A broken file, and the line of the error where Python says which it is."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(list(ENCODED.values())), None
    end = "\n" * rng.randrange(1, 9)
    if kind == 1:
        text = rng.choice(RAISED)
        is_simple = "\n" not in text and "SyntaxError" not in text and "eval" not in text
        return (GOOD + end + text).encode(), len((GOOD + end).splitlines()) + 1 if is_simple else None
    text = rng.choice(UNPARSED if kind == 2 else UNDEFINED)
    return (GOOD + end + text).encode("utf-8", "surrogatepass"), None


def mixed(rng: random.Random) -> bytes:
    """A good file with a few characters changed: it may still be good, and may mean something else."""
    text = GOOD
    for _ in range(rng.randrange(1, 3)):
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(["", *"01x.,()=-_' \n\t#\u00e9"]) + text[at + rng.randrange(3) :]
    return text.encode()


def _by_python(path: Path) -> Any:
    """What Python itself makes of a file: the `config` in it, or None if it has none that can be used."""
    names: dict[str, Any] = {"__name__": "other", "__file__": str(path)}
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), names)
    except Exception:
        return None
    found = names.get("config")
    return found if isinstance(found, Config) else None


def judge_mixed(path: Path, reader: Any = load_config) -> tuple[str, str]:
    """Whether a changed file is refused or read just as Python itself reads it."""
    right = _by_python(path)
    if right is not None:
        outcome, error = judge(lambda: reader(str(path)))
        same = outcome == SAME and reader(str(path)) == right
        return (SAME if same else SILENT if outcome == SAME else outcome), error
    outcome, error = outcome_of(lambda: reader(str(path)) and SILENT)
    is_good = outcome == REFUSED and path.name in error and len(error) < LONGEST
    return (REFUSED if is_good else outcome if outcome != REFUSED else SILENT), error


def malformed_config_files(count: int, seed: int) -> Tally:
    """`count` files, of which half go through the command and half through load_config."""
    tally, rng = Tally("a Python file for --config that is broken"), random.Random(seed)
    with TemporaryDirectory() as name:
        for number in range(count):
            path = Path(name) / f"file_{number}.py"
            if number % 2:
                path.write_bytes(mixed(rng))
                outcome, error = judge_mixed(path)
            else:
                content, line = broken(rng)
                path.write_bytes(content)
                outcome, error = judge_command(path, line)
            tally.add(outcome, f"{path.read_bytes()[-100:]!r}: {error}")
        _plant(tally, Path(name) / "planted.py")
    return tally


def _plant(tally: Tally, path: Path) -> None:
    """Commands that train all the same, say too much, name no file or another line; and a reader of another file."""
    path.write_text(GOOD)
    place = f"error: {path}:1: "
    for said in ("error: no", place + "x" * 9999, f"error: {path}:4: no", f"Traceback\n{place}"):
        tally.control(judge_command(path, 1, lambda path, workdir, said=said: (2, said))[0] == SILENT)
    tally.control(judge_command(path, None, lambda path, workdir: (0, f"error: {path}"))[0] == SILENT)
    tally.control(judge_command(path, None, lambda path, workdir: 1 // 0)[0] == TRACEBACK)
    other = Config(task=CONFIG.task, cell=CONFIG.cell, lr=0.5)
    tally.control(judge_mixed(path, lambda name: other)[0] == SILENT)


__all__ = ["malformed_config_files"]
