"""Configuration and study files by name: those in ``configs`` of the current folder, and those that rnnzoo ships."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def shipped() -> Path | None:
    """The folder of the configurations that come with rnnzoo: in the package, or beside it in a checkout."""
    if (inside := PACKAGE / "configs").is_dir():
        return inside
    beside = PACKAGE.parent / "configs"
    return beside if beside.is_dir() and (PACKAGE.parent / "pyproject.toml").is_file() else None


def named_files(folder: str = ".") -> dict[str, Path]:
    """Name -> file, of the configurations; with "studies", of the studies. The current folder's come first."""
    found: dict[str, Path] = {}
    for place in (Path("configs"), shipped()):
        files = sorted((place / folder).glob("*.py")) if place is not None else ()
        found = {file.stem: file for file in files} | found
    return dict(sorted(found.items()))


def file_of(name: str, folder: str = ".") -> Path | None:
    """The file at a path or, if there is none, of a name; None if there is neither."""
    if Path(name).is_file():
        return Path(name)
    return named_files(folder).get(name.replace("-", "_")) if Path(name).name == name else None


__all__ = ["file_of", "named_files", "shipped"]
