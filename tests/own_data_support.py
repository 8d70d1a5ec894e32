"""Small files as a user might have them, and the tasks that read them."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo import tasks


@functools.cache
def folder() -> Path:
    """A folder with the files; it stays until the process ends."""
    kept = tempfile.TemporaryDirectory()
    _KEPT.append(kept)
    return Path(kept.name)


_KEPT: list[Any] = []


def series_csv(rows: int = 120) -> str:
    """Two columns of numbers and the time."""
    t = np.arange(rows)
    lines = [f"{i},{np.sin(i / 5) + 3:.4f},{np.cos(i / 7) * 100:.3f}" for i in t]
    return write("series.csv", "\n".join(["time,level,flow", *lines]) + "\n")


def sequences_csv(sequences: int = 24) -> str:
    """Sequences of 1 to 9 steps of two classes, their rows interleaved."""
    random, lines = np.random.RandomState(0), []
    for i in range(sequences):
        for step in range(1 + i % 9):
            sign = 1 if i % 3 else -1
            lines.append(
                (step, f"s{i},{step},{sign + random.rand():.3f},{random.rand():.3f},{'up' if sign > 0 else 'down'}")
            )
    lines.sort(key=lambda pair: -pair[0])
    return write("sequences.csv", "\n".join(["id,t,a,b,kind", *(line for _, line in lines)]) + "\n")


def arrays_npz(sequences: int = 20) -> str:
    """x (N, 6), y and lengths."""
    random = np.random.RandomState(0)
    y = np.arange(sequences) % 2
    x = random.randn(sequences, 6) + y[:, None]
    np.savez(path := folder() / "arrays.npz", x=x, y=y, lengths=1 + np.arange(sequences) % 6)
    return str(path)


def text_folder() -> str:
    """Two files of text in one folder, a third elsewhere in it."""
    for name, number in (("a.txt", 3), ("b.txt", 5), ("more/c.txt", 7)):
        write(f"texts/{name}", "".join(f"line {n} is {n * number}\n" for n in range(60)))
    return str(folder() / "texts")


def write(name: str, content: str | bytes) -> str:
    path = folder() / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@functools.cache
def own_tasks() -> list[Any]:
    """Tasks on these files: one of each, and what differs much."""
    text = text_folder()
    return [
        tasks.CSVForecast(
            path=series_csv(), columns=("level", "flow"), target=("flow",), horizon=3, window=10, warmup=4
        ),
        tasks.CSVClassify(path=sequences_csv(), sequence="id", label="kind", time="t", class_weights="balanced"),
        tasks.ArrayClassify(path=arrays_npz(), window=4),
        tasks.TextFolder(path=text, length=8),
        tasks.TextFolder(path=text, unit="byte", length=8),
        tasks.TextFolder(path=text, unit="word", length=8, vocabulary=20),
    ]
