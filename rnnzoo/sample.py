"""Text from a trained model of characters or bytes, one after the other."""

import codecs
import dataclasses
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
    """The text that a trained model of characters or bytes writes after `prompt`.

    Args:
        trained: what `rnnzoo.train` or `rnnzoo.load_model` returned, a run folder, a model folder, or the name of a
            pretrained model, of a task whose tokens are characters, such as `CharLM`, or bytes, such as `Enwik8`. Of
            several seeds, the first.
        prompt: what the model reads first, at least one character of its training text.
        length: how many characters or bytes to draw. Bytes that are no UTF-8 become U+FFFD.
        temperature: divides the logits. Below 1 favours likely tokens; 0 takes the likeliest.
        seed: of the draws. The same seed and the same versions give the same text.

    Raises:
        UsageError (a ValueError): a model that predicts neither, or a prompt it cannot read."""
    if isinstance(trained, (str, Path)):
        trained = trained_run(Path(trained), "last", 0, warnings.warn)
    elif isinstance(trained, Result):
        trained = trained.networks[0]
    return "".join(characters(trained, prompt, length=length, temperature=temperature, seed=seed))


def characters(
    trained: Trained, prompt: str, *, length: int = 400, temperature: float = 1.0, seed: int = 0
) -> Iterator[str]:
    """What `sample` returns, each character as soon as it is drawn."""
    spelling = _spelling(trained)
    tokens = spelling.tokens(prompt)
    options = options_of(length, temperature, seed)
    stepper = make_model_stepper(trained.model, trained.params)
    state = [stepper.start()]

    def step(token: int) -> Any:
        outputs, state[0] = stepper(state[0], np.full((1, 1), token, np.int32))
        return outputs

    return spelling.text(draw(step, tokens, spelling.size, **options))


def options_of(length: int, temperature: float, seed: int) -> dict[str, Any]:
    """The options of `draw`."""
    for name, value, hint in (("temperature", temperature, NonNegative), ("length", length, Count)):
        if not accepts(hint, value):
            raise UsageError(f"{name} is {brief(value)}; accepted: {describe(hint)}")
    return {"length": length, "temperature": temperature, "random": np.random.default_rng(seed)}


def draw(
    step: Callable[[int], Any], tokens: np.ndarray, size: int, length: int, temperature: float,
    random: np.random.Generator,
) -> Iterator[int]:  # fmt: skip
    """Tokens below `size`, drawn from the outputs that `step` returns after each token."""
    outputs = None
    for token in tokens:
        outputs = step(int(token))
    for _ in range(length):
        logits = np.asarray(outputs, np.float64).reshape(-1)[:size]  # "unknown", the last, is never drawn
        if temperature:
            scaled = (logits - logits.max()) / temperature
            chances = np.exp(scaled) / np.exp(scaled).sum()
            token = int(random.choice(size, p=chances))
        else:
            token = int(logits.argmax())
        yield token
        outputs = step(token)


def _spelling(trained: Trained) -> "Characters | Bytes":
    """How the model's tokens are written."""
    if trained.model.read == "each":
        if trained.symbols is not None:
            check_symbols(trained.model, trained.symbols, "Trained.symbols")
            return Characters(trained.symbols)
        if trained.config is not None and getattr(trained.config.task, "of_bytes", False):
            return Bytes()
    name = type(trained.config.task).__name__ if trained.config is not None else "a model without a task"
    raise UsageError(
        f"{name} has no characters to draw; accepted: a model of characters, as of tasks.CharLM, with them "
        "(Trained.symbols; a folder written before symbols.json has none: save the run again with rnnzoo save "
        "RUN_DIR), or of bytes, as of tasks.Enwik8"
    )


@dataclasses.dataclass(frozen=True)
class Characters:
    """Tokens that are the characters of a text, and one more for all others."""

    symbols: str

    @property
    def size(self) -> int:
        """How many tokens can be written."""
        return len(self.symbols)

    def tokens(self, prompt: str) -> np.ndarray:
        """The tokens of a prompt, (N,)."""
        if strange := sorted(set(_given(prompt)) - set(self.symbols)):
            raise UsageError(f"the prompt has {', '.join(map(repr, strange))}, which the training text does not have")
        token = {character: number for number, character in enumerate(self.symbols)}
        return np.array([token[character] for character in prompt], np.int32)

    def text(self, tokens: Iterator[int]) -> Iterator[str]:
        """What they say, each as soon as it is there."""
        return (self.symbols[token] for token in tokens)


@dataclasses.dataclass(frozen=True)
class Bytes:
    """Tokens that are the bytes of a text in UTF-8."""

    size = 256

    def tokens(self, prompt: str) -> np.ndarray:
        """The bytes of a prompt, (N,)."""
        return np.frombuffer(_given(prompt).encode(), np.uint8).astype(np.int32)

    def text(self, tokens: Iterator[int]) -> Iterator[str]:
        """What they say: a character as soon as its bytes are there."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        yield from filter(None, (decoder.decode(bytes([token])) for token in tokens))
        yield from filter(None, [decoder.decode(b"", final=True)])


def _given(prompt: str) -> str:
    if not prompt:
        raise UsageError("the prompt is empty; accepted: at least one character")
    return prompt


__all__ = ["Bytes", "Characters", "characters", "draw", "options_of", "sample"]
