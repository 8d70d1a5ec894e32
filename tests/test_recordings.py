"""Recordings: WAV files, log mel energies, spoken digits, and folders of one's own."""

import io
import struct
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from file_support import REAL, data_dir, open_real, put
from task_support import draw

import rnnzoo
from rnnzoo import tasks
from rnnzoo.tasks.sound import spoken_digits
from rnnzoo.tasks.sound.log_mel import BANDS, log_mel, mel_filters
from rnnzoo.tasks.sound.wav import parse_wav
from rnnzoo.tasks.sound.wav_folder import part_of

directory = data_dir
TONE = np.sin(np.arange(400) / 3)


def wav(samples: Any, rate: int = 8000, width: int = 2, channels: int = 1) -> bytes:
    whole = np.round(np.asarray(samples) * (2 ** (8 * width - 1) - 1)).astype(np.int64) + (128 if width == 1 else 0)
    raw = b"".join(int(n).to_bytes(width, "little", signed=width > 1) for n in whole)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(raw)
    return file.getvalue()


# ---- WAV files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_samples_of_every_width(width):
    rate, samples = parse_wav(wav(TONE, 11025, width), "x.wav")
    assert rate == 11025
    np.testing.assert_allclose(samples, TONE, atol=2 / 2 ** (8 * width - 1))
    lowest = {1: b"\0", 2: b"\0\x80", 3: b"\0\0\x80", 4: b"\0\0\0\x80"}[width]
    raw = wav([0.0], width=width)
    assert parse_wav(raw[:44] + lowest + raw[44 + width :], "x.wav")[1][0] == -1


def test_channels_are_averaged():
    _, samples = parse_wav(wav([0.5, -0.5, 0.5, 0.0], channels=2), "x.wav")
    np.testing.assert_allclose(samples, [0, 0.25], atol=1e-4)


GOOD = wav(TONE)
BAD: list[tuple[bytes, str]] = [
    (b"", "is no WAV file"),
    (b"RIFF", "is no WAV file"),
    (GOOD[:30], "is no WAV file"),
    (b"OggS" + GOOD[4:], "is no WAV file"),
    (GOOD[:20] + struct.pack("<H", 3) + GOOD[22:], "is no WAV file of integer samples"),  # floating point
    (GOOD[:22] + struct.pack("<H", 0) + GOOD[24:], "is no WAV file"),  # no channels
    (GOOD[:24] + struct.pack("<I", 0) + GOOD[28:], "has 0 samples a second"),
    (GOOD[:34] + struct.pack("<H", 64) + GOOD[36:], "has 8000 samples a second of 64 bits"),
    (GOOD[:-100], "is cut off: it says 400 samples, and holds 350"),
    (wav([]), "holds no sample"),
]


@pytest.mark.parametrize(("content", "said"), BAD)
def test_bad_files_are_refused(content, said):
    with pytest.raises(rnnzoo.UsageError, match=rf"^x\.wav {said}"):
        parse_wav(content, "x.wav")


# ---- log mel energies ------------------------------------------------------------------------------------


def test_log_mel_is_its_formula():
    rate, samples = 1000, np.random.RandomState(0).randn(100) / 4
    found = log_mel(samples, rate)
    assert found.shape == (1 + (100 - 32) // 16, BANDS)
    t, window = 3, np.array([0.5 - 0.5 * np.cos(2 * np.pi * n / 31) for n in range(32)])
    frame = samples[16 * t : 16 * t + 32] * window
    power = [abs(sum(frame * np.exp(-2j * np.pi * k * np.arange(32) / 32))) ** 2 / 32 for k in range(17)]
    np.testing.assert_allclose(found[t], np.log(1e-8 + mel_filters(rate, 32) @ power), rtol=1e-6)


def test_a_short_recording_is_one_frame():
    assert log_mel(np.zeros(3), 8000).shape == log_mel(np.zeros(256), 8000).shape == (1, BANDS)
    assert log_mel(np.zeros(384), 8000).shape == (2, BANDS)
    np.testing.assert_allclose(log_mel(np.zeros(3), 8000), np.log(1e-8))


def test_mel_filters_are_triangles():
    filters = mel_filters(8000, 2**14)
    assert filters.shape == (BANDS, 2**13 + 1) and (filters >= 0).all()
    np.testing.assert_allclose(filters.max(1), 1, atol=0.02)
    peaks = filters.argmax(1) * 8000 / 2**14
    np.testing.assert_allclose(np.diff(np.log10(1 + peaks / 700)), np.log10(1 + 4000 / 700) / (BANDS + 1), atol=1e-3)
    inner = slice(filters[0].argmax(), filters[-1].argmax())
    np.testing.assert_allclose(filters[:, inner].sum(0), 1, atol=1e-6)  # one falls as the next rises


def test_a_tone_is_loud_in_its_band():
    found = log_mel(np.sin(2 * np.pi * 1000 * np.arange(800) / 8000), 8000).mean(0)
    assert found.argmax() == (mel_filters(8000, 256)[:, 32]).argmax()


# ---- tasks -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(directory) -> Path:
    """Two classes of 30 recordings, of 200 to 490 samples."""
    for number in range(60):
        name = ("high", "low")[number % 2]
        samples = np.sin(np.arange(200 + 10 * (number // 2)) * (0.5, 0.1)[number % 2]) * 0.9
        put(directory / "wav" / name / f"{number}.wav", wav(samples))
    put(directory / "wav" / "high" / "notes.txt", b"not a recording")
    put(directory / "wav" / ".hidden" / "x.txt", b"not a class")
    return directory / "wav"


def test_files_are_divided_by_their_names(folder):
    classes, files = tasks.WavFolder().labels()
    assert classes == ("high", "low")
    each = {part: [f"{path.parent.name}/{path.name}" for path, _ in found] for part, found in files.items()}
    assert sum(map(len, each.values())) == 60 and all(part_of(n) == part for part, names in each.items() for n in names)
    assert len(each["train"]) > 40 and each["validation"] and each["test"]
    assert all(classes[label] == path.parent.name for found in files.values() for path, label in found)


@pytest.mark.parametrize("view", ["log_mel", "raw"])
def test_features_are_standardised_by_the_training_part(folder, view):
    task = tasks.WavFolder(view=view)
    data = task.open()
    train = data.arrays["train"]
    steps = np.arange(train["x"].shape[1]) < np.asarray(train["lengths"])[:, None]
    counted = np.asarray(train["x"])[steps]
    np.testing.assert_allclose(counted.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(counted.std(0), 1, atol=1e-3)
    assert not np.asarray(train["x"])[~steps].any()
    assert train["x"].shape[1:] == ((2, 26) if view == "log_mel" else (490, 1))
    if view == "log_mel":
        assert draw(task, 3)["x"].shape == (2, 3, 26)
        assert set(task.baselines(data)) == {"majority", "nearest_mean", "least_squares"}


def test_folders_for_the_parts(folder, directory):
    for part in ("train", "validation", "test"):
        for name in ("a", "b"):
            put(directory / "mine" / "deep" / part / name / f"{part}.WAV", wav(TONE))
    task = tasks.WavFolder(folder="mine/deep")
    classes, files = task.labels()
    assert classes == ("a", "b")
    assert {part: [(p.name, k) for p, k in found] for part, found in files.items()} == {
        part: [(f"{part}.WAV", 0), (f"{part}.WAV", 1)] for part in ("train", "validation", "test")
    }
    put(directory / "mine" / "deep" / "test" / "c" / "x.wav", wav(TONE))
    with pytest.raises(rnnzoo.UsageError, match="has the class 'c'; accepted: a, b"):
        task.open()
    for path in sorted((directory / "mine" / "deep" / "validation").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (directory / "mine" / "deep" / "validation").rmdir()
    with pytest.raises(rnnzoo.UsageError, match="has train, test, and no validation; accepted: all or none"):
        task.open()


def test_what_cannot_be_a_folder_of_recordings(folder, directory):
    for name in ("", "/etc", "../wav", "a\0b"):
        with pytest.raises(rnnzoo.UsageError, match=r"WavFolder\.folder is .*; accepted: a folder below"):
            tasks.WavFolder(folder=name)
    put(folder / "low" / "bad.wav", b"RIFF")
    with pytest.raises(rnnzoo.UsageError, match=r"low/bad\.wav is no WAV file"):
        tasks.WavFolder().open()
    put(folder / "low" / "bad.wav", wav(TONE, 16000))
    with pytest.raises(rnnzoo.UsageError, match=r"low/bad\.wav has 16,000 samples a second, .* has 8,000; accepted"):
        tasks.WavFolder().open()
    (folder / "mid").mkdir()
    with pytest.raises(rnnzoo.UsageError, match="mid has no WAV file"):
        tasks.WavFolder().open()
    put(directory / "few" / "a" / "x.wav", wav(TONE))
    with pytest.raises(rnnzoo.UsageError, match="few has 1 folders; accepted: one for each of at least two"):
        tasks.WavFolder(folder="few").open()
    put(directory / "few" / "b" / "x.wav", wav(TONE))
    with pytest.raises(rnnzoo.UsageError, match=r"few.* has no file for "):
        tasks.WavFolder(folder="few").open()
    assert "not on few" in str(tasks.WavFolder().differs(tasks.WavFolder(folder="few")))


def test_spoken_digits_are_the_published_ones(directory, monkeypatch):
    assert len(spoken_digits.ALL) == len(set(spoken_digits.ALL)) == 3000
    assert {part: len(names) for part, names in spoken_digits.NAMES.items()} == {
        "test": 300, "validation": 300, "train": 2400
    }  # fmt: skip
    with pytest.raises(rnnzoo.UsageError, match=r"SpokenDigits needs files .* holding 3,000 files DIGIT_SPEAKER"):
        tasks.SpokenDigits().open()
    for name in spoken_digits.ALL:
        put(directory / "fsdd" / "recordings" / name, GOOD)
    with pytest.raises(rnnzoo.UsageError, match=r"does not hold the published recordings: .* there is WavFolder"):
        tasks.SpokenDigits().open()
    found = spoken_digits.checksum(directory / "fsdd" / "recordings")
    monkeypatch.setattr(spoken_digits, "SHA256", found)
    classes, files = tasks.SpokenDigits().labels()
    assert classes == tuple("0123456789") and {part: len(found) for part, found in files.items()}["train"] == 2400
    assert all(path.name.startswith(str(label)) for path, label in files["test"])


@REAL
def test_the_real_files():
    data = open_real(tasks.SpokenDigits())
    assert data.arrays["train"]["x"].shape == (2400, 141, 26) and data.arrays["test"]["x"].shape == (300, 141, 26)
    assert np.bincount(data.arrays["test"]["y"]).tolist() == [30] * 10
    assert 0.85 < tasks.SpokenDigits().baselines(data)["least_squares"] < 0.92
