"""The commands' cache of compiled programs: private, bounded, and never the reason that a command fails."""

import os
import types

import pytest

from rnnzoo.commands import cache


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """What `use_compilation_cache` sets, with JAX as it is for a user who has set nothing."""
    found = {}
    config = types.SimpleNamespace(
        jax_compilation_cache_dir=None, jax_enable_compilation_cache=True, update=found.__setitem__
    )
    monkeypatch.setattr(cache, "jax", types.SimpleNamespace(config=config))
    for name in (cache.VARIABLE, cache.SHORTEST):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return found


def test_programs_are_kept_in_a_private_folder(settings, tmp_path):
    cache.use_compilation_cache()
    path = tmp_path / "rnnzoo" / "xla" / cache.machine()
    assert settings == {"jax_compilation_cache_dir": str(path), "jax_persistent_cache_min_compile_time_secs": 0.0}
    for part in (path, path.parent, path.parent.parent):
        assert part.stat().st_mode & 0o777 == 0o700
    assert list(path.iterdir()) == []
    cache.use_compilation_cache()  # the same again


def test_the_users_own_settings_come_first(settings, monkeypatch, tmp_path):
    monkeypatch.setenv(cache.SHORTEST, "5")
    cache.use_compilation_cache()
    assert list(settings) == ["jax_compilation_cache_dir"]
    settings.clear()
    monkeypatch.setenv(cache.VARIABLE, "")  # none, that is
    cache.use_compilation_cache()
    monkeypatch.delenv(cache.VARIABLE)
    for name, value in (("jax_compilation_cache_dir", "elsewhere"), ("jax_enable_compilation_cache", False)):
        with monkeypatch.context() as patch:
            patch.setattr(cache.jax.config, name, value)
            cache.use_compilation_cache()
    assert settings == {}


def test_without_the_variable_it_is_in_the_home_folder(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    cache.use_compilation_cache()
    assert settings["jax_compilation_cache_dir"].startswith(str(tmp_path / "home" / ".cache" / "rnnzoo"))


def a_file(folder):
    (folder / "rnnzoo").write_text("in the way")


def writable(folder):
    (folder / "rnnzoo" / "xla").mkdir(parents=True)
    (folder / "rnnzoo" / "xla").chmod(0o777)


def a_dead_link(folder):
    (folder / "rnnzoo").symlink_to(folder / "nowhere")


@pytest.mark.parametrize("spoil", [a_file, writable, a_dead_link])
def test_a_folder_that_cannot_be_used_costs_one_warning(spoil, settings, tmp_path, capsys):
    spoil(tmp_path)
    cache.use_compilation_cache()
    said = capsys.readouterr().err
    assert settings == {} and said.count("\n") == 1
    assert said.startswith("warning: programs are compiled anew at each start: ") and str(tmp_path) in said
    assert said.endswith("JAX_COMPILATION_CACHE_DIR=DIR names another folder for them\n")


def test_a_folder_of_another_user_is_not_used(settings, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    cache.use_compilation_cache()
    assert settings == {} and "belongs to another user" in capsys.readouterr().err


def test_a_disk_that_is_full_or_read_only(settings, monkeypatch, tmp_path, capsys):
    def refuse(dir):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.tempfile, "TemporaryFile", refuse)
    cache.use_compilation_cache()
    assert settings == {} and "No space left on device" in capsys.readouterr().err


def test_the_oldest_programs_go_when_there_are_too_many(tmp_path):
    for age in range(6):
        (tmp_path / str(age)).write_bytes(b"x" * 10)
        os.utime(tmp_path / str(age), ns=(0, 10 - age))
    cache.prune(tmp_path, 60)
    assert len(list(tmp_path.iterdir())) == 6
    cache.prune(tmp_path, 50)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0", "1"]
