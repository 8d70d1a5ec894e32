"""What commands have in common: ``--import``, ``--data-dir``, and help that ends with examples."""

import argparse
from typing import Any

from rnnzoo.spec import UsageError
from rnnzoo.tasks.files import VARIABLE, use_data_dirs
from rnnzoo.training.sources import load_source


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
        description=description,
        epilog="\n  ".join(["examples:", *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=not passes_help,
        allow_abbrev=False,
    )
    if passes_help:
        parser.add_argument("-h", "--help", action="store_true", help="show this message")
    # Taken by `take_imports` before any command sees its arguments; here for the help.
    parser.add_argument("--import", metavar="FILE", help="run a Python file with members of your own; repeatable")
    return parser


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


__all__ = ["add_data_dir", "add_trust", "new_parser", "take_imports"]
