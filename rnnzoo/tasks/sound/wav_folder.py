"""Recordings of your own, in one folder for each class."""

import hashlib
import typing
from pathlib import Path, PurePosixPath

from rnnzoo.spec import UsageError, brief, spec
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Part
from rnnzoo.tasks.files import DataSet
from rnnzoo.tasks.sound.recordings import Labels, Recordings


@spec
class WavFolder(Recordings):
    """Which folder a WAV file is from: FOLDER/CLASS/*.wav, or FOLDER/train/CLASS/*.wav, FOLDER/validation/CLASS/*.wav
    and FOLDER/test/CLASS/*.wav. The classes are the names of the folders in order.

    Without folders for the parts, a file's place is decided by its name: about 80 % are for training, 10 % for
    validation, 10 % for testing, by the SHA-256 of "CLASS/FILE". A file stays in its part when others are added."""

    folder: str = "wav"
    """The folder, below a data directory, with "/" between its parts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        path = PurePosixPath(self.folder)
        if not self.folder or path.is_absolute() or ".." in path.parts or "\0" in self.folder:
            raise UsageError(
                f"WavFolder.folder is {brief(self.folder)}; accepted: a folder below a data directory (--data-dir DIR)"
            )

    def labels(self) -> tuple[tuple[str, ...], Labels]:
        said = "a folder with WAV files for each class"
        root = DataSet("WavFolder", self.folder, (), "yours", "you", summary=said).folder_with_all()
        parts: tuple[Part, ...] = typing.get_args(Part)
        present = [part for part in parts if (root / part).is_dir()]
        if not present:
            return _split(root)
        if lacking := [part for part in parts if part not in present]:
            raise UsageError(f"{root} has {', '.join(present)}, and no {', '.join(lacking)}; accepted: all or none")
        classes = tuple(_classes(root / "train"))
        found: Labels = {}
        for part in parts:
            if other := [name for name in _classes(root / part) if name not in classes]:
                raise UsageError(f"{root / part} has the class {brief(other[0])}; accepted: {', '.join(classes)}")
            each = _classes(root / part).items()
            found[part] = [(path, classes.index(name)) for name, paths in each for path in paths]
        return classes, found

    def differs(self, other: Task) -> str | None:
        if isinstance(other, WavFolder) and other.folder != self.folder:
            return f"it was trained on {self.folder}, not on {other.folder}"
        return super().differs(other)


def _split(root: Path) -> tuple[tuple[str, ...], Labels]:
    """The files of each class, divided by their names."""
    each = _classes(root)
    found: Labels = {part: [] for part in typing.get_args(Part)}
    for label, (name, paths) in enumerate(each.items()):
        for path in paths:
            found[part_of(f"{name}/{path.name}")].append((path, label))
    for label, name in enumerate(each):
        if not any(label == other for _, other in found["train"]):
            raise UsageError(f"{root / name} has no file for training; accepted: more files, or folders for the parts")
    if empty := [part for part, files in found.items() if not files]:
        raise UsageError(f"{root} has no file for {', '.join(empty)}; accepted: more files, or folders for the parts")
    return tuple(each), found


def part_of(name: str) -> Part:
    """The part of a file, by its name and that of its class."""
    tenth = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8]) % 10
    return "train" if tenth < 8 else "validation" if tenth == 8 else "test"


def _classes(root: Path) -> dict[str, list[Path]]:
    """Class -> its files, both in order."""
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = {folder.name: sorted(p for p in folder.iterdir() if p.suffix.lower() == ".wav") for folder in folders}
    if len(found) < 2:
        raise UsageError(f"{root} has {len(found)} folders; accepted: one for each of at least two classes")
    if empty := [name for name, files in found.items() if not files]:
        raise UsageError(f"{root / empty[0]} has no WAV file; accepted: at least one")
    return found
