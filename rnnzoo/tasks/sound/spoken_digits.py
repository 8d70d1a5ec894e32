"""Spoken digits: the Free Spoken Digit Dataset, 3,000 recordings by six speakers (Jackson et al. 2018)."""

import hashlib
from pathlib import Path

from rnnzoo.disk import read_bytes
from rnnzoo.spec import UsageError, spec
from rnnzoo.tasks.data import Part
from rnnzoo.tasks.files import DataFile, DataSet
from rnnzoo.tasks.sound.recordings import Labels, Recordings
from rnnzoo.tasks.sound.wav import LARGEST

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
INDICES: dict[Part, range] = {"test": range(5), "validation": range(5, 10), "train": range(10, 50)}
NAMES: dict[Part, list[str]] = {
    part: [f"{digit}_{speaker}_{i}.wav" for i in indices for speaker in SPEAKERS for digit in range(10)]
    for part, indices in INDICES.items()
}
ALL = sorted(name for names in NAMES.values() for name in names)
FILES = DataSet(
    "SpokenDigits",
    "fsdd/recordings",
    tuple(map(DataFile, ALL)),
    licence="CC BY-SA 4.0",
    source="https://github.com/Jakobovski/free-spoken-digit-dataset",
    summary="3,000 files DIGIT_SPEAKER_INDEX.wav",
)
SHA256 = "1801eae019c063377d98f831d3f93574f259475df7332bb0e3d1b080fb5e6959"  # of `sha256sum *.wav`, sorted by bytes


@spec
class SpokenDigits(Recordings):
    """Which digit is said, 0 to 9, in recordings of 8,000 samples a second: 26 features a step, or one sample.

    As the data set has it, the recordings of index 0 to 4 of every speaker and digit are the test part, 300. Those of
    index 5 to 9 are for validation, 300, and the other 2,400 for training; all speakers are in all parts. The files are
    held against the checksum of all 3,000 of them; for other recordings there is WavFolder."""

    def labels(self) -> tuple[tuple[str, ...], Labels]:
        folder = FILES.folder_with_all()
        found = checksum(folder)
        if found != SHA256:
            raise UsageError(
                f"{folder} does not hold the published recordings: the SHA-256 of their checksums is {found}; "
                f"accepted: {SHA256}. For other recordings there is WavFolder"
            )
        files: Labels = {part: [(folder / name, int(name[0])) for name in names] for part, names in NAMES.items()}
        return tuple(map(str, range(10))), files


def checksum(folder: Path) -> str:
    """SHA-256 of what ``LC_ALL=C sha256sum *.wav`` prints in the folder of the recordings."""
    each = ((hashlib.sha256(read_bytes(folder / name, LARGEST)).hexdigest(), name) for name in ALL)
    return hashlib.sha256("".join(f"{found}  {name}\n" for found, name in each).encode()).hexdigest()
