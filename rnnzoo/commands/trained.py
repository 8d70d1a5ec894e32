"""Options of commands on a trained model: which folder, which checkpoint, which seed."""

import argparse
from pathlib import Path

from rnnzoo.commands.arguments import add_data_dir, new_parser
from rnnzoo.commands.exits import warn
from rnnzoo.store.model_folder import Trained
from rnnzoo.store.trained import trained_run


def parser_of(name: str, description: str, *examples: str, seeds: bool = True) -> argparse.ArgumentParser:
    """The options of a command on a trained model."""
    parser = new_parser(f"rnnzoo {name}", description, *examples)
    parser.add_argument(
        "folder", metavar="RUN_DIR", type=Path, help="a run folder, a model folder, or a pretrained model by name"
    )
    parser.add_argument("--checkpoint", choices=("last", "best"), default="last", help="of a run folder (last)")
    add_data_dir(parser)
    if seeds:
        parser.add_argument("--seed", type=int, default=0, help="which of the run's seeds, from 0 (0)")
    return parser


def trained_by(known: argparse.Namespace, seed: int | None = None) -> Trained:
    """The model that the options of `parser_of` name."""
    return trained_run(known.folder, known.checkpoint, known.seed if seed is None else seed, warn)


__all__ = ["parser_of", "trained_by"]
