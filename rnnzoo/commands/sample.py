"""``rnnzoo sample RUN_DIR``: text from a trained character model, one character at a time."""

import itertools
import os
import sys

from rnnzoo.commands.trained import parser_of, trained_by
from rnnzoo.sample import characters
from rnnzoo.spec import Seed, UsageError, accepts, brief, describe
from rnnzoo.visible import visible


def main(args: list[str]) -> int:
    """Write text from a trained character model."""
    parser = parser_of(
        "sample",
        "Write text from a trained character model, character by character.",
        "rnnzoo sample runs/mine --prompt 'The ' --temperature 0.7",
        seeds=False,
    )
    parser.add_argument("--prompt", default="\n", help="what the model reads first (a newline)")
    parser.add_argument("--length", type=int, default=400, help="characters to draw (400)")
    parser.add_argument("--temperature", type=float, default=1.0, help="below 1 favours likely characters (1)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (0)")
    known = parser.parse_args(args)
    if not accepts(Seed, known.seed):
        raise UsageError(f"--seed is {brief(known.seed)}; accepted: {describe(Seed)}")
    text = characters(
        trained_by(known, seed=0), known.prompt, length=known.length, temperature=known.temperature, seed=known.seed
    )
    try:
        for part in itertools.chain([known.prompt], text, "\n"):
            print(visible(part), end="", flush=True)  # a shared model chooses its characters
    except BrokenPipeError:  # the reader, such as head, is gone; Python would report it again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


__all__ = ["main"]
