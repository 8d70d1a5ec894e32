"""Model folders on the Hugging Face hub. Needs the [hub] extra, and a login by `huggingface_hub`'s own command."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnzoo.spec import UsageError
from rnnzoo.store.files import LISTED, plain_file
from rnnzoo.store.model_folder import Trained, load_model

FILES = (*LISTED, "config.json", "README.md")


def push_model(path: str | Path, repo_id: str, *, private: bool = True) -> str:
    """Check a model folder and upload it to a repository such as "me/reber-lstm", which is created if it is missing.

    Returns the address of the commit.

    Raises:
        UsageError (a ValueError): the folder holds no sound model, the hub refuses, or the [hub] extra is missing."""
    load_model(path)
    for name in FILES:  # the hub would follow a link, to a file that is not to be shared
        if os.path.lexists(Path(path) / name):
            plain_file(Path(path), name)
    hub: Any = _hub().HfApi()
    with _asking(repo_id):
        hub.create_repo(repo_id, private=private, exist_ok=True)
        return str(hub.upload_folder(repo_id=repo_id, folder_path=str(path), allow_patterns=list(FILES)))


def pull_model(repo_id: str, path: str | Path, *, revision: str | None = None) -> Trained:
    """Download a model folder to `path`, which must not exist, and load it. If it holds no sound model, it is removed.

    Raises:
        UsageError (a ValueError): `path` exists, the hub refuses, the files are no sound model, or the [hub] extra is
            missing."""
    path = Path(path)
    if os.path.lexists(path):
        raise UsageError(f"{path} exists and is not overwritten; accepted: another name")
    hub = _hub()
    try:
        with _asking(repo_id):
            hub.snapshot_download(repo_id, revision=revision, allow_patterns=list(FILES), local_dir=str(path))
        _remove(path / ".cache")  # the hub's own notes on the download
        for file in path.iterdir():
            if file.name not in FILES:
                raise UsageError(f"{repo_id} has {file.name!r}; accepted: {', '.join(FILES)}")
            plain_file(path, file.name)
        return load_model(path)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def _remove(path: Path) -> None:
    """Remove a folder, or a link in its place, but not what it leads to."""
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _asking(repo_id: str) -> Iterator[None]:
    """Turn any error of huggingface_hub into a `UsageError`: no network, no login, no such repository, a malformed
    identifier. Its errors, and those of the HTTP library that it uses, have no common class."""
    try:
        yield
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        message = f"the hub refuses {repo_id!r}, or cannot be reached: {type(error).__name__}: {reason}"
        raise UsageError(message) from error


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise UsageError("huggingface_hub is not installed; accepted: pip install 'rnnzoo[hub]'") from None
    return huggingface_hub


__all__ = ["pull_model", "push_model"]
