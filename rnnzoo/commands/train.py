"""``rnnzoo train NAME``, the same as ``python train.py NAME``."""

import argparse
import os
import textwrap
from pathlib import Path

from rnnzoo import api
from rnnzoo.api import new_folder
from rnnzoo.commands.arguments import add_config, add_data_dir, listed, new_parser, take_config, take_imports
from rnnzoo.commands.exits import EXIT_DIVERGED, EXIT_STOPPED, warn
from rnnzoo.commands.matched import HELP, matched, take_params
from rnnzoo.commands.options import override
from rnnzoo.commands.presets import help_of_presets, with_preset
from rnnzoo.spec import members
from rnnzoo.training.config import Config, load_config
from rnnzoo.training.description import labelled
from rnnzoo.training.job import Diverged, Stopped
from rnnzoo.training.named import file_of, named_files
from rnnzoo.training.progress import Progress


def main(args: list[str]) -> int:
    """``rnnzoo train``."""
    return train(args, "rnnzoo train")


def train(args: list[str], prog: str = "train.py") -> int:
    """Train the configuration of a name or a file, with options on top."""
    parser = _parser(prog)
    known, rest = parser.parse_known_args(take_imports(args))
    if known.help and known.config is None and not rest:
        parser.print_help()
        return 0
    known.config, rest = take_config(known.config, rest, prog)
    config = _config(known, rest + ["--help"] * known.help, prog)
    workdir = known.workdir or new_folder(Path(known.config).stem)
    progress = Progress(config)
    try:
        progress.line(labelled("config", str(file_of(known.config))))
        api.train(config, workdir, progress, log=known.log)
    except (Diverged, Stopped) as error:
        progress.error(str(error))
        return EXIT_STOPPED if isinstance(error, Stopped) else EXIT_DIVERGED
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = new_parser(
        prog,
        "Train a configuration. Every field of it is an option; NAME --help shows them all.\n\n"
        "names, which rnnzoo list configs describes:\n"
        + textwrap.fill(", ".join(named_files()), 78, initial_indent="  ", subsequent_indent="  "),
        f"{prog} binary_addition",
        f"{prog} binary_addition --help",
        f"{prog} binary_addition --cell gru --cell.structure banded --lr 3e-3",
        f"{prog} char_lm --preset griffin --preset.width 64",
        f"{prog} my_config.py --workdir runs/mine --log tensorboard",
        f"{prog} runs/mine/config.json --workdir runs/again",
        passes_help=True,
    )
    add_config(parser)
    parser.add_argument(
        "--workdir",
        metavar="DIR",
        type=Path,
        help="the run folder (runs/<config>-<time>); the same one again continues the run",
    )
    parser.add_argument(
        "--log",
        metavar="LOGGER",
        action="append",
        default=[],
        help=f"where the numbers go besides the run folder: {', '.join(members('loggers')).lower()}; repeatable",
    )
    add_data_dir(parser)
    return parser


def _config(known: argparse.Namespace, args: list[str], prog: str) -> Config:
    """The configuration of the file, with the command line's options applied."""
    file = Path(known.config)
    resumes = known.workdir is not None and os.path.realpath(known.workdir) == os.path.realpath(file.parent)
    config = load_config(known.config, (lambda text: None) if resumes else warn)  # the job itself warns of its folder
    description = (
        f"Train {known.config}. --workdir DIR is the run folder (default runs/<config>-<time>); the same folder again "
        "continues the run. --log LOGGER sends its numbers elsewhere, too. --data-dir DIR is a folder with data files. "
        "--import FILE.py runs a file that defines members of your own. Options may also be written --config.lr=0.1."
    )
    config, args = with_preset(config, args)
    params, args = take_params(args)
    start = f"{prog} {known.config}"
    examples = listed(
        [f"{start} --cell gru --cell.structure banded --lr 3e-3", f"{start} --seeds 5 --workdir runs/mine"]
    )
    description += f"\n\n{examples}\n\n{help_of_presets()}\n\n{HELP}"
    return matched(override(config, args, start, description, others=("workdir", "log")), params)


__all__ = ["main", "train"]
