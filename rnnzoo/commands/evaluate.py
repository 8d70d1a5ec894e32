"""``rnnzoo evaluate RUN_DIR``: a run's checkpoint on its own or on a changed task."""

import json
import typing
from pathlib import Path
from typing import Any

from rnnzoo.api import evaluate
from rnnzoo.commands.arguments import add_data_dir, add_trust, listed, new_parser
from rnnzoo.commands.exits import warn
from rnnzoo.commands.options import override
from rnnzoo.export.exported import exported_file, outputs_of_batches, read_training, scores_of
from rnnzoo.result import Evaluation
from rnnzoo.spec import Spec, UsageError, field_types, spec
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Part
from rnnzoo.training.config import Config
from rnnzoo.training.results import in_words, of_seeds
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.solved import best_baseline
from rnnzoo.unrolls.base import Unroll

WHAT = "Evaluate a run's checkpoint, on its own task or on a changed one."


@spec
class Changes(Spec, kind="changes"):
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
        f"{prog} exported --trust   # a folder of rnnzoo export",
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
        scores = _exported(file, known.part, known.trust)
        print(json.dumps(scores) if known.json else "\n".join(f"{n} {in_words(v)}" for n, v in scores.items()))
        return 0
    config = RunFolder(known.run_dir).config()
    new = _changed(config, rest + ["--help"] * known.help, f"{prog} RUN_DIR")
    found = evaluate(
        known.run_dir, new.task, unroll=new.unroll, checkpoint=known.checkpoint, part=known.part, warn=warn
    )
    scores = of_seeds({name: values.tolist() for name, values in found.per_seed.items()})
    print(json.dumps(scores) if known.json else _in_words(found, scores))
    return 0


def _exported(file: Path, part: Part, trust: bool) -> dict[str, float]:
    """The scores of an exported model on the task that it was trained for."""
    config = read_training(file.parent)
    data = config.task.open()
    return scores_of(config, outputs_of_batches(file, config.task.read, trust), data.held_out(part))


def _in_words(found: Evaluation, scores: dict[str, Any]) -> str:
    """The scores, what they are of, and what there is to compare the headline with."""
    lines = [f"{name} {in_words(value)}" for name, value in scores.items()]
    lines.append(f"of the {found.part} part, at step {found.step}")
    if found.part == "test" and (best := best_baseline(found.task, found.baselines)):
        lines[-1] += f"; best baseline {best}"
    return "\n".join(lines)


def _changed(config: Config, args: list[str], prog: str) -> Changes:
    """The task and the unroll that the options ask for; the run's own where they do not."""
    for arg in args:
        name = arg.removeprefix("--config.").removeprefix("--").partition("=")[0].partition(".")[0].replace("-", "_")
        if arg.startswith("--") and name in field_types(Config) and name not in field_types(Changes):
            raise UsageError(f"--{name} cannot be changed in evaluation; accepted: --task... and --unroll...")
    examples = listed([f"{prog} --{name} ..." for name in _fields(config.task)] + [f"{prog} --part validation --json"])
    description = (
        f"{WHAT} --checkpoint last or best; --part train, validation or test; --json prints JSON, for programs; "
        f"--data-dir DIR has data files.\n\n{examples}"
    )
    return override(Changes(task=config.task, unroll=config.unroll), args, prog, description, fixed=("task",))


def _fields(task: Task) -> list[str]:
    """An option of the task, for the examples; [] if it has none."""
    return [f"task.{name.replace('_', '-')}" for name in field_types(type(task))][:1]


__all__ = ["main"]
