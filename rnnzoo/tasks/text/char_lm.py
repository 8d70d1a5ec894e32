"""Character language modelling of a text file, or of the text that comes with Python itself."""

import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.tasks.text.corpus import check_length, corpus
from rnnzoo.tasks.text.language import LanguageModel
from rnnzoo.tasks.text.tokens import Text


@spec
class CharLM(LanguageModel):
    """Predict the next character: x (T, B) tokens, y (T, B) the tokens one later.

    The first 90 % of the text is for training, the next 5 % for validation, the last 5 % for testing; see
    `LanguageModel` for windows, streams and baselines. Tokens are the characters of the training text, and one
    "unknown" for all others: a model never sees it in training, and predicts it badly.

    Files are UTF-8; a byte order mark is dropped, line ends become "\\n", NUL is refused.
    """

    path: str = ""
    """A text file in UTF-8; empty for the text of pydoc_data.topics, which differs between versions of Python."""
    length: Size = 64
    """Characters predicted in a training window."""

    metric = "bits_per_char"

    def open(self) -> Text:
        text = corpus(self.path)
        check_length(text, self.length)
        parts = {part: jnp.asarray(tokens) for part, tokens in text.parts.items()}
        return Text(symbols=text.symbols, length=self.length, arrays=parts)


__all__ = ["CharLM", "Text"]
