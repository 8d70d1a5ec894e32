"""How commands end: exit codes, errors and warnings as short messages."""

import os
import sys
from collections.abc import Callable

from rnnzoo.spec import UsageError

EXIT_USAGE, EXIT_DIVERGED, EXIT_STOPPED = 2, 3, 75


def guarded(command: Callable[[list[str]], int | None]) -> Callable[[list[str]], int]:
    """The command, with a `UsageError` turned into a short message on standard error and exit code 2."""

    def run(args: list[str]) -> int:
        try:
            return command(args) or 0
        except UsageError as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_USAGE
        except BrokenPipeError:  # the reader, such as head, is gone; Python would report it again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    return run


def warn(text: str) -> None:
    """Print a warning to standard error."""
    print(f"warning: {text}", file=sys.stderr)


__all__ = ["EXIT_DIVERGED", "EXIT_STOPPED", "EXIT_USAGE", "guarded", "warn"]
