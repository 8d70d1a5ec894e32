"""Where data files are looked for, and whether they are the published ones.

Data that are not part of any package are read from data directories: those of ``--data-dir``, then those of the
environment variable `VARIABLE`. Within a directory every data set has a folder of its own. The place is no field of a
task, so that a run does not depend on it; the fingerprint of the data guards what is in the files.
"""

import dataclasses
import gzip
import hashlib
import io
import os
import sys
import zlib
from pathlib import Path

from rnnzoo.disk import read_bytes
from rnnzoo.spec import UsageError

VARIABLE = "RNNZOO_DATA"
LARGEST = 2**30  # bytes of a file, packed or unpacked


def data_dirs() -> list[Path]:
    """The data directories, the first one first."""
    return [Path(name) for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]


def use_data_dirs(names: str) -> None:
    """Look in these directories (several are separated as in PATH) before all others, in this process and those that it
    starts.

    Raises:
        UsageError: one of them is no directory.
    """
    first = names.split(os.pathsep)
    for name in first:
        if not name or "\0" in name or not Path(name).is_dir():
            raise UsageError(f"--data-dir is {name!r}; accepted: a folder, or several separated by {os.pathsep!r}")
    os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys([*first, *map(str, data_dirs())]))


@dataclasses.dataclass(frozen=True)
class DataFile:
    """A file of a data set. One whose name ends with ".gz" may be there without it, unpacked. Size and checksum are
    those of what it holds, since the same content is packed in more than one way."""

    name: str
    size: int = 0
    """Bytes, unpacked; 0 if not known."""
    sha256: str = ""
    """Checksum, unpacked; "" if any content is accepted."""

    def __str__(self) -> str:
        unpacked = " unpacked" if self.name.endswith(".gz") else ""
        said = [f"{self.size:,} bytes{unpacked}"] * (self.size > 0) + [f"SHA-256 {self.sha256}"] * bool(self.sha256)
        return f"{self.name} ({', '.join(said)})" if said else self.name

    def at(self, folder: Path) -> Path | None:
        """The path of the file, packed or unpacked; None if it is in neither form in the folder."""
        paths = [folder / name for name in dict.fromkeys((self.name, self.name.removesuffix(".gz")))]
        return next((path for path in paths if path.is_file()), None)

    def read(self, folder: Path) -> bytes:
        """The content, unpacked.

        Raises:
            UsageError: the file is not there, has another content, or cannot be read or unpacked.
        """
        path = self.at(folder) or folder / self.name
        content = read_bytes(path, LARGEST)
        if path.name.endswith(".gz"):
            content = unpack(content, path)
        found = hashlib.sha256(content).hexdigest()
        if self.sha256 and found != self.sha256:
            raise UsageError(
                f"{path} is not the published file: it holds {len(content):,} bytes with SHA-256 {found}; accepted: "
                f"{self}"
            )
        return content


@dataclasses.dataclass(frozen=True)
class DataSet:
    """Files that belong together, in one folder of a data directory."""

    name: str
    folder: str
    """Below a data directory, with "/" between its parts."""
    files: tuple[DataFile, ...]
    licence: str
    source: str
    """Where the files come from."""
    summary: str = ""
    """What a message says instead of listing the files."""
    package: str = ""
    """The folder in an installed package that has the files too, such as "aeon/datasets/data/Chinatown"."""

    def folder_with_all(self) -> Path:
        """The first folder that holds every file.

        Raises:
            UsageError: there is none; the message says which files are needed, and where they come from.
        """
        places = [directory / self.folder for directory in data_dirs()] + packaged(self.package)
        for place in places:
            if place.is_dir() and all(file.at(place) for file in self.files):
                return place
        raise UsageError(self._lacking(places))

    def read(self) -> dict[str, bytes]:
        """Name -> content of all files, unpacked. See `DataFile.read`."""
        folder = self.folder_with_all()
        return {file.name: file.read(folder) for file in self.files}

    def _lacking(self, places: list[Path]) -> str:
        looked = ", ".join(map(str, places)) or f"no folder: neither --data-dir nor {VARIABLE} is set"
        files = self.summary or "; ".join(map(str, self.files))
        return (
            f"{self.name} needs files that are not there (looked in {looked}); accepted: --data-dir DIR or "
            f"{VARIABLE}=DIR, with DIR/{self.folder} holding {files}. They come from {self.source}; licence: "
            f"{self.licence}"
        )


def packaged(folder: str) -> list[Path]:
    """The folders of that name in installed packages, none of which is imported; for "" none."""
    return [path for place in sys.path if folder and (path := Path(place) / folder).is_dir()]


def unpack(content: bytes, path: Path, largest: int = LARGEST) -> bytes:
    """What a gzip file holds.

    Raises:
        UsageError: it is damaged or cut off, or holds more than `largest` bytes.
    """
    try:
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(content)).read(largest + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise UsageError(f"{path} is no whole gzip file ({error}); accepted: the file as it was published") from None
    if len(unpacked) > largest:
        raise UsageError(f"{path} holds more than {largest:,} bytes; accepted: up to that many")
    return unpacked


__all__ = ["VARIABLE", "DataFile", "DataSet", "data_dirs", "packaged", "unpack", "use_data_dirs"]
