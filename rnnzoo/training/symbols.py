"""The characters that the tokens of a text model stand for, kept beside its parameters as symbols.json."""

from pathlib import Path

from rnnzoo.disk import read_json
from rnnzoo.models import Model
from rnnzoo.spec import UsageError

SYMBOLS = "symbols.json"
LARGEST = 2**24  # bytes; all of Unicode, escaped in JSON, is smaller


def read_symbols(file: Path) -> str:
    """The characters in a symbols.json, in order of their tokens; `UsageError` if it holds anything else."""
    symbols = read_json(file, LARGEST)
    if not isinstance(symbols, str) or len(set(symbols)) < len(symbols):
        raise UsageError(f"{file} is {str(symbols)[:40]!r}; accepted: a string in JSON that has each character once")
    return symbols


def check_symbols(model: Model, symbols: str | None, where: str) -> None:
    """Raise `UsageError` unless the model reads and predicts a token for each character and one for all others."""
    if symbols is None:
        return
    size = len(symbols) + 1
    if not model.tokens or (model.input_size, model.output_size) != (size, size):
        kind = "tokens" if model.tokens else "vectors"
        raise UsageError(
            f"{where} has {len(symbols)} characters, and the model reads {kind} of size {model.input_size} and has "
            f"{model.output_size} outputs; accepted: one token more than there are characters"
        )


__all__ = ["SYMBOLS", "check_symbols", "read_symbols"]
