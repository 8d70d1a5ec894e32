"""How commands end: exit codes, and errors as short messages."""

import sys
from collections.abc import Callable

from rnnzoo.spec import UsageError

EXIT_USAGE, EXIT_DIVERGED, EXIT_STOPPED = 2, 3, 75


def guarded(command: Callable[[list[str]], int | None]) -> Callable[[list[str]], int]:
    """A command that turns what users can get wrong into a short message on standard error and exit code 2."""

    def run(args: list[str]) -> int:
        try:
            return command(args) or 0
        except UsageError as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_USAGE

    return run


__all__ = ["EXIT_DIVERGED", "EXIT_STOPPED", "EXIT_USAGE", "guarded"]
