"""Help of every command: it is there, fits 80 columns, has examples, and shows what is in use; slips are answered."""

import pytest

import rnnzoo
from rnnzoo import UsageError, cells, structures, tasks
from rnnzoo.__main__ import COMMANDS, command
from rnnzoo.commands.arguments import filled
from rnnzoo.commands.options import override
from rnnzoo.training.config import Config
from rnnzoo.training.run_folder import RunFolder

CONFIG = Config(task=tasks.BinaryAddition(bits=4), cell=cells.LSTM(hidden_size=8, structure=structures.Diagonal()))
SUBCOMMANDS = [["study", "report"], *(["show", what] for what in ("cell", "structure", "structures", "run"))]
MEMBERS = [["show", "cell", "lstm"], ["show", "structure", "banded"], ["train", "binary_addition"]]


def help_of(args: list[str], capsys, monkeypatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    try:
        code = command([*args, "--help"])
    except SystemExit as stopped:  # argparse's and tyro's way out
        code = stopped.code
    said = capsys.readouterr()
    assert code == 0 and not said.err
    return said.out


@pytest.mark.parametrize("args", [[], *([name] for name in COMMANDS), *SUBCOMMANDS, *MEMBERS], ids=" ".join)
def test_help_is_there_fits_and_has_examples(args, capsys, monkeypatch):
    said = help_of(args, capsys, monkeypatch)
    assert not [line for line in said.splitlines() if len(line.rstrip()) > 80]
    assert "examples:\n" in said or "examples:" in [line.strip() for line in said.splitlines()]


def test_help_of_a_configuration_shows_what_is_in_use(capsys, monkeypatch):
    said = " ".join(help_of(["train", "binary_addition"], capsys, monkeypatch).split())
    for words in (
        "now BinaryAddition.",
        "now LSTM.",
        "now Diagonal.",
        "now Scan.",
        "--cell.hidden-size INT",
        "--workdir",
    ):
        assert words in said, words


def test_help_of_a_run_offers_what_evaluation_takes(capsys, monkeypatch, tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.open(CONFIG, CONFIG.task.open())
    folder.close()
    said = help_of(["evaluate", str(tmp_path / "run")], capsys, monkeypatch)
    assert "--task.bits" in said and "--unroll {" in said and "--part" in said
    assert not any(option in said for option in ("--lr", "--cell", "--optimizer", "--workdir", "--task {"))


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("--learning-rate", "--lr"),
        ("--learning_rate=0.1", "--lr"),
        ("--hidden-size", "--cell.hidden-size"),
        ("--cell.hidden-dim", "--cell.hidden-size"),
        ("--batch", "--batch-size"),
        ("--epochs", "--steps, which counts updates, not passes over the data"),
        ("--layers", "--model.layers"),
        ("--bits", "--task.bits"),
        ("--structure", "--cell.structure"),
        ("--output-dir", "--workdir"),
        ("--config.epochs", "--steps"),
    ],
)
def test_other_words_for_an_option(option, meant):
    with pytest.raises(rnnzoo.UsageError) as error:
        override(CONFIG, [option, "3"], "train.py", others=("workdir",))
    assert f"did you mean {meant}" in str(error.value)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--model", "lstm"], "did you mean --cell LSTM?"),
        (["--cell", "banded"], "did you mean --cell.structure Banded?"),
        (["--cell.structure.bandwidth", "3"], "Diagonal has no bandwidth; of structures, Banded, "),
        (["--task.delay", "3"], "BinaryAddition has no delay; of tasks, "),
    ],
)
def test_options_of_other_members(args, message):
    with pytest.raises(rnnzoo.UsageError) as error:
        override(CONFIG, args, "train.py")
    assert message in str(error.value)


def test_options_that_exist_pass():
    args = ["--model.no-tied", "--cell.no-bias", "--lr=0.5", "--config.batch-size", "3", "--task.bits", "5"]
    config = override(CONFIG, args, "train.py")
    assert (config.lr, config.batch_size, config.task.bits, config.cell.bias) == (0.5, 3, 5, False)


def test_paragraphs_are_filled_and_indented_lines_stay(monkeypatch):
    monkeypatch.setenv("COLUMNS", "21")
    assert filled("one two three\nfour five\n\nsix:\n  seven eight nine ten eleven") == (
        "one two three four\nfive\n\nsix:\n  seven eight nine ten eleven"
    )


def test_a_kind_that_is_no_member_is_found_as_well():
    with pytest.raises(UsageError, match="did you mean pretrained"):
        command(["list", "pretrainedd"])


def test_a_study_that_is_not_there_is_looked_for_among_studies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("print(1)")
    (tmp_path / "mine.py").write_text("study = 1")
    with pytest.raises(UsageError, match=r"mine\.py") as error:
        command(["study", "nope.py"])
    assert "train.py" not in str(error.value)
