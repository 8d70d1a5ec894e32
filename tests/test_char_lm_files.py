"""What the character language model does with files that it cannot use, and with those that it can."""

import os

import jax
import numpy as np
import pytest
from task_support import TEXT, text_file

import rnnzoo
from rnnzoo import tasks

file = text_file

BAD = {
    "empty": (b"", "it is empty"),
    "mark only": (b"\xef\xbb\xbf", "it is empty"),
    "latin-1": (b"one\ntwo\nth\xe9e\n", r"byte 10 \(line 3\) is 0xe9, which is not UTF-8"),
    "old line ends": (b"one\rtwo\r\nth\xe9e\n", r"byte 11 \(line 3\) is 0xe9, which is not UTF-8"),
    "cut off": (b"one\ntw\xc3", r"byte 6 \(line 2\) is 0xc3, which is not UTF-8"),
    "UTF-16": ("one two".encode("utf-16"), r"byte 0 \(line 1\) is 0xff, which is not UTF-8"),
    "UTF-16 without a mark": ("one".encode("utf-16-le"), r"byte 1 \(line 1\) is NUL"),
    "binary": (b"text\nand\x00more", r"byte 8 \(line 2\) is NUL"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_text_is_refused(file, case):
    content, message = BAD[case]
    path = file(content)
    with pytest.raises(rnnzoo.UsageError, match=message) as error:
        tasks.CharLM(path=path).open()
    assert path in str(error.value) and "accepted: a text file in UTF-8" in str(error.value)


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    cases = {"missing": "No such file", ".": "it is a folder", "pipe": "not a regular file", "loop": "symbolic links"}
    for name, message in [*cases.items(), ("a\0b", "null"), ("n" * 5000, "too long")]:
        with pytest.raises(rnnzoo.UsageError, match=message):
            tasks.CharLM(path=str(tmp_path / name)).open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file_is_refused(file):
    os.chmod(path := file(TEXT), 0)
    with pytest.raises(rnnzoo.UsageError, match="Permission denied"):
        tasks.CharLM(path=path).open()


def test_huge_file_is_refused_before_it_is_read(tmp_path):
    with open(tmp_path / "huge", "wb") as huge:
        huge.truncate(2**40)
    with pytest.raises(rnnzoo.UsageError, match="1099511627776 bytes, more than 268435456"):
        tasks.CharLM(path=str(tmp_path / "huge")).open()


@pytest.mark.parametrize("length", [1, 8, 9, 64])
def test_short_text_is_refused_and_the_shortest_accepted(file, length):
    needed = next(n for n in range(1000) if n * 90 // 100 >= length + 1)
    short = tasks.CharLM(path=file("a" * (needed - 1), "short"), length=length)
    with pytest.raises(rnnzoo.UsageError, match=f"{needed - 1} characters; CharLM.length={length} needs .*{needed}"):
        short.open()
    enough = tasks.CharLM(path=file("a" * needed, "enough"), length=length).open()
    assert enough.batch(enough.arrays, jax.random.key(0), 2)["x"].shape == (length, 2)


def test_marks_and_line_ends_do_not_change_the_text(file):
    plain, other = (
        tasks.CharLM(path=file(TEXT, "a")),
        tasks.CharLM(path=file("\ufeff" + TEXT.replace("\n", "\r\n"), "b")),
    )
    for part, tokens in plain.open().arrays.items():
        np.testing.assert_array_equal(tokens, other.open().arrays[part])


def test_changed_file_is_read_again(file):
    task = tasks.CharLM(path=file("abc" * 50))
    assert task.open().input_size == 4
    file("abcd" * 60)
    assert task.open().input_size == 5
