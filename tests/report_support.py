"""Tables for the tests of reports, as a study would write them."""

import csv
import json
from pathlib import Path
from typing import Any

from rnnzoo.study.table import COLUMNS

LENGTHS = ("test@1x", "test@2x", "test@4x")
NAMES = (*COLUMNS[: COLUMNS.index("solved")], *LENGTHS, *COLUMNS[COLUMNS.index("solved") :])
RULER = {"memoryless": 0.86651611328125, "sees_1_back": 0.6015625, "sees_2_back": 0.30078125}
STRUCTURES = {"diagonal": "Diagonal()", "band 3": "Banded(bandwidth=1)", "dense": "Dense()"}
WRONG_SUMS: dict[str, Any] = {
    "metric": "wrong_sums",
    "better": "lower",
    "solved_at": 0.01,
    "baselines": json.dumps(RULER),
}
ACCURACY: dict[str, Any] = {"metric": "accuracy", "better": "higher", "solved_at": 0.99}
NATS: dict[str, Any] = {"metric": "nats_per_frame", "better": "lower", "solved_at": ""}


def lines(row, scores, seed=0, **values):
    """The lines of a row, a seed each."""
    structure = STRUCTURES.get(row.split("/")[-1], STRUCTURES.get(row.split("/")[-2], "Dense()"))
    sizes = {"Diagonal()": (16, 16), "Banded(bandwidth=1)": (46, 46), "Dense()": (256, 256)}[structure]
    shared = {
        "row": row, "purpose": "result", "task": "T()", "cell": "GRU", "structure": structure, "hidden_size": 16,
        "layers": 1, "params": 300, "params_u": sizes[0], "nonzeros_u": sizes[1], "optimizer": "adam", "lr": 0.01,
        "batch_size": 32, "steps": 3000, "baselines": "{}", "ended": 3000, "seconds": 1.5, "diverged": "False",
        "scores": "{}", "device": "cpu (x86_64, 2 cores)", "devices": 2, "python": "3.11.7", "jax": "0.10.2",
        "jaxlib": "0.10.2", "rnnzoo": "0.1.0", "config": "0123456789ab",
    } | values  # fmt: skip
    found = []
    for i, score in enumerate(scores):
        at = dict.fromkeys(LENGTHS, score)
        found.append(shared | {"seed": seed + i, "test": score, "best_test": score, "validation": score} | at)
    return found


def write(path: Path, *rows) -> Path:
    """A table with these lines."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, NAMES, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(line for row in rows for line in row)
    return path


def tiny(folder: Path) -> list[Path]:
    """A table of addition and one of the other studies, with a row or more for each figure."""
    addition = write(
        folder / "addition.csv",
        lines("question/10k/diagonal", [0.8, 0.7, 0.9, 0.75], **WRONG_SUMS),
        lines("question/10k/dense", [0.0, 0.001, 0.0, 0.3], **WRONG_SUMS),
        lines("adam/gru/diagonal", [0.0, 0.02, 0.005, 0.0], **WRONG_SUMS),
        lines("adam/gru/band 3", [0.0, 0.0, 0.0, 0.0], **WRONG_SUMS),
        lines("adam/gru/dense", [0.0, 0.0, 0.0, 0.0], **WRONG_SUMS),
    )
    others = write(
        folder / "others.csv",
        lines("real/jsb/gru/diagonal/equal H", [8.5, 8.52], **NATS),
        lines("real/jsb/gru/diagonal/equal params", [8.4, 8.42], **NATS),
        lines("real/jsb/gru/dense/equal H", [8.7, 8.71], **NATS),
        lines("memory/delayed recall T=50/gru/dense", [1.0, 1.0], **ACCURACY),
        lines("memory/delayed recall T=100/gru/dense", [1.0, 0.5], **ACCURACY),
        lines("memory/delayed recall T=50/lru/diagonal", [1.0, 1.0], **ACCURACY),
    )
    return [addition, others]
