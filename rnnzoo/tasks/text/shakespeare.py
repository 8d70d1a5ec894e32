"""Character language modelling of Shakespeare's works."""

import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.tasks.files import DataFile, DataSet
from rnnzoo.tasks.own_file import OwnFile
from rnnzoo.tasks.text.corpus import check_length, corpus_of
from rnnzoo.tasks.text.language import LanguageModel
from rnnzoo.tasks.text.tokens import Text

FILES = DataSet(
    name="Shakespeare",
    folder="shakespeare",
    files=(DataFile("shakespeare.txt"),),
    licence="public domain",
    source="any edition in plain text in UTF-8, such as https://www.gutenberg.org/ebooks/100",
)


@spec
class Shakespeare(LanguageModel):
    """Predict the next character of Shakespeare's plays and poems: x (T, B) tokens, y (T, B) the tokens one later.

    The first 90 % of the text is for training, the next 5 % for validation, the last 5 % for testing. Editions differ:
    scores on one are not comparable with those on another. See `LanguageModel` for windows, streams and baselines.
    """

    length: Size = 64
    """Characters predicted in a training window."""

    metric = "bits_per_char"
    needs_files = True

    def open(self) -> Text:
        path = FILES.folder_with_all() / "shakespeare.txt"
        content = FILES.read()["shakespeare.txt"]
        file = OwnFile("Shakespeare", str(path), "a text file in UTF-8")
        text = corpus_of(repr(str(path)), file.decode(content))
        check_length(text, self.length)
        arrays = {part: jnp.asarray(tokens) for part, tokens in text.parts.items()}
        return Text(task="Shakespeare", symbols=text.symbols, length=self.length, arrays=arrays)


__all__ = ["Shakespeare"]
