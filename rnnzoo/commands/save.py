"""``rnnzoo save RUN_DIR --out DIR``: a run's model as a folder to keep and to share."""

from pathlib import Path

from rnnzoo.commands.trained import parser_of, trained_by
from rnnzoo.spec import UsageError
from rnnzoo.store.model_folder import save_model


def main(args: list[str]) -> int:
    """Write a run's model as a folder to keep and to share."""
    parser = parser_of(
        "save",
        "Write a model folder: model.safetensors, config.json, README.md.",
        "rnnzoo save runs/mine --out mine",
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, which must not exist")
    known = parser.parse_args(args)
    trained = trained_by(known)
    if trained.config is None and trained.no_config:
        raise UsageError(trained.no_config)  # the copy would lack its training.json
    save_model(
        known.out,
        trained.model,
        trained.params,
        config=trained.config,
        scores=trained.scores,
        symbols=trained.symbols or "",  # a folder without them gets none: today's data may have others
    )
    print(f"wrote {known.out}")
    return 0


__all__ = ["main"]
