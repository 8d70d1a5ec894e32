"""MNIST: its files, their parser, and the parts of the data."""

import gzip
import struct
from typing import Any

import numpy as np
import pytest
from file_support import REAL, data_dir, open_real, put, unchecked
from task_support import draw

import rnnzoo
from rnnzoo import tasks
from rnnzoo.tasks.classification import mnist
from rnnzoo.tasks.classification.idx import parse_idx

directory = data_dir
NAMES = [file.name for file in mnist.SETS["mnist"].files]
RANDOM = np.random.RandomState(0)
COUNTS = {"train": 30, "t10k": 12}


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def arrays() -> dict[str, np.ndarray]:
    found = {}
    for name in NAMES:
        count = COUNTS[name.partition("-")[0]]
        labels = (np.arange(count) % 10).astype(np.uint8)
        found[name] = RANDOM.randint(0, 256, (count, 28, 28)).astype(np.uint8) if "images" in name else labels
    return found


@pytest.fixture
def files(directory, monkeypatch) -> dict[str, np.ndarray]:
    """Small files under the published names, of which two are not packed."""
    found = arrays()
    for name, array in found.items():
        packed = name.startswith("train")
        path = directory / "mnist" / (name if packed else name.removesuffix(".gz"))
        put(path, gzip.compress(idx(array)) if packed else idx(array))
    monkeypatch.setitem(mnist.SETS, "mnist", unchecked(mnist.SETS["mnist"]))
    monkeypatch.setattr(mnist, "VALIDATION", 7)
    return found


def test_parts_and_views(files):
    data = tasks.MNIST().open()
    sizes = {part: a["x"].shape for part, a in data.arrays.items()}
    assert sizes == {"train": (23, 28, 28), "validation": (7, 28, 28), "test": (12, 28, 28)}
    assert {a["x"].dtype for a in data.arrays.values()} == {np.dtype(np.uint8)}
    test = next(data.held_out("test"))
    np.testing.assert_allclose(test["x"], files["t10k-images-idx3-ubyte.gz"].swapaxes(0, 1) / 255, rtol=1e-6)
    np.testing.assert_array_equal(test["y"], np.arange(12) % 10)
    train = np.concatenate([np.asarray(data.arrays[part]["x"]) for part in ("train", "validation")])
    assert sorted(map(bytes, train)) == sorted(map(bytes, files["train-images-idx3-ubyte.gz"]))
    pixels = tasks.MNIST(view="pixels").open()
    assert pixels.input_size == 1 and pixels.arrays["test"]["x"].shape == (12, 784, 1)
    mixed = np.asarray(tasks.MNIST(view="pixels", permuted=True).open().arrays["test"]["x"])
    assert (np.sort(mixed, 1) == np.sort(pixels.arrays["test"]["x"], 1)).all()
    assert not (mixed == pixels.arrays["test"]["x"]).all()


def test_batches_and_baselines(files):
    batch = draw(tasks.MNIST(), 5)
    assert batch["x"].shape == (28, 5, 28) and batch["x"].dtype == np.float32 and batch["x"].max() <= 1
    data = tasks.MNIST(view="pixels").open()
    assert set(tasks.MNIST().baselines(data)) == {"majority", "nearest_mean", "least_squares"}


def test_other_images_are_another_task():
    plain = tasks.MNIST()
    assert plain.differs(tasks.MNIST()) is None
    assert "not on MNIST(data='fashion'" in str(plain.differs(tasks.MNIST(data="fashion")))
    assert "not on Parity" in str(plain.differs(tasks.Parity()))


def test_the_published_files_are_asked_for(directory, files, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("RNNZOO_DATA", str(directory))
    with pytest.raises(rnnzoo.UsageError, match=r"is not the published file: .*ubyte\.gz \(.* bytes unpacked, SHA-256"):
        tasks.MNIST().open()


BAD: list[tuple[Any, str]] = [
    (lambda raw: b"", "begins with nothing"),
    (lambda raw: b"\x89PNG" + raw, "begins with 89504e47, not with 00000803"),
    (lambda raw: raw[:9], "ends at byte 9, within its header of 16"),
    (lambda raw: raw[:-1], "23,519 bytes follow its header, which says 23,520"),
    (lambda raw: raw + b"0", "23,521 bytes follow its header"),
    (lambda raw: raw[:4] + b"\xff" * 12 + raw[16:], "its header says 4294967295 x 4294967295"),
    (lambda raw: raw[:4] + bytes(4) + raw[8:16], "its header says 0 x 28 x 28"),
]


@pytest.mark.parametrize(("spoil", "said"), BAD)
def test_bad_files_are_refused(spoil, said):
    with pytest.raises(rnnzoo.UsageError, match=rf"a/b\.gz: (it|\d).*{said}|a/b\.gz: {said}"):
        parse_idx(spoil(idx(np.zeros((30, 28, 28), np.uint8))), "a/b.gz", (28, 28))


def test_bad_labels_are_refused(files, directory):
    path = directory / "mnist" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx(np.arange(30).astype(np.uint8))))
    with pytest.raises(rnnzoo.UsageError, match="train label 10 is 10; accepted: 0 to 9"):
        tasks.MNIST().open()
    path.write_bytes(gzip.compress(idx(np.zeros(29, np.uint8))))
    with pytest.raises(rnnzoo.UsageError, match="train has 30 images and 29 labels"):
        tasks.MNIST().open()


@REAL
def test_the_real_files():
    data = open_real(tasks.MNIST())
    assert [len(data.arrays[part]["y"]) for part in ("train", "validation", "test")] == [55_000, 5_000, 10_000]
    assert np.bincount(data.arrays["test"]["y"]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    found = tasks.MNIST().baselines(data)
    assert found["majority"] == pytest.approx(0.1135) and 0.8 < found["nearest_mean"] < 0.83 < found["least_squares"]
