"""Where data files are looked for, and how those are refused that are not the published ones."""

import gzip
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

import rnnzoo
from rnnzoo import tasks
from rnnzoo.__main__ import command
from rnnzoo.tasks.files import VARIABLE, DataFile, DataSet, data_dirs, packaged, unpack, use_data_dirs

CONTENT = b"published " * 20
PACKED = gzip.compress(CONTENT, mtime=0)  # no time in it: workers collect tests under equal names


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


FILE = DataFile("a.bin.gz", len(CONTENT), sha(CONTENT))
SET = DataSet("Things", "things/deep", (FILE, DataFile("b.txt")), "public domain", "https://example.org/things")


@pytest.fixture
def roots(tmp_path, monkeypatch) -> list[Path]:
    """Two data directories, both in the environment variable."""
    found = [tmp_path / "one", tmp_path / "two"]
    for root in found:
        (root / SET.folder).mkdir(parents=True)
    monkeypatch.setenv(VARIABLE, os.pathsep.join(map(str, found)))
    return found


def fill(root: Path, packed: bytes = PACKED) -> Path:
    folder = root / SET.folder
    (folder / "a.bin.gz").write_bytes(packed)
    (folder / "b.txt").write_bytes(b"any")
    return folder


def test_the_first_folder_with_all_files_counts(roots):
    (roots[0] / SET.folder / "b.txt").write_bytes(b"alone")
    folder = fill(roots[1])
    assert SET.folder_with_all() == folder
    assert SET.read() == {"a.bin.gz": CONTENT, "b.txt": b"any"}
    (folder / "a.bin.gz").write_bytes(gzip.compress(CONTENT, 1, mtime=7))  # packed in another way
    assert SET.read()["a.bin.gz"] == CONTENT
    fill(roots[0])
    assert SET.folder_with_all() == roots[0] / SET.folder


def test_a_packed_file_may_be_there_unpacked(roots):
    folder = fill(roots[0])
    (folder / "a.bin.gz").unlink()
    (folder / "a.bin").write_bytes(CONTENT)
    assert SET.read()["a.bin.gz"] == CONTENT
    (folder / "a.bin").write_bytes(CONTENT + b"!")
    with pytest.raises(rnnzoo.UsageError, match=rf"a.bin is not the published file: it holds 201 .* {sha(CONTENT)}"):
        SET.read()


def test_other_content_is_refused_with_what_was_found_and_what_is_accepted(roots):
    fill(roots[0], gzip.compress(b"other"))
    with pytest.raises(rnnzoo.UsageError, match=rf"a\.bin\.gz is not .*{sha(b'other')}; accepted: .*{sha(CONTENT)}"):
        SET.read()


def test_missing_files_are_named_with_all_that_one_needs_to_get_them(roots, monkeypatch):
    with pytest.raises(rnnzoo.UsageError) as error:
        SET.read()
    said = str(error.value)
    for part in (*map(str, roots), f"DIR/{SET.folder}", str(FILE), "b.txt", SET.source, SET.licence, "--data-dir"):
        assert part in said
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(rnnzoo.UsageError, match="neither --data-dir nor RNNZOO_DATA is set"):
        SET.read()


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b", PACKED[:-9], b"no gzip", PACKED[:20] + b"\xff" * 20], ids=["head", "cut", "none", "rest"]
)
def test_damaged_gzip_files(content):
    with pytest.raises(rnnzoo.UsageError, match=r"x\.gz is no whole gzip file"):
        unpack(content, Path("x.gz"))


def test_a_small_gzip_file_that_holds_much_is_refused():
    with pytest.raises(rnnzoo.UsageError, match="holds more than 100 bytes"):
        unpack(PACKED, Path("x.gz"), 100)


def test_data_in_an_installed_package(roots, tmp_path, monkeypatch):
    folder = fill(tmp_path / "one").rename(tmp_path / "zoo_of_data")
    monkeypatch.syspath_prepend(tmp_path)
    assert packaged("zoo_of_data") == [folder] and packaged("no_such_package/x") == packaged("") == []
    found = DataSet("Things", "things", SET.files, "", "", package="zoo_of_data")
    assert found.read()["a.bin.gz"] == CONTENT


def test_data_dir_comes_before_the_variable(roots, tmp_path):
    before = data_dirs()
    use_data_dirs(str(tmp_path))
    assert data_dirs() == [tmp_path, *before]
    use_data_dirs(os.pathsep.join(map(str, (roots[1], tmp_path))))
    assert data_dirs() == [roots[1], tmp_path, roots[0]]
    for wrong in ("", str(tmp_path / "nowhere"), f"{tmp_path}{os.pathsep}a\0b"):
        with pytest.raises(rnnzoo.UsageError, match=r"--data-dir is '.*'; accepted: a folder"):
            use_data_dirs(wrong)


@pytest.mark.parametrize("args", [["train"], ["evaluate", "run"]])
def test_commands_take_it(args, roots, tmp_path, capsys):
    with pytest.raises(rnnzoo.UsageError, match=r"(no configuration is given|run)"):
        command([*args, "--data-dir", str(tmp_path)])
    assert data_dirs() == [tmp_path, *roots]
    assert command([args[0], "--help"]) == 0 and "--data-dir DIR" in capsys.readouterr().out


def test_tasks_say_whether_they_need_files(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    found: dict[str, Any] = rnnzoo.members("tasks")
    for cls in found.values():
        if cls.__module__.startswith("rnnzoo.") and cls.needs_files:
            accepted = r"needs files that are not there .* licence: |there is no path"
            with pytest.raises(rnnzoo.UsageError, match=accepted):
                cls().open()
    assert not tasks.Digits.needs_files
