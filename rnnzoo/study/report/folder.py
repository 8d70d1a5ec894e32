"""The folder of a report. What is in it and was not made by a report is never overwritten."""

import json
import re
from pathlib import Path

from rnnzoo.disk import read_text, write_whole
from rnnzoo.spec import UsageError

GENERATOR = "rnnzoo study report"
PAGE = "index.html"
MADE = re.compile(r'<script type="application/json" id="made">(\[[^<]*\])</script>')


def made_before(folder: Path) -> set[str]:
    """The files that the report made which is there; none without one of ours."""
    page = folder / PAGE
    if not page.is_file():
        return set()
    text = read_text(page)
    found = MADE.search(text)
    if f'content="{GENERATOR}"' not in text or found is None:
        return set()
    try:
        return {name for name in json.loads(found[1]) if isinstance(name, str)}
    except ValueError:
        return set()


def check_folder(folder: Path, names: list[str]) -> None:
    """Raise `UsageError` if a file would be overwritten that no report made."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out is {str(folder)!r}, which is a file; accepted: a folder")
    ours = made_before(folder)
    for name in names:
        if name not in ours and (folder / name).exists():
            raise UsageError(f"{folder / name} exists and was not made by this command; accepted: another --out")


def write_files(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write all files, the page last, so that a page never names what is not there.

    Raises:
        UsageError: as `check_folder`.
    """
    check_folder(folder, list(files))
    for name in sorted(files, key=lambda name: name == PAGE):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, files[name])


__all__ = ["GENERATOR", "PAGE", "check_folder", "made_before", "write_files"]
