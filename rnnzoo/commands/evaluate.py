"""``rnnzoo evaluate RUN_DIR``: a run's checkpoint on its own or on a changed task."""

import dataclasses
import json
import typing
from pathlib import Path

from rnnzoo.commands.arguments import add_data_dir, add_trust, new_parser
from rnnzoo.commands.exits import warn
from rnnzoo.commands.options import override
from rnnzoo.export.exported import exported_file, outputs_of_batches, read_training, scores_of
from rnnzoo.spec import Spec, UsageError, field_types, spec
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Part
from rnnzoo.training.config import Config
from rnnzoo.training.evaluation import evaluate_run
from rnnzoo.training.record import Scores
from rnnzoo.training.results import in_words, median_and_range
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.unrolls.base import Unroll

WHAT = "Evaluate a run's checkpoint, on its own task or on a changed one."


@spec
class Evaluation(Spec, kind="evaluations"):
    """What an evaluation may change in a run's configuration."""

    task: Task
    """What to evaluate on."""
    unroll: Unroll
    """How the recurrences are computed."""


def main(args: list[str], prog: str = "rnnzoo evaluate") -> int:
    """Evaluate a run's checkpoint on its own or on a changed task."""
    parser = new_parser(
        prog,
        WHAT + "\nRUN_DIR --help shows the fields of its task, which are options as well.",
        f"{prog} runs/mine",
        f"{prog} runs/mine --task.bits 32 --checkpoint best --json",
        f"{prog} runs/mine --import my_task.py",
        f"{prog} exported --trust   # a folder of rnnzoo export, on its own task",
        passes_help=True,
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, nargs="?", help="a run folder, or an exported one")
    parser.add_argument("--checkpoint", choices=("last", "best"), default="last", help="which one (last)")
    parser.add_argument("--part", choices=typing.get_args(Part), default="test", help="of the data (test)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_trust(parser)
    add_data_dir(parser)
    known, rest = parser.parse_known_args(args)
    if known.run_dir is None:
        if not known.help:
            raise UsageError(f"RUN_DIR is missing; {prog} --help shows how to call it")
        parser.print_help()
        return 0
    if (file := exported_file(known.run_dir)) is not None:
        if rest or known.help:
            raise UsageError(f"{' '.join(rest) or '--help'} is not for an exported folder; accepted: --part, --json")
        _print({name: [score] for name, score in _exported(file, known.part, known.trust).items()}, known.json)
        return 0
    config = RunFolder(known.run_dir).config()
    config = _changed(config, rest + ["--help"] * known.help, f"{prog} {known.run_dir}")
    scores = evaluate_run(known.run_dir, config, known.checkpoint, warn, known.part)
    _print(scores, known.json)
    return 0


def _print(scores: Scores, as_json: bool) -> None:
    """Print the scores of all seeds."""
    result = {name: median_and_range(values) for name, values in scores.items()}
    print(json.dumps(result) if as_json else "\n".join(f"{name} {in_words(v)}" for name, v in result.items()))


def _exported(file: Path, part: Part, trust: bool) -> dict[str, float]:
    config = read_training(file.parent)
    data = config.task.open()
    return scores_of(config, outputs_of_batches(file, config.task.read, trust), data.held_out(part))


def _changed(config: Config, args: list[str], prog: str) -> Config:
    """The run's configuration with the task and the unroll that the options ask for."""
    for arg in args:
        name = arg.removeprefix("--config.").removeprefix("--").partition("=")[0].partition(".")[0].replace("-", "_")
        if arg.startswith("--") and name in field_types(Config) and name not in field_types(Evaluation):
            raise UsageError(f"--{name} cannot be changed in evaluation; accepted: --task... and --unroll...")
    description = f"{WHAT} --checkpoint last or best; --json prints JSON, for programs; --data-dir DIR has data files."
    changed = override(Evaluation(task=config.task, unroll=config.unroll), args, prog, description)
    return dataclasses.replace(config, task=changed.task, unroll=changed.unroll)


__all__ = ["main"]
