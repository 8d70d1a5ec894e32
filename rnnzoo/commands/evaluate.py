"""``rnnzoo evaluate RUN_DIR``: a run's checkpoint on its own or on a changed task."""

import argparse
import dataclasses
import json
import sys
import typing
from pathlib import Path

from rnnzoo.commands.options import override
from rnnzoo.spec import UsageError, field_types
from rnnzoo.tasks.data import Part
from rnnzoo.training.job import evaluate_run
from rnnzoo.training.results import in_words, median_and_range
from rnnzoo.training.run_folder import RunFolder


def main(args: list[str], prog: str = "rnnzoo evaluate") -> int:
    """Evaluate a run's checkpoint on its own or on a changed task."""
    parser = argparse.ArgumentParser(prog=prog, add_help=False, allow_abbrev=False)
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, nargs="?")
    parser.add_argument("--checkpoint", choices=("last", "best"), default="last")
    parser.add_argument("--part", choices=typing.get_args(Part), default="test")
    parser.add_argument("--json", action="store_true")
    known, rest = parser.parse_known_args(args)
    if known.run_dir is None:
        raise UsageError(
            f"usage: {prog} RUN_DIR [--task.bits 32 ...] [--checkpoint last|best] [--part validation] [--json]"
        )
    config = RunFolder(known.run_dir).config()
    description = (
        "Evaluate a checkpoint (--checkpoint last or best), on a changed task if you like; --part train, validation or "
        "test (test) chooses the data; --json for programs."
    )
    changed = override(config, rest, f"{prog} {known.run_dir}", description)
    for name in field_types(type(config)):
        if name not in ("task", "unroll") and getattr(changed, name) != getattr(config, name):
            raise UsageError(f"--{name} cannot be changed in evaluation; accepted: --task... and --unroll...")
    config = dataclasses.replace(config, task=changed.task, unroll=changed.unroll)
    scores = evaluate_run(
        known.run_dir,
        config,
        known.checkpoint,
        lambda text: print(f"warning: {text}", file=sys.stderr),
        known.part,
    )
    result = {name: median_and_range(values) for name, values in scores.items()}
    print(json.dumps(result) if known.json else "\n".join(f"{name} {in_words(v)}" for name, v in result.items()))
    return 0


__all__ = ["main"]
