"""Studies: lanes are the runs that they stand for, tables survive a kill, and what cannot be used is refused."""

import csv
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close
from task_support import opened

from rnnzoo import UsageError, cells, structures, tasks
from rnnzoo.commands import study as command
from rnnzoo.commands import sweep
from rnnzoo.config import Config
from rnnzoo.study import Study, load_study
from rnnzoo.study.lanes import Pack
from rnnzoo.study.runner import Runner
from rnnzoo.study.shared import is_pattern, masked, packs, pattern, program
from rnnzoo.study.table import Table, columns, read_table
from rnnzoo.training.numbers import lanes_of, program_of
from rnnzoo.training.update import evaluate, init_state, train_steps

SIZE = 6


def config(structure: structures.Structure, **options) -> Config:
    fields = {"lr": 1e-2, "steps": 4, "batch_size": 2, "eval_every": 2, "eval_lengths": (1, 2), "seed": 7, "seeds": 2}
    task = tasks.Parity(length=3, test_length=4)
    return Config(**{"task": task, "cell": cells.Elman(hidden_size=SIZE, structure=structure)} | fields | options)


ROWS = {
    "diagonal": config(structures.Diagonal()),
    "band": config(structures.Banded(), lr=3e-2),
    "dense": config(structures.Dense(), seed=8),
    "rank 1": config(structures.LowRank(rank=1)),
}
STUDY = Study(rows=ROWS)


def quiet(*args) -> None:
    pass


def run(study: Study, path, resume: bool = False) -> list[dict[str, str]]:
    table = Table(path, columns(study.rows))
    runner = Runner(study, table, quiet)
    runner.check()
    table.open(resume)
    runner.run()
    return table.lines


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The table of the study, which others go on with."""
    path = tmp_path_factory.mktemp("study") / "table.csv"
    run(STUDY, path)
    return path


@pytest.mark.parametrize("structure", [structures.Diagonal(), structures.Banded(), structures.Triangular()], ids=str)
def test_a_pattern_is_found_by_its_entries(structure):
    assert is_pattern(structure, SIZE)
    dense = structure.matrix(jax.tree.map(jnp.ones_like, structure.init(jax.random.key(0), SIZE)), SIZE)
    assert (pattern(structure, SIZE) == (np.asarray(dense) != 0)).all()


@pytest.mark.parametrize(
    "structure",
    [structures.LowRank(), structures.Circulant(), structures.Kronecker(), structures.Symmetric(), structures.Cayley()],
    ids=str,
)
def test_what_is_more_than_zeros_in_fixed_places_is_no_pattern(structure):
    assert not is_pattern(structure, SIZE)


def test_rows_that_differ_in_zeros_numbers_and_seeds_share_a_program():
    programs = {name: program(row) for name, row in ROWS.items()}
    assert programs["diagonal"] == programs["band"] == programs["dense"] != programs["rank 1"]
    assert [list(pack) for pack in packs(ROWS, lambda row: 1.0)] == [["diagonal", "band", "dense"], ["rank 1"]]
    assert len(packs(ROWS, lambda row: 1e12)) == 4  # a large network alone keeps the device busy
    assert len(packs({**ROWS, "longer": config(structures.Diagonal(), steps=6)}, lambda row: 1.0)) == 3


def alone(row: Config) -> dict[str, list[float]]:
    """The test scores of a row that is trained by itself, with its own structure."""
    data = opened(row.task)
    model, own = row.network(data), program_of(row)
    keys, numbers = lanes_of(row)
    state = init_state(own, model, keys)
    state, _ = train_steps(own, model, data.static, data.arrays, keys, numbers, state, np.int32(0), length=row.steps)
    return evaluate(row, model, state["params"], data.held_out("test"))


@pytest.mark.parametrize("name", ROWS)
def test_a_lane_is_the_run_that_it_stands_for(finished, name):
    lines = [line for line in read_table(finished) if line["row"] == name]
    assert [int(line["seed"]) for line in lines] == [ROWS[name].seed, ROWS[name].seed + 1]
    expected = alone(ROWS[name])["bit_error"]
    found = [float(line["scores"].partition('"bit_error": ')[2].partition(",")[0].rstrip("}")) for line in lines]
    assert found == pytest.approx(expected, abs=2e-3)  # of 8,192 bits, a few are near the border
    assert all(line["test"] and line["test@1x"] and line["test@2x"] and line["ended"] == "4" for line in lines)


def test_masked_parameters_are_those_of_the_structure():
    row = ROWS["band"]
    stand_in = masked(row)
    assert stand_in is not None and stand_in.cell.structures["h"] == structures.MaskedDense()
    data = opened(row.task)
    keys, _ = lanes_of(row)
    plain = init_state(program_of(row), row.network(data), keys)["params"]["layer_0"]["cell"]["u"]["h"]
    ours = Pack({"band": row}, data, {})._first_state()["params"]["layer_0"]["cell"]["u"]["h"]
    for seed in range(row.seeds):
        u, own = (jax.tree.map(lambda a, s=seed: a[s], tree) for tree in (plain, ours))
        assert_close(structures.MaskedDense().matrix(own, SIZE), structures.Banded().matrix(u, SIZE))


def test_the_table_says_what_was_run(finished):
    lines = {line["row"]: line for line in read_table(finished)}
    assert lines["band"]["structure"] == "Banded(bandwidth=1)" and lines["band"]["params_u"] == str(3 * SIZE - 2)
    assert lines["dense"]["nonzeros_u"] == str(SIZE**2) and lines["diagonal"]["nonzeros_u"] == str(SIZE)
    assert lines["band"]["lr"] == "0.03" and lines["band"]["cell"] == "Elman" and lines["band"]["solved"] == "False"
    assert len({line["config"] for line in lines.values()}) == 4


def test_a_killed_study_goes_on_with_whole_lines(finished, tmp_path):
    text = finished.read_text()
    for cut in (len(text) // 3, len(text) - 1):
        path = tmp_path / f"{cut}.csv"
        path.write_text(text[:cut])
        again = run(STUDY, path, resume=True)
        kept = {(line["row"], line["seed"]) for line in again}
        assert len(again) == len(kept) == 8
        same = [name for name in columns(ROWS) if name not in ("seconds", "solved_seconds")]
        before = {(line["row"], line["seed"]): line for line in read_table(finished)}
        assert all(line[name] == before[line["row"], line["seed"]][name] for line in again for name in same)


def test_what_is_there_is_not_trained_again(finished, tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text(finished.read_text())
    monkeypatch.setattr(Pack, "run", lambda *args: pytest.fail("trained"))
    assert len(run(STUDY, path, resume=True)) == 8


def test_a_table_is_neither_overwritten_nor_mixed(finished, tmp_path):
    with pytest.raises(UsageError, match="is there; accepted: --resume"):
        run(STUDY, finished)
    path = tmp_path / "table.csv"
    path.write_text(finished.read_text())
    other = Study(rows={**ROWS, "band": dataclasses.replace(ROWS["band"], lr=0.5)})
    with pytest.raises(UsageError, match="the row 'band' of another configuration"):
        run(other, path, resume=True)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="its columns differ"):
        run(STUDY, path, resume=True)
    with pytest.raises(UsageError, match="lacks the column row"):
        read_table(path)


def test_learning_rates_are_chosen_on_validation_data_by_seeds_of_their_own(tmp_path):
    rows = {"dense": config(structures.Dense(), steps=40, eval_every=20, eval_lengths=())}
    study = Study(rows=rows, choose={"lr": (1e-6, 3e-2)}, choose_seeds=(100, 2))
    lines = run(study, tmp_path / "table.csv")
    choice = [line for line in lines if line["purpose"] == "choice"]
    assert [(line["row"], line["seed"]) for line in choice] == [
        (f"dense lr={lr}", seed) for lr in ("1e-06", "0.03") for seed in ("100", "101")
    ]
    best = {lr: np.median([float(c["best_validation"]) for c in choice if c["lr"] == lr]) for lr in ("1e-06", "0.03")}
    assert {line["lr"] for line in lines if line["purpose"] == "result"} == {min(best, key=lambda lr: best[lr])}


def test_a_lane_ends_when_it_is_solved(tmp_path):
    row = config(
        structures.Dense(), task=tasks.Parity(length=2, test_length=2), steps=600, eval_every=100, batch_size=16,
        stop_when_solved=True, eval_lengths=(),
    )  # fmt: skip
    for line in run(Study(rows={"short": row}), tmp_path / "table.csv"):
        assert line["solved"] == "True" and line["ended"] == line["solved_step"] and int(line["ended"]) <= 600


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": {}}, "rows is empty"),
        ({"rows": {"a\nb": ROWS["band"]}}, "has the name"),
        ({"rows": {"a": 1}}, "accepted: a rnnzoo.config.Config"),
        ({"rows": ROWS, "choose": {"learning": (1,)}}, "did you mean|known"),
        ({"rows": ROWS, "choose": {"lr": ()}}, "is empty"),
        ({"rows": ROWS, "choose": {"lr": (-1.0,)}}, "Config.lr is -1"),
    ],
)
def test_what_is_no_study_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Study(**options)


FILE = """
from rnnzoo import cells, structures, tasks
from rnnzoo.config import Config
from rnnzoo.study import Study

def row(structure):
    return Config(task=tasks.Parity(length=3, test_length=4), cell=cells.Elman(hidden_size=6, structure=structure),
                  steps=4, batch_size=2, eval_every=2, seeds=2)

study = Study(rows={"a/diagonal": row(structures.Diagonal()), "a/dense": row(structures.Dense())})
"""


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(FILE)
    assert command.main(["mine.py", "--only", "diag"]) == 0
    assert command.main(["mine.py", "--resume"]) == 0
    said = capsys.readouterr().out
    assert "a/dense" in said and "wrong_sequences" in said and "4 lines in results/mine.csv" in said
    assert command.main(["mine.py", "--commands"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "--only '^a/diagonal$'" in first and second.endswith("--out results/mine/a-dense.csv --resume")
    with pytest.raises(UsageError, match="matches no row; did you mean a/dense"):
        load_study("mine.py").only("a/dennse")
    with pytest.raises(UsageError, match=r"no study file 'min\.py'; did you mean mine\.py"):
        load_study("min.py")


CONFIG = (
    FILE[: FILE.index("study =")].replace("from rnnzoo.study import Study", "") + "config = row(structures.Dense())\n"
)


def test_a_sweep_is_a_study_of_options(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.py").write_text(CONFIG)
    args = ["--config", "c.py", "--grid", "lr=1e-3,1e-2", "--grid", "cell.structure=dense,banded", "--seeds", "1"]
    assert sweep.main(args) == 0
    assert "lr=1e-2 cell.structure=banded" in capsys.readouterr().out
    with open("results/sweep-c.csv") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 4 and {line["lr"] for line in lines} == {"0.001", "0.01"}


def test_draws_of_a_sweep():
    found = sweep.combinations(["seed=1,2"], ["lr=log:1e-4:1e-1", "batch-size=8,16"], samples=20, seed=3)
    assert len(found) == 40 and found == sweep.combinations(
        ["seed=1,2"], ["lr=log:1e-4:1e-1", "batch-size=8,16"], samples=20, seed=3
    )
    assert all(1e-4 <= float(choice["lr"]) <= 1e-1 for choice in found)
    assert {choice["batch-size"] for choice in found} == {"8", "16"}


@pytest.mark.parametrize(
    ("grid", "random"),
    [([], []), (["lr"], []), (["lr=1,1"], []), ([], ["lr=log:0:1"]), ([], ["lr=uniform:2:1"]), ([], ["lr=log:a:b"])],
)
def test_a_sweep_of_nothing_is_refused(grid, random):
    with pytest.raises(UsageError, match="accepted"):
        sweep.combinations(grid, random, samples=2, seed=0)
