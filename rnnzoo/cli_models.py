"""Commands for trained models: save, sample, export, push, pull."""

import argparse
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path

from rnnzoo.registry import UsageError, nearest


def save(args: list[str]) -> int:
    """Write a run's model as a folder to keep and to share."""
    from rnnzoo.model_folder import save_model

    parser = _parser("save", "Write a model folder: model.safetensors, config.json, README.md.")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write; a free name")
    known = parser.parse_args(args)
    trained = _trained(known)
    save_model(
        known.out,
        trained.model,
        trained.params,
        config=trained.config,
        scores=trained.scores,
        symbols=trained.symbols or "",  # where a folder has none, those of today's data may be others
    )
    print(f"wrote {known.out}")
    return 0


def sample(args: list[str]) -> int:
    """Write text from a trained character model."""
    from rnnzoo import sample as sampling

    parser = _parser("sample", "Write text from a trained character model, character by character.", seeds=False)
    parser.add_argument("--prompt", default="\n", help="what the model reads first (a line end)")
    parser.add_argument("--length", type=int, default=400, help="characters to draw (400)")
    parser.add_argument("--temperature", type=float, default=1.0, help="below 1: likelier; 0: the likeliest (1)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (0)")
    known = parser.parse_args(args)
    if known.seed < 0:
        raise UsageError(f"--seed is {known.seed}; accepted: 0 or more")
    text = sampling.sample(
        _trained(known, seed=0), known.prompt, length=known.length, temperature=known.temperature, seed=known.seed
    )
    try:
        for part in itertools.chain([known.prompt], text, "\n"):
            print(part, end="", flush=True)
    except BrokenPipeError:  # the reader, such as head, has enough; Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def export(args: list[str]) -> int:
    """Write a run's model for other programs."""
    from rnnzoo import export as exporting

    parser = _parser("export", "Write a model for programs that do not have rnnzoo, and check what was written.")
    parser.add_argument("--format", required=True, help=", ".join(f"{n}: {d}" for n, d in exporting.FORMATS.items()))
    parser.add_argument("--out", type=Path, required=True, help="the folder to write; a free name")
    known = parser.parse_args(args)
    if known.format not in exporting.FORMATS:
        raise UsageError(f"no format {known.format!r}; {nearest(known.format, exporting.FORMATS)}")
    trained = _trained(known)
    file, error = exporting.export(trained.model, trained.params, known.format, known.out)
    print(f"wrote {file}; on random input it differs from the model by {error:.1e} of the largest output")
    return 0


def push(args: list[str]) -> int:
    """Upload a model folder to the Hugging Face hub."""
    from rnnzoo.hub import push_model

    parser = argparse.ArgumentParser(prog="rnnzoo push", allow_abbrev=False)
    parser.add_argument("folder", metavar="DIR", type=Path, help="a model folder, from rnnzoo save")
    parser.add_argument("repo", metavar="REPO", help="such as me/reber-lstm")
    parser.add_argument("--public", action="store_true", help="make a new repository public")
    known = parser.parse_args(args)
    print(push_model(known.folder, known.repo, private=not known.public))
    return 0


def pull(args: list[str]) -> int:
    """Download a model folder from the Hugging Face hub."""
    from rnnzoo.hub import pull_model

    parser = argparse.ArgumentParser(prog="rnnzoo pull", allow_abbrev=False)
    parser.add_argument("repo", metavar="REPO", help="such as me/reber-lstm")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write; a free name")
    parser.add_argument("--revision", help="branch, tag or commit")
    known = parser.parse_args(args)
    pull_model(known.repo, known.out, revision=known.revision)
    print(f"wrote {known.out}")
    return 0


def _parser(name: str, description: str, seeds: bool = True) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"rnnzoo {name}", description=description, allow_abbrev=False)
    parser.add_argument("folder", metavar="RUN_DIR", type=Path, help="a run folder, or a model folder")
    parser.add_argument("--checkpoint", choices=("last", "best"), default="last", help="of a run folder (last)")
    if seeds:
        parser.add_argument("--seed", type=int, default=0, help="which of the run's seeds, from 0 (0)")
    return parser


def _trained(known: argparse.Namespace, seed: int | None = None):
    from rnnzoo.model_folder import trained_run

    warn: Callable[[str], None] = lambda text: print(f"warning: {text}", file=sys.stderr)  # noqa: E731
    return trained_run(known.folder, known.checkpoint, known.seed if seed is None else seed, warn)


__all__ = ["export", "pull", "push", "sample", "save"]
