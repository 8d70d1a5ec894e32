"""``rnnzoo train --config FILE``, the same as ``python train.py --config FILE``."""

import argparse
import os
from pathlib import Path
from typing import Any

from rnnzoo import api
from rnnzoo.api import new_folder
from rnnzoo.commands.arguments import add_data_dir, new_parser, take_imports
from rnnzoo.commands.exits import EXIT_DIVERGED, EXIT_STOPPED, warn
from rnnzoo.commands.matched import HELP, matched, take_params
from rnnzoo.commands.options import override
from rnnzoo.commands.presets import help_of_presets, with_preset
from rnnzoo.spec import UsageError
from rnnzoo.training.config import Config, load_config
from rnnzoo.training.job import Diverged, Stopped
from rnnzoo.training.progress import Progress
from rnnzoo.training.results import in_words


def main(args: list[str]) -> int:
    """``rnnzoo train``."""
    return train(args, "rnnzoo train")


def train(args: list[str], prog: str = "train.py") -> int:
    """Train the configuration of a file, with options on top."""
    parser = _parser(prog)
    known, rest = parser.parse_known_args(take_imports(args))
    if known.config is None:
        if known.help:
            parser.print_help()
            return 0
        files = _files()
        meant = [arg for arg in rest if Path(arg).is_file()]
        hint = f"did you mean --config {meant[0]}?" if meant else f"{prog} --config FILE --help shows its options."
        raise UsageError(f"--config FILE is missing; {hint} Files: {', '.join(files) or 'none here'}")
    config = _config(known, rest + ["--help"] * known.help, prog)
    workdir = known.workdir or new_folder(Path(known.config).stem)
    progress = Progress(config)
    try:
        result = api.train(config, workdir, progress)
    except (Diverged, Stopped) as error:
        progress.error(str(error))
        return EXIT_STOPPED if isinstance(error, Stopped) else EXIT_DIVERGED
    progress.line(summary(result.final, config.task.metric))
    progress.line(f"run folder: {workdir}")
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    example = next(iter(_files()), "my_config.py")
    parser = new_parser(
        prog,
        "Train the configuration of a file. Every field of it is an option:\n--config FILE --help shows them all.",
        f"{prog} --config {example}",
        f"{prog} --config {example} --cell gru --cell.hidden-size 32 --lr 3e-3",
        f"{prog} --config {example} --preset griffin --preset.width 64 --preset.layers 3",
        f"{prog} --config {example} --help",
        f"{prog} --config runs/mine/config.json --workdir runs/again",
        passes_help=True,
    )
    parser.add_argument("--config", metavar="FILE", help="a Python file that defines `config`, or a run's config.json")
    parser.add_argument(
        "--workdir",
        metavar="DIR",
        type=Path,
        help="the run folder (runs/<config>-<time>); the same one again continues the run",
    )
    add_data_dir(parser)
    return parser


def _files() -> list[str]:
    """The configuration files in the folder where they usually are."""
    return sorted(map(str, Path("configs").glob("*.py")))


def _config(known: argparse.Namespace, args: list[str], prog: str) -> Config:
    """The configuration of the file, with the command line's options applied."""
    file = Path(known.config)
    resumes = known.workdir is not None and os.path.realpath(known.workdir) == os.path.realpath(file.parent)
    config = load_config(known.config, (lambda text: None) if resumes else warn)  # the job itself warns of its folder
    description = (
        f"Train {known.config}. --workdir DIR is the run folder (default runs/<config>-<time>); the same folder again "
        "continues the run. --data-dir DIR is a folder with data files. --import FILE.py runs a file that defines "
        "members of your own. Options may also be written --config.lr=0.1."
    )
    config, args = with_preset(config, args)
    params, args = take_params(args)
    description += "\n\n" + help_of_presets() + "\n" + HELP
    return matched(override(config, args, f"{prog} --config {known.config}", description), params)


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
