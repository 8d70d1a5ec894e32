"""``rnnzoo export RUN_DIR``: a run's model for other programs."""

from pathlib import Path

import jax
import numpy as np

from rnnzoo import export as exporting
from rnnzoo.commands.trained import parser_of, trained_by
from rnnzoo.export.exported import at_most, note, outputs_of_batches, scores_of
from rnnzoo.spec import UsageError, suggest
from rnnzoo.store.model_folder import Trained

STEPS = 100_000  # of held-out data, at least, to see what 8 bits lose


def main(args: list[str]) -> int:
    """Write a run's model for other programs."""
    parser = parser_of(
        "export",
        "Write a model for programs that do not have rnnzoo, and check what was written.",
        "rnnzoo export runs/mine --format numpy --out exported",
    )
    parser.add_argument("--format", required=True, help=", ".join(f"{n}: {d}" for n, d in exporting.FORMATS.items()))
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, which must not exist")
    parser.add_argument(
        "--int8", action="store_true", help=f"weights in 8 bits, and what that loses ({', '.join(exporting.INT8)})"
    )
    known = parser.parse_args(args)
    if known.format not in exporting.FORMATS:
        raise UsageError(f"no format {known.format!r}; {suggest(known.format, exporting.FORMATS)}")
    trained = trained_by(known)
    file, error = exporting.export(trained.model, trained.params, known.format, known.out, int8=known.int8)
    note(known.out, trained.config, trained.symbols)
    print(f"wrote {file}; on random input it differs from the model by {error:.1e} of the largest output")
    if known.int8:
        print(_loss(trained, file))
    return 0


def _loss(trained: Trained, file: Path) -> str:
    """The score of an 8-bit file on held-out data beside that in float32."""
    if trained.config is None:
        return "no score: the model does not say what it was trained on"
    config, model, ready = trained.config, trained.model, jax.jit(trained.model.prepare)(trained.params)
    try:
        batches = list(at_most(config.task.open().held_out("test"), STEPS))
    except UsageError as error:  # the file is written, and right
        return f"no score: {error}"
    if any("resets" in batch for batch in batches):
        return "no score: the test data are streams with resets, which an exported model does not take"
    ours = jax.jit(lambda x, lengths: model.apply_prepared(ready, x, lengths=lengths)[0])
    before = scores_of(config, lambda batch: ours(batch["x"], batch.get("lengths")), batches)
    after = scores_of(config, outputs_of_batches(file, model.read, trust=True), batches)
    name, steps = config.task.metric, sum(int(np.prod(np.shape(b["x"])[:2])) for b in batches)
    return f"{name} on {steps:,} steps of test data: {after[name]:.4f}, in float32 {before[name]:.4f}"


__all__ = ["main"]
