"""``rnnzoo sample RUN_DIR``: text from a trained character model, one character at a time."""

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rnnzoo.commands.arguments import add_trust
from rnnzoo.commands.trained import parser_of, trained_by
from rnnzoo.export.exported import exported_file, next_of, read_characters
from rnnzoo.spec import Count, NonNegative, Seed, UsageError, accepts, brief, describe
from rnnzoo.store.model_folder import Trained
from rnnzoo.streaming import make_model_stepper
from rnnzoo.training.symbols import check_symbols
from rnnzoo.visible import visible


def main(args: list[str]) -> int:
    """Write text from a trained character model."""
    parser = parser_of(
        "sample",
        "Write text from a trained character model, character by character.",
        "rnnzoo sample runs/mine --prompt 'The ' --temperature 0.7",
        "rnnzoo sample exported --trust   # a folder of rnnzoo export",
        seeds=False,
    )
    parser.add_argument("--prompt", default="\n", help="what the model reads first (a newline)")
    parser.add_argument("--length", type=int, default=400, help="characters to draw (400)")
    parser.add_argument("--temperature", type=float, default=1.0, help="below 1 favours likely characters (1)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (0)")
    add_trust(parser)
    known = parser.parse_args(args)
    if not accepts(Seed, known.seed):
        raise UsageError(f"--seed is {brief(known.seed)}; accepted: {describe(Seed)}")
    options: dict[str, Any] = {"length": known.length, "temperature": known.temperature, "seed": known.seed}
    if (file := exported_file(known.folder)) is not None:
        alphabet = read_characters(known.folder)
        tokens = _tokens_of(known.prompt, alphabet)
        text = _draw(next_of(file, known.trust), tokens, alphabet, **_checked(**options))
    else:
        text = sample(trained_by(known, seed=0), known.prompt, **options)
    try:
        for part in itertools.chain([known.prompt], text, "\n"):
            print(visible(part), end="", flush=True)  # a shared model chooses its characters
    except BrokenPipeError:  # the reader, such as head, is gone; Python would report it again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def sample(
    trained: Trained, prompt: str, *, length: int = 400, temperature: float = 1.0, seed: int = 0
) -> Iterator[str]:
    """The characters that the model draws after `prompt`, each as soon as it is drawn.

    Args:
        trained: a model of a task whose tokens are characters, such as `CharLM`, with its symbols.
        prompt: what the model reads first, at least one character of its training text.
        length: how many characters to draw.
        temperature: divides the logits. Below 1 favours likely characters; 0 takes the likeliest.
        seed: of the draws. The same seed and the same versions give the same text.

    Raises:
        UsageError (a ValueError): a model that does not predict characters, or a prompt it cannot read."""
    tokens, alphabet = _tokens(trained, prompt)
    options = _checked(length, temperature, seed)
    stepper = make_model_stepper(trained.model, trained.params)
    state = [stepper.start()]

    def step(token: int) -> Any:
        outputs, state[0] = stepper(state[0], np.full((1, 1), token, np.int32))
        return outputs

    return _draw(step, tokens, alphabet, **options)


def _checked(length: int, temperature: float, seed: int) -> dict[str, Any]:
    """The options of `_draw`."""
    for name, value, hint in (("temperature", temperature, NonNegative), ("length", length, Count)):
        if not accepts(hint, value):
            raise UsageError(f"{name} is {brief(value)}; accepted: {describe(hint)}")
    return {"length": length, "temperature": temperature, "random": np.random.default_rng(seed)}


def _draw(
    step: Callable[[int], Any], tokens: np.ndarray, alphabet: str, length: int, temperature: float,
    random: np.random.Generator,
) -> Iterator[str]:  # fmt: skip
    """Characters drawn from the outputs that `step` returns after each token."""
    outputs = None
    for token in tokens:
        outputs = step(int(token))
    for _ in range(length):
        logits = np.asarray(outputs, np.float64).reshape(-1)[: len(alphabet)]  # "unknown", the last, is never drawn
        if temperature:
            scaled = (logits - logits.max()) / temperature
            chances = np.exp(scaled) / np.exp(scaled).sum()
            token = int(random.choice(len(alphabet), p=chances))
        else:
            token = int(logits.argmax())
        yield alphabet[token]
        outputs = step(token)


def _tokens(trained: Trained, prompt: str) -> tuple[np.ndarray, str]:
    """The prompt's tokens, and the characters by token."""
    symbols = trained.symbols
    if symbols is None or trained.model.read != "each":
        name = type(trained.config.task).__name__ if trained.config is not None else "a model without a task"
        raise UsageError(
            f"{name} has no characters to draw; accepted: a model of characters, as of tasks.CharLM, with them "
            "(Trained.symbols; a folder written before symbols.json has none: save the run again with rnnzoo save "
            "RUN_DIR)"
        )
    check_symbols(trained.model, symbols, "Trained.symbols")
    return _tokens_of(prompt, symbols), symbols


def _tokens_of(prompt: str, symbols: str) -> np.ndarray:
    if not prompt:
        raise UsageError("the prompt is empty; accepted: at least one character")
    if strange := sorted(set(prompt) - set(symbols)):
        raise UsageError(f"the prompt has {', '.join(map(repr, strange))}, which the training text does not have")
    token = {character: number for number, character in enumerate(symbols)}
    return np.array([token[character] for character in prompt], np.int32)


__all__ = ["main", "sample"]
