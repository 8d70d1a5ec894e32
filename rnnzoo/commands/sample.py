"""``rnnzoo sample RUN_DIR``: text from a trained model of characters or bytes."""

import itertools
import os
import sys
from typing import Any

from rnnzoo.commands.arguments import add_trust
from rnnzoo.commands.trained import parser_of, trained_by
from rnnzoo.export.exported import exported_file, next_of, read_characters
from rnnzoo.sample import Characters, characters, draw, options_of
from rnnzoo.spec import Seed, UsageError, accepts, brief, describe
from rnnzoo.visible import visible


def main(args: list[str]) -> int:
    """Write text from a trained model of characters or bytes."""
    parser = parser_of(
        "sample",
        "Write text from a trained model of characters or bytes, one after the other.",
        "rnnzoo sample runs/mine --prompt 'The ' --temperature 0.7",
        "rnnzoo sample enwik8 --prompt 'The [[' --temperature 0.6   # comes with rnnzoo",
        "rnnzoo sample exported --trust   # a folder of rnnzoo export",
        seeds=False,
    )
    parser.add_argument("--prompt", default="\n", help="what the model reads first (a newline)")
    parser.add_argument("--length", type=int, default=400, help="characters or bytes to draw (400)")
    parser.add_argument("--temperature", type=float, default=1.0, help="below 1 favours likely tokens (1)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (0)")
    add_trust(parser)
    known = parser.parse_args(args)
    if not accepts(Seed, known.seed):
        raise UsageError(f"--seed is {brief(known.seed)}; accepted: {describe(Seed)}")
    options: dict[str, Any] = {"length": known.length, "temperature": known.temperature, "seed": known.seed}
    if (file := exported_file(known.folder)) is not None:
        spelling = Characters(read_characters(known.folder))
        tokens = spelling.tokens(known.prompt)
        text = spelling.text(draw(next_of(file, known.trust), tokens, spelling.size, **options_of(**options)))
    else:
        text = characters(trained_by(known, seed=0), known.prompt, **options)
    try:
        for part in itertools.chain([known.prompt], text, "\n"):
            print(visible(part), end="", flush=True)  # a shared model chooses its characters
    except BrokenPipeError:  # the reader, such as head, is gone; Python would report it again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


__all__ = ["main"]
