"""``python -m rnnzoo COMMAND``, also installed as ``rnnzoo``."""

import importlib
import sys

import rnnzoo
from rnnzoo.commands.arguments import take_imports
from rnnzoo.commands.cache import use_compilation_cache
from rnnzoo.commands.exits import guarded, leave
from rnnzoo.spec import UsageError, suggest
from rnnzoo.training.devices import use_cpu_cores

USAGE = """usage: rnnzoo COMMAND [OPTIONS]    (COMMAND --help shows its options)

  train NAME                 train a configuration, by its name or its file;
                             rnnzoo list configs shows the names
  study FILE                 train all rows of a study into one table;
                             study report makes a page of tables
  sweep NAME                 one configuration with options varied,
                             e.g. --grid lr=1e-3,1e-2
  evaluate RUN_DIR           scores of a run's checkpoint,
                             e.g. --task.bits 32 for longer numbers
  compare RUN_DIR...         a table of runs, what differs in their
                             configurations, curves in one picture (--out)
  report RUN_DIR             a run as one HTML file: curves, matrices, scores
  verify RUN_DIR             check a run folder's files against one another
  selftest                   check what this JAX and this device compute
  list [KIND] [PATTERN]      tables of cells, structures, tasks, configs, ...,
                             e.g. list cells '*gru*'
  show cell NAME             equations, parameters, a diagram of a step
  show structure NAME        draw a structured matrix, e.g. --bandwidth 2
  show structures            draw all structures into one picture
  show run RUN_DIR           draw a run's recurrent matrices and eigenvalues
  save RUN_DIR --out DIR     write a run's model as a folder to share
  sample RUN_DIR             text from a model of characters, e.g. enwik8
  export RUN_DIR --out DIR   a run's model as StableHLO, ONNX or numpy
  push DIR REPO              upload a model folder to the Hugging Face hub;
                             pull REPO --out DIR downloads one

Each takes --import FILE.py or --import MODULE, repeatedly: code that defines
tasks, cells, ... of your own.

examples:
  rnnzoo train binary_addition --workdir runs/mine
  rnnzoo evaluate runs/mine --task.bits 32
  rnnzoo evaluate runs/my_task --import my_task.py
"""

COMMANDS = (
    "train",
    "study",
    "sweep",
    "evaluate",
    "compare",
    "report",
    "verify",
    "selftest",
    "list",
    "show",
    "save",
    "sample",
    "export",
    "push",
    "pull",
)


def command(args: list[str]) -> int:
    """Run --import, then `main` of the command's module, imported only now: commands do not pay for each other's."""
    args = take_imports(args)
    if not args or args[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0
    if args[0] == "--version":
        print(f"rnnzoo {rnnzoo.__version__}")
        return 0
    if args[0] not in COMMANDS:
        raise UsageError(f"no command {args[0]!r}; {suggest(args[0], COMMANDS)}")
    return importlib.import_module(f"rnnzoo.commands.{args[0]}").main(args[1:])


def main() -> None:
    """Entry point of the console script."""
    use_cpu_cores()
    use_compilation_cache()
    leave(guarded(command)(sys.argv[1:]))


if __name__ == "__main__":
    main()
