"""What commands have in common: ``--import``, ``--data-dir``, and help that ends with examples."""

import argparse
import functools
import shutil
import textwrap
from collections.abc import Iterable
from typing import Any

from rnnzoo.spec import UsageError
from rnnzoo.tasks.files import VARIABLE, use_data_dirs
from rnnzoo.training.named import file_of, named_files
from rnnzoo.training.sources import load_source

WIDEST = 120  # columns of a paragraph


def take_imports(args: list[str]) -> list[str]:
    """Run the files and import the modules that ``--import`` names, and return the other arguments."""
    rest, waiting = [], list(args)
    while waiting:
        arg = waiting.pop(0)
        option, equals, name = arg.partition("=")
        if option != "--import":
            rest.append(arg)
            continue
        if not equals:
            name = waiting.pop(0) if waiting else ""
        if not name or name.startswith("-"):
            raise UsageError("--import needs a Python file or a module, such as --import my_members.py")
        load_source(name)
    return rest


def new_parser(prog: str, description: str, *examples: str, passes_help: bool = False) -> argparse.ArgumentParser:
    """A parser whose help ends with examples. With `passes_help`, ``--help`` is an option like others: the command
    decides whether this help is shown, or the longer one of a configuration."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=filled(description),
        epilog=listed(examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=not passes_help,
        allow_abbrev=False,
    )
    if passes_help:
        parser.add_argument("-h", "--help", action="store_true", help="show this message")
    # Taken by `take_imports` before any command sees its arguments; here for the help.
    parser.add_argument("--import", metavar="FILE", help="run a Python file with members of your own; repeatable")
    return parser


def filled(text: str) -> str:
    """The paragraphs of a text, as wide as the terminal. Lines that are indented stay as they are."""
    width = min(shutil.get_terminal_size().columns - 1, WIDEST)
    found: list[str] = []
    for line in text.splitlines():
        if found and line and not line.startswith(" ") and found[-1] and not found[-1].startswith(" "):
            found[-1] += " " + line
        else:
            found.append(line)
    fill = functools.partial(textwrap.fill, width=width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(line if line.startswith(" ") else fill(line) for line in found)


def listed(examples: Iterable[str]) -> str:
    """The examples at the end of a help."""
    return "\n  ".join(["examples:", *examples])


def add_config(parser: argparse.ArgumentParser) -> None:
    """Give a command the option ``--config``. What it names may also come first, without it: see `take_config`."""
    parser.add_argument(
        "--config",
        metavar="NAME",
        help="a name that rnnzoo list configs shows, a Python file that defines `config`, or a run's config.json; "
        "--config may be left out",
    )


def take_config(config: str | None, rest: list[str], prog: str) -> tuple[str, list[str]]:
    """The configuration that ``--config`` or the first of the other arguments names, and what is left of those."""
    if config is not None:
        return config, rest
    if rest and not rest[0].startswith("-"):
        return rest[0], rest[1:]
    if meant := [arg for arg in rest if file_of(arg)]:
        raise UsageError(f"put the configuration first: {prog} {meant[0]} ...")
    raise UsageError(f"no configuration is given; accepted: {prog} NAME, of {', '.join(named_files())}, or a file")


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Give a command the option ``--data-dir``, which takes effect as it is parsed."""
    parser.add_argument(
        "--data-dir", action=_DataDir, metavar="DIR", help=f"a folder with data files, before those of {VARIABLE}"
    )


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Give a command the option ``--trust``."""
    parser.add_argument("--trust", action="store_true", help="run the model.py of an exported folder, which is code")


class _DataDir(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        use_data_dirs(values)


__all__ = [
    "add_config", "add_data_dir", "add_trust", "filled", "listed", "new_parser", "take_config", "take_imports",
]  # fmt: skip
