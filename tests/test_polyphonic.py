"""Piano rolls: what is predicted, which windows are drawn, and which files are refused."""

import io
from typing import Any

import jax
import numpy as np
import pytest
from file_support import REAL, data_dir, open_real, put, unchecked
from task_support import BATCH, LOSS, SCORES

import rnnzoo
from rnnzoo import tasks
from rnnzoo.tasks.series import polyphonic

directory = data_dir
TASK = tasks.Polyphonic(length=5)
SIZES = {"traindata": [4, 17, 6], "validdata": [3, 5], "testdata": [9, 2, 4]}


def pieces(sizes: list[int]) -> list[np.ndarray]:
    random = np.random.RandomState(len(sizes))
    found = [(random.rand(size, 88) < 0.1).astype(np.uint8) for size in sizes]
    for number, piece in enumerate(found):
        piece[:, 0] = number % 2  # the last key says which piece it is, in part
    return found


ROLLS = {name: pieces(sizes) for name, sizes in SIZES.items()}


def mat(rolls: dict[str, list[Any]]) -> bytes:
    from scipy.io import savemat

    cells = {}
    for name, each in rolls.items():
        cells[name] = np.empty((1, len(each)), object)
        cells[name][0] = [np.asarray(one) for one in each]
    file = io.BytesIO()
    savemat(file, cells)
    return file.getvalue()


@pytest.fixture
def write(directory, monkeypatch) -> Any:
    monkeypatch.setitem(polyphonic.SETS, "jsb", unchecked(polyphonic.SETS["jsb"]))
    return lambda content: put(directory / "polyphonic" / "JSB_Chorales.mat", content)


@pytest.fixture
def data(write) -> Any:
    write(mat(ROLLS))
    return TASK.open()


def test_held_out_pieces_are_read_whole(data):
    (batch,) = data.held_out("test")
    assert batch["x"].dtype == np.float32 and batch["y"].dtype == np.int32 and batch["lengths"].tolist() == [8, 1, 3]
    assert batch["x"].shape == batch["y"].shape == (8, 3, 88)
    for place, piece in enumerate(ROLLS["testdata"]):
        length = len(piece) - 1
        np.testing.assert_array_equal(batch["x"][:length, place], piece[:-1])
        np.testing.assert_array_equal(batch["y"][:length, place], piece[1:])
        assert not np.asarray(batch["y"])[length:, place].any()


def test_training_windows_are_places_of_pieces(data):
    batch = jax.tree.map(np.asarray, BATCH(data.static, data.arrays, jax.random.key(0), 400))
    assert batch["x"].shape == (5, 400, 88)
    found: dict[tuple[int, int], int] = {}
    for place in range(400):
        length = batch["lengths"][place]
        window = np.concatenate([batch["x"][:1, place], batch["y"][:length, place]])
        assert not batch["y"][length:, place].any()
        (at,) = [
            (number, start)
            for number, piece in enumerate(ROLLS["traindata"])
            for start in range(max(1, len(piece) - 5))
            if min(5, len(piece) - 1) == length and (piece[start : start + length + 1] == window).all()
        ]
        found[at] = found.get(at, 0) + 1
    assert set(found) == {(0, 0), (2, 0), *((1, start) for start in range(12))}
    longest = sum(count for (number, _), count in found.items() if number == 1)
    assert longest / 400 == pytest.approx(4 / 6, abs=0.1)  # four windows of six


def test_the_score_is_the_mean_of_the_predicted_frames(data):
    """As in the TCN paper's code: the sum over keys and frames of all pieces, over the number of predicted frames."""
    (batch,) = data.held_out("test")
    logits = np.random.RandomState(1).randn(8, 3, 88).astype(np.float32)
    total, count = SCORES(TASK, logits, batch)["nats_per_frame"]
    expected, frames = 0.0, 0
    for place, piece in enumerate(ROLLS["testdata"]):
        x = 1 / (1 + np.exp(-logits[: len(piece) - 1, place].astype(float)))
        y = piece[1:]
        expected -= np.trace(y @ np.log(x).T + (1 - y) @ np.log(1 - x).T)
        frames += len(x)
    assert float(count) == frames == 12 and float(total) == pytest.approx(expected, rel=1e-5)
    assert float(LOSS(logits, TASK, batch)[0]) == pytest.approx(expected / frames, rel=1e-5)


def test_baselines(data):
    found = TASK.baselines(data)
    then = np.concatenate([piece[1:] for piece in ROLLS["traindata"]])
    p = (then.sum(0) + 1) / (len(then) + 2)
    test = np.concatenate([piece[1:] for piece in ROLLS["testdata"]])
    nats = -np.where(test == 1, np.log(p), np.log(1 - p)).sum(1).mean()
    assert found["key_frequency"] == pytest.approx(nats) and np.isfinite(found["copy_frame"])


def test_pieces_of_other_composers_are_another_task():
    assert TASK.differs(tasks.Polyphonic(length=9)) is None
    assert TASK.differs(tasks.Polyphonic(data="musedata")) == "it was trained on jsb, not on musedata"


ROLL = ROLLS["traindata"][0]
BAD: list[tuple[bytes, str]] = [
    (b"", "is no MATLAB file"),
    (b"MATLAB 5.0 " + bytes(200), "is no MATLAB file"),
    (mat(ROLLS)[:700], "is no MATLAB file"),
    (mat({"traindata": [ROLL]}), "has no validdata; accepted: the entries traindata, validdata, testdata"),
    (mat({**ROLLS, "testdata": []}), "has no testdata"),
    (mat({**ROLLS, "traindata": [ROLL, ROLL[:, :87]]}), r"piece 1 of traindata is uint8 \(4, 87\); accepted: .*88"),
    (mat({**ROLLS, "traindata": [ROLL[:1], ROLL]}), r"piece 0 of traindata is uint8 \(1, 88\)"),
    (mat({**ROLLS, "validdata": [ROLL + 1.0 * np.eye(4, 88)[::-1] * 9]}), "piece 0 of validdata: frame 0 has other"),
    (mat({**ROLLS, "validdata": [np.where(ROLL == 1, np.nan, 0)]}), "piece 0 of validdata: frame . has other"),
    (mat({**ROLLS, "validdata": ["text"]}), "piece 0 of validdata is <U4"),
]


@pytest.mark.parametrize(("content", "said"), BAD)
def test_bad_files_are_refused(write, content, said):
    write(content)
    with pytest.raises(rnnzoo.UsageError, match=rf"JSB_Chorales\.mat:? {said}"):
        TASK.open()


def test_the_published_files_are_asked_for(directory):
    put(directory / "polyphonic" / "Nottingham.mat", mat(ROLLS))
    with pytest.raises(rnnzoo.UsageError, match=r"is not the published file.*371,688 bytes, SHA-256 d154"):
        tasks.Polyphonic(data="nottingham").open()
    with pytest.raises(rnnzoo.UsageError, match=r"JSB Chorales needs files .*polyphonic holding JSB_Chorales\.mat"):
        TASK.open()


@REAL
@pytest.mark.parametrize(
    ("name", "frequency", "copy"),
    [("jsb", 11.09, 13.71), ("nottingham", 10.26, 6.83), ("musedata", 11.51, 9.69), ("piano_midi", 11.05, 9.23)],
)
def test_the_real_files(name, frequency, copy):
    task = tasks.Polyphonic(data=name)
    data = open_real(task)
    assert task.baselines(data) == pytest.approx({"key_frequency": frequency, "copy_frame": copy}, abs=0.01)
    if name == "jsb":
        assert [len(data.arrays[part]["starts"]) for part in ("train", "validation", "test")] == [229, 76, 77]
