"""The command line as a user meets it: in a process of its own where exit codes and tracebacks matter."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from task_support import network, opened

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.commands.options import override
from rnnzoo.training.config import Config, load_config

ROOT = Path(__file__).parents[1]
CONFIG = Config(task=tasks.BinaryAddition(bits=4), cell=cells.LSTM(hidden_size=8), steps=4, log_every=2, eval_every=4)


def options(*args: str) -> Config:
    return override(CONFIG, list(args), "train.py")


def rnn(*args: str, cwd: Path, program: tuple[str, ...] = ("-m", "rnnzoo")) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "RNNZOO_CHECK_SHAPES": "0", "COLUMNS": "200"}
    return subprocess.run([sys.executable, *program, *args], cwd=cwd, env=env, capture_output=True, text=True)


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "tiny.py"
    path.write_text(
        "from rnnzoo import cells, structures, tasks\nfrom rnnzoo.config import Config\n"
        "config = Config(task=tasks.BinaryAddition(bits=4), cell=cells.LSTM(hidden_size=8, "
        "structure=structures.Diagonal()), steps=4, log_every=2, eval_every=4)\n"
    )
    return path


# ---- options ---------------------------------------------------------------------------------------------


def test_both_spellings_of_an_option_work():
    for args in (["--lr", "0.5"], ["--lr=0.5"], ["--config.lr=0.5"], ["--config.lr", "0.5"]):
        assert options(*args).lr == 0.5
    for args in (["--cell.hidden-size", "9"], ["--config.cell.hidden_size=9"]):
        assert options(*args).cell.hidden_size == 9


def test_members_are_swapped_by_name_and_keep_what_was_set():
    config = options("--cell.structure", "banded", "--cell.structure.bandwidth", "2")
    assert config.cell == cells.LSTM(hidden_size=8, structure=structures.Banded(bandwidth=2))
    config = options("--cell.structure=block_diagonal", "--cell=gru", "--cell.structure.block", "2")
    assert config.cell == cells.GRU(hidden_size=8, structure=structures.BlockDiagonal(block=2))
    assert options("--config.task", "Parity").task == tasks.Parity()
    assert options("--unroll", "loop").unroll == rnnzoo.unrolls.Loop()
    swapped = options("--cell.recurrent-init", "uniform", "--cell.recurrent-init.limit", "0.1")
    assert swapped.cell.recurrent_init == rnnzoo.initializers.Uniform(limit=0.1)  # pyright: ignore
    assert override(swapped, ["--cell.recurrent-init", "none"], "train.py").cell.recurrent_init is None


def test_a_swapped_member_takes_its_own_defaults_not_the_old_ones_defaults():
    assert options("--cell", "IndRNN").cell == cells.IndRNN(hidden_size=8)


def test_what_is_wrong_only_in_between_is_accepted():
    assert options("--cell.structure", "block-diagonal", "--cell.hidden-size", "12").cell.hidden_size == 12
    config = options("--cell.structure", "block-diagonal", "--cell.structure.block", "3", "--cell.hidden-size", "9")
    assert config.cell == cells.LSTM(hidden_size=9, structure=structures.BlockDiagonal(block=3))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--cell.hiden-size", "3"], "--cell.hidden-size"),
        (["--lr", "fast"], "could not convert string to float"),
        (["--lr", "-1"], "Config.lr is -1.0; accepted: a finite number > 0"),
        (["--lr", "nan"], "Config.lr is nan"),
        (["--optimizer", "adan"], "'adam'"),
        (["--cell.hidden-size", "0"], "LSTM.hidden_size is 0; accepted: an integer >= 1"),
        (["--cell.hidden-size", "-3"], "LSTM.hidden_size is -3; accepted: an integer >= 1"),
        (["--cell.hidden-size", "3.5"], "3.5"),
        (["--batch-size", "-3"], "Config.batch_size is -3; accepted: an integer >= 1"),
        (["--cell.structure", "banded", "--cell.structure.bandwidth", "8"], "bandwidth"),
        (["--cell.structure", "block_diagonal", "--cell.structure.block", "3"], "block"),
        (["--cell.structure", "bandd"], "did you mean Banded?"),
        (["--cell.structure"], "needs a name"),
        (["--cell", "LTSM"], "did you mean LSTM"),
        (["--unroll", "associative"], "LSTM is not affine in its state"),
        (["--frobnicate", "1"], "--frobnicate"),
        (["stray"], "stray"),
    ],
)
def test_a_bad_option_is_a_short_message_and_exit_code_2(args, message, config_file, capsys):
    from rnnzoo.commands.exits import guarded
    from rnnzoo.commands.train import train

    workdir = config_file.parent / "run"
    try:
        code = guarded(train)(["--config", str(config_file), "--workdir", str(workdir), *args])
    except SystemExit as stopped:  # tyro's way out
        code = stopped.code
    said = capsys.readouterr()
    assert code == 2, said
    text = " ".join((said.err + said.out).replace("│", " ").split())
    assert message in text and "Traceback" not in text
    assert not workdir.exists()


# ---- configuration files ---------------------------------------------------------------------------------


def test_a_configuration_file_that_is_missing_or_wrong(tmp_path, config_file):
    with pytest.raises(rnnzoo.UsageError, match=r"no config file .*tinny.py.*did you mean .*tiny.py"):
        load_config(str(tmp_path / "tinny.py"))
    for name, text, message in [
        ("a.py", "config = 3", "config = 3; accepted"),
        ("b.py", "confg = 3", "config = None"),
        ("c.py", "config = (", "SyntaxError"),
        ("d.py", "import nothing_like_this", "nothing_like_this"),
        ("e.py", "from rnnzoo import cells\nconfig = cells.LTSM()", "LTSM"),
        ("f.json", "{", "f.json is not JSON"),
    ]:
        (tmp_path / name).write_text(text)
        with pytest.raises(rnnzoo.UsageError) as error:
            load_config(str(tmp_path / name))
        assert message in str(error.value)


def test_a_run_folders_configuration_is_a_configuration_file(tmp_path):
    (tmp_path / "config.json").write_text(rnnzoo.to_json(CONFIG))
    assert load_config(str(tmp_path / "config.json")) == CONFIG


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.py")), ids=lambda p: p.stem)
def test_every_configuration_loads_traces_and_says_what_to_expect(path):
    import jax

    from rnnzoo.training.numbers import lanes_of, program_of
    from rnnzoo.training.update import first_state, train_steps

    config = load_config(str(path))
    text = path.read_text()
    assert f"python train.py --config configs/{path.name}" in text and "Expected" in text and " s on 2 cores" in text
    assert rnnzoo.from_json(rnnzoo.to_json(config)) == config
    try:
        model, data = network(config), opened(config.task)
    except rnnzoo.UsageError:
        assert config.task.needs_files
        return
    state = jax.eval_shape(lambda: first_state(config, model))
    args = (data.arrays, *lanes_of(config), state, 0)
    jax.eval_shape(functools.partial(train_steps, program_of(config), model, data.static, length=2), *args)


# ---- whole commands --------------------------------------------------------------------------------------


def test_train_then_evaluate_on_the_same_and_on_a_longer_task(tmp_path, config_file):
    train = ("--config", str(config_file), "--workdir", "run", "--config.seed=3")
    done = rnn(*train, cwd=tmp_path, program=(str(ROOT / "train.py"),))
    assert done.returncode == 0, done.stderr
    assert "step 4/4" in done.stdout and "steps/s" in done.stdout and "left" in done.stdout
    final = json.loads((tmp_path / "run/final.json").read_text())
    same = rnn("evaluate", "run", "--json", cwd=tmp_path)
    assert json.loads(same.stdout) == final["metrics"], same.stderr
    part = rnn("evaluate", "run", "--json", "--part", "validation", cwd=tmp_path)
    assert json.loads(part.stdout) == final["validation"] != final["metrics"], part.stderr
    longer = rnn("evaluate", "run", "--task.bits", "32", "--checkpoint", "best", cwd=tmp_path)
    assert longer.returncode == 0 and "wrong_sums" in longer.stdout
    for args, message in [
        (["run", "--lr", "1"], "--lr cannot be changed in evaluation"),
        (["run", "--task", "digits"], "trained on BinaryAddition"),
        (["run", "--task.bits", "0"], "BinaryAddition.bits is 0"),
        (["nowhere"], "no run folder 'nowhere'"),
    ]:
        bad = rnn("evaluate", *args, cwd=tmp_path)
        assert bad.returncode == 2 and message in bad.stdout + bad.stderr and "Traceback" not in bad.stderr
    other = rnn("train", *train[:-1], cwd=tmp_path)
    assert other.returncode == 2 and '"seed": 3' in other.stderr and '"seed": 0' in other.stderr


def test_help_teaches(tmp_path, config_file):
    said = rnn("train", "--config", str(config_file), "--help", cwd=tmp_path).stdout
    for words in [
        "--cell.hidden-size",
        "Number of hidden units H.",
        "--lr",
        "--cell.structure {",
        "Banded",
        "--workdir",
    ]:
        assert words in said
    assert "evaluate RUN_DIR" in rnn("--help", cwd=tmp_path).stdout


def test_list_and_show(tmp_path, capsys):
    from rnnzoo.__main__ import command

    assert command(["list", "cells", "*GRU*"]) == 0
    said = capsys.readouterr().out
    assert "MinGRU" in said and "LSTM" not in said and "24,832" in said
    assert command(["list"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for kind in ("cells", "structures", "unrolls", "tasks") for name in rnnzoo.members(kind))
    out = str(tmp_path / "u.png")
    show = ["show", "structure", "banded", "--bandwidth", "2", "--size", "9", "--out", out]
    assert command(show) == 0 and Path(out).read_bytes().startswith(b"\x89PNG")
    assert command(show) == 0  # our own picture may be drawn again
    (tmp_path / "mine.png").write_bytes(b"precious")
    for args, message in [
        (["list", "sells"], "did you mean cells"),
        (["list", "cells", "xyz"], "no name in cells matches 'xyz'"),
        (["show", "structure", "bandid"], "did you mean Banded"),
        ([*show[:-1], str(tmp_path / "mine.png")], "was not made by rnnzoo"),
        ([*show[:-1], str(tmp_path / "u.txt")], "accepted: a name that ends in .png"),
        (["show", "structure", "banded", "--bandwidth", "9", "--size", "9"], "bandwidth"),
        (["trian"], "did you mean train"),
    ]:
        with pytest.raises(rnnzoo.UsageError) as error:
            command(args)
        assert message in str(error.value)
    assert (tmp_path / "mine.png").read_bytes() == b"precious"


def test_import_is_light(tmp_path):
    code = (
        "import sys, rnnzoo; heavy = 'flax optax orbax tyro rich matplotlib sklearn torch jaxtyping chex'.split(); "
        "print([m for m in heavy if m in sys.modules])"
    )
    said = rnn(code, cwd=tmp_path, program=("-c",))
    assert said.stdout.strip() == "[]", said.stderr


def test_likely_slips_are_answered(tmp_path, config_file, monkeypatch, capsys):
    from rnnzoo.__main__ import command

    monkeypatch.chdir(tmp_path)
    with pytest.raises(rnnzoo.UsageError, match=r"put the configuration first: rnnzoo train tiny\.py \.\.\."):
        command(["train", "--lr", "0.1", "tiny.py"])
    with pytest.raises(rnnzoo.UsageError, match=r"cannot write tiny\.py/run: Not a directory"):
        command(["train", "--config", "tiny.py", "--workdir", "tiny.py/run"])
    assert command(["list", "cells", "--size", "8", "lstm"]) == 0 and "544" in capsys.readouterr().out
