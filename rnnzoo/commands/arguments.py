"""What all commands have in common: ``--import``, and help that ends with examples."""

import argparse

from rnnzoo.spec import UsageError
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


__all__ = ["new_parser", "take_imports"]
