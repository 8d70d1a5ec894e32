"""``rnnzoo train --config FILE``, the same as ``python train.py --config FILE``."""

import argparse
import datetime
import sys
from pathlib import Path
from typing import Any

from rnnzoo.commands.exits import EXIT_DIVERGED, EXIT_STOPPED
from rnnzoo.commands.options import override
from rnnzoo.spec import UsageError
from rnnzoo.training.config import load_config
from rnnzoo.training.job import Diverged, Job, Stopped
from rnnzoo.training.progress import Progress
from rnnzoo.training.results import in_words


def main(args: list[str]) -> int:
    """``rnnzoo train``."""
    return train(args, "rnnzoo train")


def train(args: list[str], prog: str = "train.py") -> int:
    """Train the configuration of a file, with options on top."""
    parser = argparse.ArgumentParser(prog=prog, add_help=False, allow_abbrev=False)
    parser.add_argument("--config", metavar="FILE")
    parser.add_argument("--workdir", metavar="DIR", type=Path)
    known, rest = parser.parse_known_args(args)
    if known.config is None:
        files = ", ".join(sorted(map(str, Path("configs").glob("*.py")))) or "none here"
        raise UsageError(f"--config FILE is missing; {prog} --config FILE --help shows its options. Files: {files}")
    config = load_config(known.config)
    description = (
        f"Train {known.config}. --workdir DIR is the run folder (default runs/<config>-<time>); the same folder "
        "again goes on where it stopped. Options may also be written --config.lr=0.1."
    )
    config = override(config, rest, f"{prog} --config {known.config}", description)
    workdir = known.workdir or Path("runs") / f"{Path(known.config).stem}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    progress = Progress(config)
    try:
        final = Job(config, workdir, progress).run()
    except (Diverged, Stopped) as error:
        print(f"{error}", file=sys.stderr)
        return EXIT_STOPPED if isinstance(error, Stopped) else EXIT_DIVERGED
    finally:
        progress.close()
    print(summary(final, config.task.metric))
    print(f"run folder: {workdir}")
    return 0


def summary(final: dict[str, Any], metric: str) -> str:
    """The result in a few lines."""
    lines = [f"{name} {in_words(value)}" for name, value in final["metrics"].items()]
    lines += [f"baseline {name}: {metric} {value:.4f}" for name, value in final["baseline"].items()]
    if final["solved"] is not None:
        said = {True: "yes", False: "no"}[final["solved"]] if final["seeds"] == 1 else None
        lines.append(f"solved ({metric} {final['solved_at']}): {said or '{solved} of {seeds} seeds'.format(**final)}")
    lines.append(f"{final['params']} parameters, {final['nonzeros_u']} in U, {final['seconds']:.1f} s of training")
    return "\n".join(lines)


__all__ = ["main", "summary", "train"]
