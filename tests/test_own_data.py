"""Tasks on a user's own files: what is read, how it is split, and what is refused."""

import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_data_support import folder, own_tasks, sequences_csv, series_csv, text_folder, write
from task_support import BATCH, LOSS, SCORES, draw, held_out, opened, perfect, rough, score

import rnnzoo
from rnnzoo import UsageError, tasks
from rnnzoo.tasks import measures
from rnnzoo.tasks.csv_file import CSVFile, held
from rnnzoo.tasks.data import Sequences

CONFIG = Path(__file__).parents[1] / "configs/mackey_glass.py"
OWN = pytest.mark.parametrize("task", own_tasks(), ids=lambda t: f"{type(t).__name__}-{getattr(t, 'unit', '')}")


# ---- what every task promises ----------------------------------------------------------------------------


@OWN
def test_own_data_are_tasks_like_any_other(task):
    data, again = opened(task), task.open()
    assert data == again and hash(data) == hash(again) and data.fingerprint == again.fingerprint
    assert rnnzoo.from_json(rnnzoo.to_json(task)) == task
    batch = draw(task)
    assert batch["x"].shape[1] == 6 and np.isfinite(batch["x"]).all()
    found = score(task, held_out(task), lambda b: perfect(task, b))
    assert found[task.metric] == pytest.approx({"higher": 1.0, "lower": 0.0}[task.better], abs=1e-6)
    loss, gradient = LOSS(rough(task, batch), task, batch)
    assert np.isfinite(loss) and np.isfinite(gradient).all()
    worse = {name: value for name, value in task.baselines(data).items() if not np.isfinite(value) or value < 0}
    assert not worse
    assert not score(task, held_out(task, "validation"), lambda b: rough(task, b)).keys() - found.keys()


@OWN
def test_a_task_says_whose_data_it_knows(task):
    assert task.differs(task) is None
    other = rnnzoo.from_json(rnnzoo.to_json(task).replace(str(folder()), "/elsewhere"))
    if getattr(task, "unit", "word") == "word":
        assert "not of" in task.differs(other)
    with pytest.raises(UsageError, match="there is no path"):
        type(task)().open()


# ---- masks and weights -----------------------------------------------------------------------------------


def test_masks_and_weights():
    values, x = np.arange(6.0, dtype="float32").reshape(3, 2), np.zeros((3, 2, 1))
    mask = np.array([[True, False], [True, True], [True, True]])
    lengths, weight = np.array([2, 3]), np.array([1.0, 3.0])
    both = {"x": x, "mask": mask, "lengths": lengths, "weight": weight}
    cases: list[tuple[Any, Any, float]] = [
        (values, {"x": x}, 2.5),
        (values, {"x": x, "mask": mask}, (0 + 2 + 4 + 3 + 5) / 5),
        (values, {"x": x, "mask": mask, "lengths": lengths}, (0 + 2 + 3 + 5) / 4),
        (values, both, (0 + 2 + 3 * (3 + 5)) / 8),
        (values[0], both, (0 + 3 * 1) / 4),  # one loss for each sequence
        (values, both | {"mask": mask & False}, 0.0),
        (values, {"x": x, "mask": mask & False}, 0.0),
    ]
    found = jax.jit(lambda: [measures.loss(jnp.asarray(losses), batch) for losses, batch, _ in cases])()
    assert [float(loss) for loss in found] == pytest.approx([expected for _, _, expected in cases])
    gradient = jax.jit(jax.grad(lambda v: measures.loss(v, both)))(np.where(mask, values, np.nan))
    assert np.isfinite(gradient).all()


def test_weights_that_are_none_are_refused():
    part = {"x": jnp.zeros((2, 3, 1)), "y": jnp.zeros(2, "int32"), "weight": jnp.array([1.0, -1.0])}
    with pytest.raises(UsageError, match="weight of the train part has -1"):
        Sequences(input_size=1, output_size=2, read="last", arrays={"train": part})


# ---- sequences of different lengths ----------------------------------------------------------------------


def ragged(read: str, window: int = 0) -> tuple[Sequences, np.ndarray]:
    random = np.random.RandomState(0)
    lengths = random.randint(0, 101, 300)
    x = random.randn(300, 100, 1).astype("float32")
    y = random.randint(0, 2, (300, 100) if read == "each" else 300).astype("int32")
    part = {"x": x, "y": y, "lengths": lengths.astype("int32"), "mask": random.rand(300, 100) < 0.8}
    arrays = {name: jnp.asarray(a) for name, a in part.items()}
    given: Any = {"read": read, "window": window, "arrays": {"train": arrays, "test": arrays}}
    return Sequences(input_size=1, output_size=2, **given), lengths


def sequences(batches: list[Any], timed: tuple[str, ...]) -> list[Any]:
    """Every sequence of the batches, cut at its length."""
    found = []
    for batch in batches:
        host = {name: np.asarray(a) for name, a in batch.items()}
        for b, length in enumerate(host["lengths"]):
            found.append([a[:length, b].tolist() if name in timed else a[b] for name, a in sorted(host.items())])
    return sorted(map(str, found))


@pytest.mark.parametrize("read", ["each", "last"])
def test_held_out_sequences_are_evaluated_in_few_shapes(read, monkeypatch):
    data, _ = ragged(read)
    timed = ("x", "y", "mask") if read == "each" else ("x", "mask")
    arrays = {name: np.asarray(a) for name, a in data.arrays["test"].items()}
    whole = {name: a.swapaxes(0, 1) if name in timed else a for name, a in arrays.items()}
    for most in (2**20, 1000):
        monkeypatch.setattr("rnnzoo.tasks.data.STEPS_PER_BATCH", most)
        batches = list(data.held_out("test"))
        assert {len(b["x"]) for b in batches} == {1, 2, 4, 8, 16, 32, 64, 100}
        assert len(batches) == 8 or all(b["mask"].size <= 1000 for b in batches)
        assert len({b["x"].shape for b in batches}) <= 16
        assert sum(b["x"].size for b in batches) < 0.85 * 300 * 100
        # What is judged is the same, so that sums over batches are.
        assert sequences(batches, timed) == sequences([whole], timed)


def test_training_windows_are_stretches_of_the_sequences():
    data, lengths = ragged("each", window=7)
    batch = jax.tree.map(np.asarray, BATCH(data.static, data.arrays, jax.random.key(0), 40))
    train = {name: np.asarray(a) for name, a in data.arrays["train"].items()}
    assert batch["x"].shape == (7, 40, 1) and batch["y"].shape == batch["mask"].shape == (7, 40)
    for b in range(40):
        row, at = np.argwhere(train["x"][..., 0] == np.asarray(batch["x"][0, b, 0]))[0]
        assert batch["lengths"][b] == min(lengths[row] - at, 7) and (at == 0 or batch["lengths"][b] == 7)
        np.testing.assert_array_equal(batch["y"][:, b], train["y"][row, at : at + 7])


# ---- CSV files -------------------------------------------------------------------------------------------

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=5))
def test_what_is_written_is_read(rows):
    import csv
    import io

    csv.writer(text := io.StringIO(), lineterminator="\n").writerows([("name", "value"), *rows])
    file = CSVFile("CSVForecast", write("fuzzed.csv", text.getvalue()))
    found = file.read(("value",))
    assert found.numbers[:, 0].tolist() == [value for _, value in rows] and len(found.lines) == len(rows)
    if all(name.strip() for name, _ in rows):
        assert file.read((), ("name",)).texts == [[name.strip() for name, _ in rows]]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(content):
    path = write("bytes.csv", b"a,b\n1,2\n" + content)
    try:
        CSVFile("CSVForecast", path).read(("a", "b"), absent=True)
    except UsageError as error:
        assert "bytes.csv" in str(error)


BAD_SERIES = {
    "": "it is empty",
    "\n\n": "it has no rows",
    "level,flow\n": "it has a header and no rows",
    "1,2\n3,4\n": "line 1 has numbers only",
    "level,level\n1,2\n": "line 1 has the column 'level' twice",
    "level,flow\n1,2\n3\n": "line 3 has 1 cells, and the header has 2",
    "level,flow\n1,2\n\n3,x\n": "line 4: column 'flow' is 'x', which is no number",
    "level,flow\n1,2\n3,\n": "line 3: column 'flow' is '', which is no finite number",
    "level,flow\n1,2\n3,inf\n": "line 3: column 'flow' is 'inf'",
    'level,flow\n1,2\n"3,4\n': "line 3: unexpected end of data",
    "level,flow\n" + "1,2\n" * 40: "does not change in the train part, rows 1 to 28",
    "level,flow\n" + "1,2\n2,1\n" * 5: "has 10 rows, of which the train part gets 7; accepted: at least 11",
}


@pytest.mark.parametrize("content", BAD_SERIES)
def test_bad_series_are_refused(content):
    path = write("bad.csv", content)
    with pytest.raises(UsageError) as error:
        tasks.CSVForecast(path=path, window=10).open()
    assert BAD_SERIES[content] in str(error.value) and path in str(error.value)


def test_fields_that_do_not_fit_the_file_are_refused():
    path = series_csv()
    for fields, message in (
        ({"columns": ("levle",)}, "CSVForecast.columns has 'levle', which is no column of .*; did you mean level?"),
        ({"target": ("x", "flow")}, "CSVForecast.target has 'x'"),
        ({"columns": ("flow", "flow")}, "has 'flow' twice"),
        ({"delimiter": ""}, "CSVForecast.delimiter is ''; accepted: one character"),
        ({"delimiter": ";"}, "has 'level', which is no column of .*; known: time,level,flow"),
        ({"warmup": 64}, "CSVForecast.warmup is 64; accepted: less than the window of 64 rows"),
    ):
        with pytest.raises(UsageError, match=message):
            tasks.CSVForecast(**{"path": path, "columns": ("level",), **fields}).open()
    latin = write("latin.csv", "level,größe\n1,2\n".encode("latin-1"))
    with pytest.raises(UsageError, match=r"byte 8 \(line 1\) is 0xf6, which is not UTF-8"):
        tasks.CSVForecast(path=latin).open()


def test_a_forecast_predicts_each_row_of_a_part_once():
    path = series_csv()
    task = tasks.CSVForecast(path=path, columns=("level",), horizon=3, window=10, warmup=4)
    data = opened(task)
    level = np.array([np.sin(i / 5) + 3 for i in range(120)])
    scaled = (level - level[:84].mean()) / level[:84].std()
    for part, begin, end in (("train", 7, 84), ("validation", 84, 102), ("test", 102, 120)):
        seen = []
        for batch in held_out(task, part):
            seen.append(batch["y"][..., 0].T[batch["mask"].T])
            assert (batch["mask"].sum(0) <= 6).all() and not batch["mask"][:4].any()
        np.testing.assert_allclose(np.concatenate(seen), scaled[begin:end], atol=1e-3)
    batch = draw(task, 50)
    found = np.asarray(data.arrays["x"])[:, 0]
    for b in range(50):
        at = int(np.argmin(abs(found - batch["x"][0, b, 0])))
        np.testing.assert_array_equal(batch["x"][:, b, 0], found[at : at + 10])
        np.testing.assert_array_equal(batch["y"][:, b, 0], found[at + 3 : at + 13])
        assert at + 13 <= 84


def test_scores_of_a_forecast():
    task = own_tasks()[0]
    data = opened(task)
    persistence = task.baselines(data)["persistence"]
    flow = np.array([np.cos(i / 7) for i in range(120)])
    error = flow[102:120] - flow[99:117]
    assert persistence == pytest.approx(np.sqrt((error**2).mean()) / flow[102:].std(), rel=1e-3)
    found = score(task, held_out(task), lambda b: np.zeros_like(b["y"]))
    mean = flow[:84].mean()
    assert found["nrmse"] == pytest.approx(np.sqrt(((flow[102:] - mean) ** 2).mean()) / flow[102:].std(), rel=1e-3)
    assert found["mse"] == pytest.approx(((flow[102:] - mean) ** 2).mean() / flow[:84].var(), rel=1e-3)


def test_missing_values_are_held_and_not_scored():
    rows = [f"{i % 7},{i % 5}" if i % 6 else ",NA" for i in range(60)]
    path = write("holes.csv", "\n".join(["a,b", *rows]))
    with pytest.raises(
        UsageError, match=r"line 2: column 'a' is '', which is no finite number \(or set missing to 'hold'"
    ):
        tasks.CSVForecast(path=path, window=5).open()
    data = opened(tasks.CSVForecast(path=path, window=5, missing="hold"))
    assert not np.isnan(data.arrays["x"]).any()
    np.testing.assert_array_equal(data.arrays["counts"], np.arange(60) % 6 != 0)
    np.testing.assert_array_equal(data.arrays["x"][6], data.arrays["x"][5])
    nan = np.nan
    found = held(np.array([[nan, 1], [2, nan], [nan, nan], [3, nan]]), np.array([9.0, 8.0]))
    assert found.tolist() == [[9, 1], [2, 1], [2, 1], [3, 1]]


def test_rows_become_sequences():
    path = sequences_csv()
    data = opened(tasks.CSVClassify(path=path, sequence="id", label="kind", time="t", features=("a",)))
    parts = data.arrays
    assert sorted(len(part["y"]) for part in parts.values()) == [3, 3, 18]
    lengths = np.concatenate([part["lengths"] for part in parts.values()])
    assert sorted(lengths.tolist()) == sorted(1 + i % 9 for i in range(24))
    for part in parts.values():
        there = np.arange(part["x"].shape[1]) < np.asarray(part["lengths"])[:, None]
        assert not np.asarray(part["x"])[~there].any()
        first = np.asarray(part["x"])[:, 0, 0]
        assert ((first > 0) == (np.asarray(part["y"]) == 1)).all() and set(part["y"].tolist()) == {0, 1}  # down, up
    # The rows of a sequence, from the last step of all to the first in the file, are in the order of time.
    reverse = opened(tasks.CSVClassify(path=path, sequence="id", label="kind", features=("a",)))
    last = np.asarray(reverse.arrays["test"]["lengths"]) - 1
    rows = np.arange(len(last))
    np.testing.assert_array_equal(reverse.arrays["test"]["x"][rows, last], parts["test"]["x"][:, 0])


def test_balanced_weights():
    train = opened(own_tasks()[1]).arrays["train"]
    y, weight = np.asarray(train["y"]), np.asarray(train["weight"])
    assert weight.mean() == pytest.approx(1) and weight[y == 0].sum() == pytest.approx(weight[y == 1].sum())
    assert "weight" not in opened(own_tasks()[1]).arrays["test"]


BAD_SEQUENCES = {
    "id,t,a,kind\ns,0,1,up\ns,1,2,down\n": "line 3: sequence 's' has the label 'down', and 'up' before",
    "id,t,a,kind\ns,0,1,up\ns,0,2,up\n": "line 3: sequence 's' has that time twice",
    "id,t,a,kind\ns,0,1,up\nr,0,2,\n": "line 3: column 'kind' is empty",
    "id,t,a,kind\ns,0,1,up\nr,0,2,up\n": "one class only, ('up',)",
    "id,t,a,kind\ns,0,1,up\nr,0,2,down\n": "2 sequences",
    "id,t,kind\ns,0,up\nr,0,down\n": "no column left to read",
    "id,time,a,kind\ns,0,1,up\n": "CSVClassify.time has 't', which is no column",
    "id,t,a,kind\ns,noon,1,up\n": "line 2: column 't' is 'noon'",
    "id,t,a,kind\n": "it has a header and no rows",
}


@pytest.mark.parametrize("content", BAD_SEQUENCES)
def test_bad_sequences_are_refused(content):
    path = write("bad_sequences.csv", content)
    with pytest.raises(UsageError) as error:
        tasks.CSVClassify(path=path, sequence="id", label="kind", time="t").open()
    assert BAD_SEQUENCES[content] in str(error.value) and path in str(error.value)


# ---- arrays ----------------------------------------------------------------------------------------------


def saved(**arrays: Any) -> str:
    np.savez(path := folder() / "saved.npz", **arrays)
    return str(path)


X, Y = np.arange(36.0).reshape(12, 3), np.arange(12) % 2
BAD_ARRAYS: list[tuple[dict[str, Any], str]] = [
    ({"x": X}, "it has no array y, but x"),
    ({"x": X, "y": Y, "labels": Y}, "has an array 'labels'; "),
    ({"x": X, "y": Y[:-1]}, r"y is int64 of shape \(11,\); needed: integers or text \(12,\)"),
    ({"x": X, "y": Y / 2}, "y is float64"),
    ({"x": X[0], "y": Y}, r"x is float64 of shape \(3,\); needed"),
    ({"x": X + 1j, "y": Y}, "x is complex128"),
    ({"x": np.array([None] * 12, object), "y": Y}, "Object arrays cannot be loaded"),
    ({"x": np.where(X == 7, np.nan, X), "y": Y}, r"x\[2, 1, 0\] is nan"),
    ({"x": X, "y": Y, "lengths": np.full(12, 4)}, r"lengths\[0\] is 4; needed: 1 to 3"),
    ({"x": X, "y": Y, "lengths": np.full(12, 2.0)}, "lengths is float64"),
    ({"x": X, "y": 0 * Y}, r"one class only, \('0',\)"),
    ({"x": X, "y": Y, "x_train": X, "y_train": Y}, "both x, y and arrays of parts"),
    (
        {"x_train": X, "y_train": Y, "x_test": X[:, :, None].repeat(2, 2), "y_test": Y},
        r"the parts have \[1, 2\] features",
    ),
    ({"x_train": X, "y_train": Y}, "it has no array x_test"),
]


@pytest.mark.parametrize("case", range(len(BAD_ARRAYS)))
def test_bad_arrays_are_refused(case):
    arrays, message = BAD_ARRAYS[case]
    with pytest.raises(UsageError, match=message):
        tasks.ArrayClassify(path=saved(**arrays)).open()


def test_files_that_hold_no_arrays_are_refused():
    for content in (b"", b"PK\x03\x04 not a zip", b"\x93NUMPY\x01", b"text"):
        with pytest.raises(UsageError, match=r"ArrayClassify.path is .*: cannot read"):
            tasks.ArrayClassify(path=write("no.npz", content)).open()


def test_arrays_that_come_split_stay_split():
    names = np.array(["b", "a"])
    path = saved(x_train=X, y_train=names[Y], x_test=X[:4, :2] + 100, y_test=names[Y[:4]])
    data = opened(tasks.ArrayClassify(path=path))
    assert {name: len(part["y"]) for name, part in data.arrays.items()} == {"train": 10, "validation": 2, "test": 4}
    assert data.arrays["test"]["y"].tolist() == [1, 0, 1, 0] and data.arrays["test"]["lengths"].tolist() == [2] * 4
    np.testing.assert_allclose(np.asarray(data.arrays["train"]["x"]).mean(), 0, atol=1e-6)
    place = folder() / "arrays"
    place.mkdir(exist_ok=True)
    for name, array in {"x": X, "y": Y}.items():
        np.save(place / f"{name}.npy", array)
    found = opened(tasks.ArrayClassify(path=str(place)))
    assert "lengths" not in found.arrays["train"] and {len(p["y"]) for p in found.arrays.values()} == {8, 2}


# ---- texts -----------------------------------------------------------------------------------------------


def test_words_and_bytes():
    data = opened(tasks.TextFolder(path=text_folder(), unit="word", length=8, vocabulary=20))
    assert data.input_size == 21 and data.symbols is None and data.words[0] == "\n" and {"line", "is"} < {*data.words}
    train = np.asarray(data.arrays["train"])
    assert (train == 20).mean() > 0.05  # rarer words share the last token
    task = tasks.TextFolder(path=text_folder(), unit="byte", length=8)
    content = b"".join((folder() / "texts" / name).read_bytes() for name in ("a.txt", "b.txt", "more/c.txt"))
    arrays = opened(task).arrays
    assert (
        arrays["train"].dtype == jnp.uint8 and bytes(np.asarray(arrays["train"])) == content[: len(content) * 9 // 10]
    )
    assert draw(task)["x"].dtype == np.int32 and opened(task).input_size == 256
    with pytest.raises(UsageError, match="its tokens are bytes; accepted"):
        opened(task).encode("a")
    assert tasks.TextFolder(unit="word").derived({"bits_per_token": 3.0}) == {"perplexity": 8.0}
    assert tasks.TextFolder(unit="word").derived({"bits_per_token": 1e6}) == {"perplexity": np.inf}


def test_a_folder_may_come_split():
    place = folder() / "split"
    for part, text in (("train", "abc" * 20), ("validation", "ab"), ("test", "cad")):
        write(f"split/{part}/1.txt", text)
    data = opened(tasks.TextFolder(path=str(place), length=8))
    assert {part: data.decode(np.asarray(tokens)) for part, tokens in data.arrays.items()} == {
        "train": "abc" * 20, "validation": "ab", "test": "ca\ufffd",
    }  # fmt: skip
    write("split/test/1.txt", "c")
    with pytest.raises(UsageError, match="its folder test has 1 characters; length=8 needs 2 there"):
        tasks.TextFolder(path=str(place), length=8).open()
    os.remove(place / "test/1.txt")
    with pytest.raises(UsageError, match=r"no file in .* is called '\*.txt'"):
        tasks.TextFolder(path=str(place), length=8).open()
    os.rmdir(place / "test")
    with pytest.raises(UsageError, match="it has the folders train, validation, but not all of"):
        tasks.TextFolder(path=str(place), length=8).open()


def test_bad_texts_are_refused():
    for name, content, message in (
        ("short.txt", "ab", "it has 2 characters; length=64 needs"),
        ("nul.txt", "a\0b", r"byte 1 \(line 1\) is NUL"),
        ("latin.txt", "one\ntwö".encode("latin-1"), r"byte 6 \(line 2\) is 0xf6"),
    ):
        with pytest.raises(UsageError, match=message):
            tasks.TextFolder(path=write(name, content)).open()
    with pytest.raises(UsageError, match="No such file"):
        tasks.TextFolder(path=str(folder() / "nowhere")).open()
    for pattern, message in (("", "no file in .* is called ''"), ("/x", "TextFolder.pattern is '/x': ")):
        with pytest.raises(UsageError, match=message):
            tasks.TextFolder(path=text_folder(), pattern=pattern).open()


def test_a_text_task_scores_what_char_lm_does():
    text = write("one.txt", "".join(f"line {n} is {n * n}\n" for n in range(80)))
    one, other = tasks.TextFolder(path=text, length=8), tasks.CharLM(path=text, length=8)
    assert one.baselines(opened(one)) == other.baselines(opened(other))
    for a, b in zip(held_out(one), held_out(other), strict=True):
        assert all(np.array_equal(a[name], b[name]) for name in b)
    batch = held_out(one)[0]
    outputs = rough(one, batch)
    assert SCORES(one, outputs, batch)["bits_per_token"] == SCORES(other, outputs, batch)["bits_per_char"]


# ---- end to end ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_line_trains_on_a_csv_file(tmp_path, capsys):
    from rnnzoo.__main__ import command

    path = sequences_csv(60)
    args = [
        "train",
        "--config",
        str(CONFIG),
        "--task",
        "csv-classify",
        "--task.path",
        path,
        "--task.sequence",
        "id",
        "--task.label",
        "kind",
    ]
    args += ["--task.time", "t", "--task.class-weights", "balanced", "--steps", "60", "--lr", "0.02", "--cell", "gru"]
    args += ["--cell.hidden-size", "8", "--batch-size", "16", "--eval-every", "30", "--workdir", str(tmp_path / "run")]
    assert command(args) == 0
    assert command(["evaluate", str(tmp_path / "run")]) == 0
    assert "accuracy" in capsys.readouterr().out
