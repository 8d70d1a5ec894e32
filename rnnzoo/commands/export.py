"""``rnnzoo export RUN_DIR``: a run's model for other programs."""

from pathlib import Path

from rnnzoo import export as exporting
from rnnzoo.commands.trained import parser_of, trained_by
from rnnzoo.spec import UsageError, suggest


def main(args: list[str]) -> int:
    """Write a run's model for other programs."""
    parser = parser_of(
        "export",
        "Write a model for programs that do not have rnnzoo, and check what was written.",
        "rnnzoo export runs/mine --format numpy --out exported",
    )
    parser.add_argument("--format", required=True, help=", ".join(f"{n}: {d}" for n, d in exporting.FORMATS.items()))
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, which must not exist")
    known = parser.parse_args(args)
    if known.format not in exporting.FORMATS:
        raise UsageError(f"no format {known.format!r}; {suggest(known.format, exporting.FORMATS)}")
    trained = trained_by(known)
    file, error = exporting.export(trained.model, trained.params, known.format, known.out)
    print(f"wrote {file}; on random input it differs from the model by {error:.1e} of the largest output")
    return 0


__all__ = ["main"]
