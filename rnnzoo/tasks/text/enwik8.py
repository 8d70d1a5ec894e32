"""The first 100,000,000 bytes of a Wikipedia (Hutter's enwik8): the usual benchmark of models of bytes."""

import hashlib
from typing import Annotated

import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Range, Size, UsageError, spec
from rnnzoo.tasks.files import DataFile, DataSet
from rnnzoo.tasks.text.language import LanguageModel
from rnnzoo.tasks.text.tokens import Text

SIZE = 100_000_000
MD5 = "a1fa5ffddb56f4953e226637dabbb36a"  # as published
FILES = DataSet(
    name="Enwik8",
    folder="enwik8",
    files=(DataFile("enwik8.gz"),),  # packed by anyone: the checksum is that of the content
    licence="CC BY-SA",
    source="http://mattmahoney.net/dc/enwik8.zip",
)


@spec
class Enwik8(LanguageModel):
    """Predict the next byte of Wikipedia's XML: x (T, B) bytes, y (T, B) the bytes one later.

    The published split: 90,000,000 bytes for training, 5,000,000 for validation, 5,000,000 for testing, or 90, 5 and
    5 % of the first `bytes` bytes. See `LanguageModel` for windows, streams and baselines.
    """

    bytes: Annotated[int, Range(low=1000, high=SIZE)] = SIZE
    """How many bytes to take, the first ones; less than all for a trial, whose scores are not comparable."""
    length: Size = 64
    """Bytes predicted in a training window."""

    metric = "bits_per_byte"
    needs_files = True
    of_bytes = True

    def open(self) -> Text:
        content = FILES.read()["enwik8.gz"]
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found != MD5:
            raise UsageError(
                f"Enwik8: the file has {len(content):,} bytes and MD5 {found}; accepted: the published {SIZE:,} bytes "
                f"with MD5 {MD5}"
            )
        a, b = self.bytes * 90 // 100, self.bytes * 95 // 100
        if a < self.length + 1:
            raise UsageError(f"Enwik8.length is {self.length}; accepted: less than the {a} bytes of the training part")
        read = np.frombuffer(content, np.uint8, self.bytes)
        parts = {"train": read[:a], "validation": read[a - 1 : b], "test": read[b - 1 :]}
        arrays = {part: jnp.asarray(tokens) for part, tokens in parts.items()}
        return Text(task="Enwik8", unit="byte", tokens=256, length=self.length, arrays=arrays)


__all__ = ["Enwik8"]
