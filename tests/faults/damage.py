"""Bits flipped, files cut, removed, swapped and replaced: what a run folder then says."""

import random
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from rnnzoo.training.evaluation import evaluate_run
from rnnzoo.training.run_folder import RunFolder

from .runs import contents, differences, train
from .tally import SAID, SAME, SILENT, Tally, outcome_of

HOW = ("flip a bit", "cut", "empty", "remove", "swap", "append", "replace by zeros", "remove a line", "twice")


def damage(rng: random.Random, run: Path) -> str:
    """Damage one file of a run folder, and say how."""
    files = sorted(p for p in run.rglob("*") if p.is_file() and p.name not in ("lock", "curves.png"))
    file, how = rng.choice(files), rng.choice(HOW)
    content = file.read_bytes()
    at = rng.randrange(len(content)) if content else 0
    match how:
        case "flip a bit":
            file.write_bytes(content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :])
        case "cut":
            file.write_bytes(content[:at])
        case "empty":
            file.write_bytes(b"")
        case "remove":
            file.unlink()
        case "swap":
            other = rng.choice(files)
            file.write_bytes(other.read_bytes())
            other.write_bytes(content)
            how = f"swap with {other.relative_to(run)}"
        case "append":
            file.write_bytes(content + rng.randbytes(1 + rng.randrange(20)))
        case "replace by zeros":
            file.write_bytes(bytes(len(content)))
        case "remove a line":
            lines = content.splitlines(keepends=True)
            del lines[rng.randrange(len(lines))]
            file.write_bytes(b"".join(lines))
        case _:
            file.write_bytes(content * 2)
    return f"{how}: {file.relative_to(run)}"


class Damaged:
    """A finished run, its scores, and copies of it to damage."""

    def __init__(self, folder: Path):
        self.twin = folder / "twin"
        train(self.twin)
        self.expected, self.config = contents(self.twin), RunFolder(self.twin).config()
        self.scores = self._scores(self.twin)[0]

    def _scores(self, run: Path) -> tuple[object, list[str]]:
        said: list[str] = []
        return [evaluate_run(run, RunFolder(run).config(), which, said.append) for which in ("last", "best")], said

    def read(self, run: Path) -> str:
        """What evaluation makes of a damaged run."""
        scores, said = self._scores(run)
        return SAME if scores == self.scores else SAID if said else SILENT

    def resume(self, run: Path) -> str:
        """What training makes of it."""
        said = train(run, self.config)
        for kept in run.glob("checkpoints/*/damaged-*"):
            shutil.rmtree(kept)
        other = differences(self.expected, contents(run))
        if not other:
            return SAID if "warning" in said else SAME
        # An older or the best checkpoint is lost: the run's last state and all that it says are not.
        is_only_a_copy = all(
            name.startswith(("checkpoints/last/9/", "checkpoints/best/9/", "final.json")) for name in other
        )
        return SAID if is_only_a_copy and "a damaged checkpoint is kept" in said else SILENT


def damaged_folders(count: int, seed: int) -> Tally:
    """`count` damaged copies of one run, each evaluated and resumed."""
    tally, rng = Tally("a file of a run folder damaged: evaluated, then resumed"), random.Random(seed)
    with TemporaryDirectory() as name:
        runs, run = Damaged(Path(name)), Path(name) / "run"
        for _ in range(count):
            shutil.copytree(runs.twin, run)
            what = damage(rng, run)
            for action in (runs.read, runs.resume):
                outcome, error = outcome_of(lambda action=action: action(run))
                tally.add(outcome, f"{action.__name__}, {what}; {error}")
            shutil.rmtree(run)
        scores, runs.scores = runs.scores, None
        tally.control(runs.read(runs.twin) == SILENT)
        runs.scores = scores
        expected, runs.expected = runs.expected, runs.expected | {"metrics.jsonl": []}
        tally.control(runs.resume(runs.twin) == SILENT)
        runs.expected = expected
    return tally
