"""``rnnzoo save RUN_DIR --out DIR``: a run's model as a folder to keep and to share."""

from pathlib import Path

from rnnzoo.commands.trained import parser_of, trained_by
from rnnzoo.store.model_folder import save_model


def main(args: list[str]) -> int:
    """Write a run's model as a folder to keep and to share."""
    parser = parser_of("save", "Write a model folder: model.safetensors, config.json, README.md.")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write; a free name")
    known = parser.parse_args(args)
    trained = trained_by(known)
    save_model(
        known.out,
        trained.model,
        trained.params,
        config=trained.config,
        scores=trained.scores,
        symbols=trained.symbols or "",  # where a folder has none, those of today's data may be others
    )
    print(f"wrote {known.out}")
    return 0


__all__ = ["main"]
