"""How commands end: exit codes, and every error that is not a bug as a short message."""

import io
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from rnnzoo.spec import UsageError
from rnnzoo.visible import visible

EXIT_DAMAGED, EXIT_USAGE, EXIT_DIVERGED, EXIT_IO, EXIT_STOPPED, EXIT_INTERRUPTED = 1, 2, 3, 74, 75, 130


def guarded(command: Callable[[list[str]], int | None]) -> Callable[[list[str]], int]:
    """The command, with what a user, a file, a disk or a device did as a short message on standard error: exit code 2
    for arguments and files, 3 for what JAX could not compute, 74 for input and output, 130 for Ctrl-C."""

    def run(args: list[str]) -> int:
        _print_any_character()
        try:
            code = command(args) or 0
            if sys.stdout is not None:
                sys.stdout.flush()  # what Python would report at exit, and not as a short message
            return code
        except BrokenPipeError:  # the reader, such as head, is gone
            _give_up_stdout()
            return 0
        except KeyboardInterrupt as error:
            return _end("stopped at once", error, EXIT_INTERRUPTED)
        except UsageError as error:
            return _end(str(error), error, EXIT_USAGE)
        except OSError as error:
            _give_up_stdout()
            return _end(_in_words(error), error, EXIT_IO)
        except (MemoryError, RecursionError) as error:
            return _end("out of memory" if isinstance(error, MemoryError) else str(error), error, EXIT_DIVERGED)
        except RuntimeError as error:
            if type(error).__name__ not in ("JaxRuntimeError", "XlaRuntimeError"):  # importing JAX takes half a second
                raise
            return _end(f"JAX: {str(error).splitlines()[0]}", error, EXIT_DIVERGED)

    return run


def leave(code: int) -> NoReturn:
    """End the process with this exit code. Ctrl-C while Python tidies up would print tracebacks of others' code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _print_any_character() -> None:
    """Print characters that the terminal's encoding lacks as escapes, rather than end with an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _end(message: str, error: BaseException, code: int) -> int:
    """Print a message and what its notes say of results that are kept. Returns the exit code."""
    notes = getattr(error, "__notes__", [])
    try:
        print(f"error: {visible('; '.join([message, *notes]))}", file=sys.stderr)
    except (OSError, ValueError):  # standard error is closed, or its disk is full
        pass
    return code


def _in_words(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return ": ".join(["cannot write or read", *names, error.strerror]) if names else error.strerror


def _give_up_stdout() -> None:
    """Send what is left in the buffer to nowhere, since Python writes it at exit."""
    try:
        sys.stdout.flush()
    except (AttributeError, OSError, ValueError):
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (AttributeError, OSError, ValueError):
            pass


def warn(text: str) -> None:
    """Print a warning to standard error."""
    print(f"warning: {visible(text)}", file=sys.stderr)


__all__ = ["EXIT_DAMAGED", "EXIT_DIVERGED", "EXIT_IO", "EXIT_STOPPED", "EXIT_USAGE", "guarded", "leave", "warn"]
