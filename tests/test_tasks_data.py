"""The digits, and how light the import of the tasks is."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnzoo
from rnnzoo import tasks
from rnnzoo.tasks.classification.digits import FILE, _digits


def as_images(part: Any) -> list[bytes]:
    return [np.rint(np.asarray(x).reshape(64) * 16).astype(np.uint8).tobytes() for x in np.asarray(part["x"])]


def test_digits_are_those_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = datasets.load_digits(return_X_y=True)
    with np.load(FILE) as ours:
        np.testing.assert_array_equal(ours["images"], images)
        np.testing.assert_array_equal(ours["labels"], labels)
    whole = sorted(zip([i.astype(np.uint8).tobytes() for i in np.asarray(images)], labels.tolist(), strict=True))
    data = tasks.Digits().open().arrays
    assert {part: len(data[part]["y"]) for part in data} == {"train": 1097, "validation": 200, "test": 500}
    # Every image is in one part, once: the parts together are the data set.
    parts = [pair for p in data.values() for pair in zip(as_images(p), np.asarray(p["y"]).tolist(), strict=True)]
    assert sorted(parts) == whole
    assert data["train"]["x"].shape == (1097, 8, 8)
    np.testing.assert_array_equal(np.unique(np.asarray(data["test"]["y"])), np.arange(10))
    np.testing.assert_array_equal(np.bincount(np.asarray(data["validation"]["y"])), np.full(10, 20))


def test_digits_views_and_permutation():
    rows, pixels = (tasks.Digits(view=v).open().arrays["test"] for v in ("rows", "pixels"))
    np.testing.assert_array_equal(np.asarray(rows["x"]).reshape(500, 64, 1), pixels["x"])
    plain, mixed = as_images(rows), as_images(tasks.Digits(permuted=True).open().arrays["test"])
    assert plain != mixed and [sorted(p) for p in plain] == [sorted(m) for m in mixed]
    columns = [np.frombuffer(b"".join(images), np.uint8).reshape(500, 64).T.tolist() for images in (plain, mixed)]
    assert sorted(columns[0]) == sorted(columns[1])  # one order of pixels for all images


def test_digits_baselines_do_not_depend_on_the_view():
    found = [t.baselines(t.open()) for t in (tasks.Digits(), tasks.Digits(view="pixels", permuted=True))]
    assert found[0] == pytest.approx(found[1])
    assert found[0]["majority"] < 0.15 < 0.85 < found[0]["nearest_mean"]


def test_digits_come_with_the_package_and_their_licence(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    _digits.cache_clear()
    assert len(tasks.Digits().open().arrays["test"]["y"]) == 500
    for text in (FILE.with_name("README.md"), Path(rnnzoo.__file__).parents[1] / "NOTICE"):
        if text.is_file():  # a wheel has its NOTICE elsewhere
            assert "E. Alpaydin and C. Kaynak" in text.read_text() and "CC BY 4.0" in text.read_text()


def test_import_of_tasks_is_light():
    code = "import sys, rnnzoo.tasks; print({'sklearn', 'pydoc_data.topics'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
