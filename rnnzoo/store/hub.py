"""Model folders on the Hugging Face hub. Needs the [hub] extra, and the token of `huggingface_hub`'s own login."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnzoo.spec import UsageError
from rnnzoo.store.model_folder import LISTED, Trained, load_model

FILES = (*LISTED, "config.json", "README.md")


def push_model(path: str | Path, repo_id: str, *, private: bool = True) -> str:
    """Upload a model folder, after checking it, to a repository such as "me/reber-lstm" (made if need be).

    Returns the address of the commit.

    Raises:
        UsageError (a ValueError): a folder that is no model, what the hub refuses, or no [hub] extra."""
    load_model(path)
    hub: Any = _hub().HfApi()
    with _asking(repo_id):
        hub.create_repo(repo_id, private=private, exist_ok=True)
        return str(hub.upload_folder(repo_id=repo_id, folder_path=str(path), allow_patterns=list(FILES)))


def pull_model(repo_id: str, path: str | Path, *, revision: str | None = None) -> Trained:
    """Download a model folder to `path`, a free name, and load it. A download that is no sound model is not kept.

    Raises:
        UsageError (a ValueError): a `path` that exists, what the hub refuses, files that are no model, or no
            [hub] extra."""
    path = Path(path)
    if path.exists():
        raise UsageError(f"{path} is there already and is not overwritten; accepted: a free name")
    hub = _hub()
    try:
        with _asking(repo_id):
            hub.snapshot_download(repo_id, revision=revision, allow_patterns=list(FILES), local_dir=str(path))
        shutil.rmtree(path / ".cache", ignore_errors=True)  # the hub's own notes on the download
        return load_model(path)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


@contextlib.contextmanager
def _asking(repo_id: str) -> Iterator[None]:
    """What goes wrong in huggingface_hub, as a `UsageError`. Its errors, and those of the HTTP library below it, have
    no class in common: no network, no login, no such repository, an identifier that cannot be one."""
    try:
        yield
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        message = f"the hub has refused {repo_id!r}, or cannot be reached: {type(error).__name__}: {reason}"
        raise UsageError(message) from error


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise UsageError("huggingface_hub is not installed; accepted: pip install 'rnnzoo[hub]'") from None
    return huggingface_hub


__all__ = ["pull_model", "push_model"]
