"""Text from a trained character model, one character at a time."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo.result import Result
from rnnzoo.spec import Count, NonNegative, UsageError, accepts, brief, describe
from rnnzoo.store.model_folder import Trained
from rnnzoo.store.trained import trained_run
from rnnzoo.streaming import make_model_stepper
from rnnzoo.training.symbols import check_symbols


def sample(
    trained: "Result | Trained | str | Path",
    prompt: str = "\n",
    *,
    length: int = 400,
    temperature: float = 1.0,
    seed: int = 0,
) -> str:
    """The text that a trained character model writes after `prompt`.

    Args:
        trained: what `rnnzoo.train` or `rnnzoo.load_model` returned, or a run folder or model folder, of a task whose
            tokens are characters, such as `CharLM`. Of several seeds, the first.
        prompt: what the model reads first, at least one character of its training text.
        length: how many characters to draw.
        temperature: divides the logits. Below 1 favours likely characters; 0 takes the likeliest.
        seed: of the draws. The same seed and the same versions give the same text.

    Raises:
        UsageError (a ValueError): a model that does not predict characters, or a prompt it cannot read."""
    if isinstance(trained, (str, Path)):
        trained = trained_run(Path(trained), "last", 0, warnings.warn)
    elif isinstance(trained, Result):
        trained = trained.networks[0]
    return "".join(characters(trained, prompt, length=length, temperature=temperature, seed=seed))


def characters(
    trained: Trained, prompt: str, *, length: int = 400, temperature: float = 1.0, seed: int = 0
) -> Iterator[str]:
    """What `sample` returns, each character as soon as it is drawn."""
    tokens, alphabet = _tokens(trained, prompt)
    options = options_of(length, temperature, seed)
    stepper = make_model_stepper(trained.model, trained.params)
    state = [stepper.start()]

    def step(token: int) -> Any:
        outputs, state[0] = stepper(state[0], np.full((1, 1), token, np.int32))
        return outputs

    return draw(step, tokens, alphabet, **options)


def options_of(length: int, temperature: float, seed: int) -> dict[str, Any]:
    """The options of `draw`."""
    for name, value, hint in (("temperature", temperature, NonNegative), ("length", length, Count)):
        if not accepts(hint, value):
            raise UsageError(f"{name} is {brief(value)}; accepted: {describe(hint)}")
    return {"length": length, "temperature": temperature, "random": np.random.default_rng(seed)}


def draw(
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
    return tokens_of(prompt, symbols), symbols


def tokens_of(prompt: str, symbols: str) -> np.ndarray:
    """The tokens of a prompt, given the characters by token."""
    if not prompt:
        raise UsageError("the prompt is empty; accepted: at least one character")
    if strange := sorted(set(prompt) - set(symbols)):
        raise UsageError(f"the prompt has {', '.join(map(repr, strange))}, which the training text does not have")
    token = {character: number for number, character in enumerate(symbols)}
    return np.array([token[character] for character in prompt], np.int32)


__all__ = ["characters", "draw", "options_of", "sample", "tokens_of"]
