"""Time series of the UCR and UEA archives: the .ts format, and what becomes of it."""

import numpy as np
import pytest
from file_support import REAL, data_dir, open_real, put
from task_support import draw

import rnnzoo
from rnnzoo import tasks
from rnnzoo.tasks.classification.ts_format import parse_ts

directory = data_dir
HEADER = """# A description: with @ and : in it
@problemName Small
@timeStamps false
@missing true
@univariate false
@dimensions 2
@equalLength false
@classLabel true no yes
@data
"""
TRAIN = HEADER + "".join(
    f"{k},{k + 1},?:{-k},0.5,{2 * k}:{label}\n{k}:NaN:{label}\n" for k in range(1, 6) for label in ("no", "yes")
)
TEST = HEADER + "1,2:3,4:yes\n5,?,7,8:?,1,1e0,-1:no\n"
PLAIN = "@univariate true\n@equalLength true\n@seriesLength 3\n@classLabel true a b\n@data\n1,2,3:a\n3,2,1:b\n"


def parse(text: str):
    return parse_ts(text.encode(), "x.ts")


@pytest.fixture
def small(directory) -> tasks.UCR:
    put(directory / "ucr" / "Small" / "Small_TRAIN.ts", TRAIN.encode())
    put(directory / "ucr" / "Small" / "Small_TEST.ts", TEST.encode())
    return tasks.UCR(name="Small", normalised=False)


def test_a_file_is_read():
    found = parse(TEST)
    assert found.classes == ("no", "yes") and found.labels.tolist() == [1, 0]
    np.testing.assert_array_equal(found.series[0], [[1, 3], [2, 4]])
    np.testing.assert_array_equal(found.series[1], [[5, np.nan], [np.nan, 1], [7, 1], [8, -1]])
    univariate = parse("\ufeff" + PLAIN.replace("\n", "\r\n") + "\r\n# the end\r\n")
    assert [one.tolist() for one in univariate.series] == [[[1], [2], [3]], [[3], [2], [1]]]
    assert parse(PLAIN.replace("@data", "@DATA").replace("@univariate true", "@dimensions 1")).labels.tolist() == [0, 1]


BAD: list[tuple[str, str]] = [
    ("", "has no line @data"),
    (PLAIN.replace("@data\n", ""), "line 5 is '1,2,3:a'; accepted before @data"),
    (PLAIN[: PLAIN.index("1,2")], "has no series after @data"),
    (PLAIN.replace(":b", ":c"), "line 7 ends with the class 'c'; accepted: a, b"),
    (PLAIN.replace(":b", ""), "line 7 ends with the class '3,2,1'"),
    (PLAIN.replace("3,2,1", "3,x2,1"), "line 7, dimension 1: value 2 is 'x2'; accepted: a number, "),
    (PLAIN.replace("3,2,1", "3,,1"), "line 7, dimension 1: value 2 is ''"),
    (PLAIN.replace("3,2,1", "3,-inf,1"), "line 7, dimension 1: value 2 is '-inf'; accepted: finite numbers"),
    (PLAIN.replace("3,2,1", "3,1e999,1"), "value 2 is '1e999'; accepted: finite"),
    (PLAIN.replace("3,2,1", ""), "line 7, dimension 1 has no values"),
    (PLAIN.replace("3,2,1", "3,2"), "line 7 has 2 values; accepted: 3 in each"),
    (PLAIN.replace("3,2,1", "3,2,1:3,2,1"), "line 7 has 2 dimensions; accepted: 1"),
    (TEST.replace("5,?,7,8", "5,?,7"), "line 11 has 3 or 4 values; accepted: as many in each dimension"),
    (TEST.replace("@dimensions 2\n", "").replace("1,2:3,4", "1,2"), "line 10 has 2 dimensions; accepted: 1, as in"),
    (PLAIN.replace("true a b", "false"), "@classLabel is .*; accepted: true and at least two names"),
    (PLAIN.replace("true a b", "true a a"), "@classLabel is "),
    (PLAIN.replace("@classLabel true a b\n", "@targetLabel true\n"), "@classLabel is "),
    (PLAIN.replace("@classLabel true a b\n", "@classLabel\n"), "@classLabel is "),
    (PLAIN.replace("@classLabel", "@timeStamps true\n@classLabel"), "@timeStamps is .*; accepted: false"),
    (PLAIN.replace("Length 3", "Length 0"), "@serieslength is '0'; accepted: a number above 0"),
    (PLAIN.replace("Length 3", "Length \u00b3"), "@serieslength is "),
    (PLAIN.replace("Length 3", "Length"), "@serieslength is ''"),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_bad_files_are_refused(text, said):
    with pytest.raises(rnnzoo.UsageError, match=rf"^x\.ts.* {said}"):
        parse(text)


def test_files_that_are_no_text_are_refused():
    with pytest.raises(rnnzoo.UsageError, match=r"^x\.ts: line 6 is not UTF-8"):
        parse_ts(PLAIN.encode().replace(b"1,2", b"1,\xff"), "x.ts")


def test_parts(small):
    data = small.open()
    assert (data.input_size, data.output_size) == (2, 2)
    assert {part: a["x"].shape for part, a in data.arrays.items()} == {
        "train": (16, 4, 2), "validation": (4, 4, 2), "test": (2, 4, 2)
    }  # fmt: skip
    assert np.bincount(data.arrays["validation"]["y"]).tolist() == [2, 2]
    assert data.arrays["test"]["lengths"].tolist() == [2, 4] and data.arrays["test"]["y"].tolist() == [1, 0]
    batch = draw(small, 5)
    assert batch["x"].shape == (4, 5, 2) and set(batch["lengths"].tolist()) <= {1, 3}
    assert small.open().fingerprint == data.fingerprint


def test_equal_lengths_need_none(small, directory):
    for part in ("TRAIN", "TEST"):
        put(directory / "ucr" / "Plain" / f"Plain_{part}.ts", (PLAIN + "1,2,4:a\n4,2,1:b\n").encode())
    data = tasks.UCR(name="Plain").open()
    assert {frozenset(a) for a in data.arrays.values()} == {frozenset({"x", "y"})}


@pytest.mark.parametrize(
    ("missing", "first", "second"),
    [("zero", [5, 0, 7, 8], [0, 1, 1, -1]), ("last", [5, 5, 7, 8], [0, 1, 1, -1]),
     ("nan", [5, np.nan, 7, 8], [np.nan, 1, 1, -1])],
)  # fmt: skip
def test_missing_values(small, missing, first, second):
    data = tasks.UCR(name="Small", missing=missing, normalised=False).open()
    np.testing.assert_array_equal(data.arrays["test"]["x"][1], np.transpose([first, second]))
    found = tasks.UCR(name="Small", missing=missing).baselines(data)
    assert set(found) == {"majority", "nearest_mean", "least_squares", "nearest_neighbour"}
    assert np.isfinite(list(found.values())).all()


def test_normalisation_is_that_of_the_training_part(small):
    data = tasks.UCR(name="Small", missing="nan").open()
    train = np.asarray(data.arrays["train"]["x"])
    steps = np.arange(4) < np.asarray(data.arrays["train"]["lengths"])[:, None]
    np.testing.assert_allclose(np.nanmean(train[steps], 0), 0, atol=1e-6)
    np.testing.assert_allclose(np.nanstd(train[steps], 0), 1, atol=1e-6)
    assert not train[~steps].any()


def test_what_cannot_be_a_task(small, directory):
    for name in ("", "../x", "a/b", "a b"):
        with pytest.raises(rnnzoo.UsageError, match=r"UCR\.name is .*; accepted: letters"):
            tasks.UCR(name=name)
    with pytest.raises(rnnzoo.UsageError, match="Chinatown needs files that are not there"):
        tasks.UCR(name="Chinatown").open()
    put(directory / "ucr" / "Small" / "Small_TEST.ts", PLAIN.encode())
    with pytest.raises(rnnzoo.UsageError, match="the training file has 2 dimensions and the classes no, yes, the test"):
        small.open()
    for part in ("TRAIN", "TEST"):
        put(directory / "ucr" / "One" / f"One_{part}.ts", PLAIN.encode())
    with pytest.raises(rnnzoo.UsageError, match="UCR One has one training series of each class; accepted: two"):
        tasks.UCR(name="One").open()


def test_other_series_are_another_task(small):
    assert small.differs(tasks.UCR(name="Small", missing="nan")) is None
    assert small.differs(tasks.UCR()) == "it was trained on Small, not on JapaneseVowels"


@REAL
@pytest.mark.parametrize(
    ("name", "sizes", "nearest"),
    [("JapaneseVowels", [216, 54, 370], 0.9378), ("BasicMotions", [32, 8, 40], 0.575),
     ("ItalyPowerDemand", [55, 12, 1029], 0.9602)],
)  # fmt: skip
def test_the_real_files(name, sizes, nearest):
    task = tasks.UCR(name=name)
    data = open_real(task)
    assert [len(data.arrays[part]["y"]) for part in ("train", "validation", "test")] == sizes
    assert task.baselines(data)["nearest_neighbour"] == pytest.approx(nearest, abs=1e-3)
