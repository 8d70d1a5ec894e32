"""Files of data sets: each parser of one format."""

import gzip
import io
import struct
import wave
from pathlib import Path

import numpy as np

from rnnzoo.tasks.classification.idx import parse_idx
from rnnzoo.tasks.classification.ts_format import parse_ts
from rnnzoo.tasks.files import unpack
from rnnzoo.tasks.sound.wav import parse_wav

from .parsers import Parser

SERIES = (
    b"# about\n@timeStamps false\n@univariate false\n@dimensions 2\n@classLabel true a b\n@data\n"
    b"1,2:3,4:a\n?,nan,1e3:-1,0,5:b\n"
)


def _wav(width: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, width, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(range(12 * width)))
    return file.getvalue()


class DataFiles(Parser):
    """The first byte says which format: `parse_ts`, `parse_idx`, `parse_wav`, `unpack`."""

    first = 1

    def seeds(self) -> list[bytes]:
        images = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 2, 2) + bytes(8)
        each = [[SERIES], [images], [_wav(width) for width in (1, 2, 3, 4)], [gzip.compress(SERIES)]]
        return [bytes([kind]) + content for kind, found in enumerate(each) for content in found]

    def words(self) -> list[bytes]:
        return [b"@equalLength true", b"@seriesLength ", b"@univariate true", b"inf", b"RIFF", b"fmt ", b"data", b":?"]

    def read(self, data: bytes) -> None:
        kind, content = (data[:1] or b"\0")[0] % 4, data[1:]
        if kind == 0:
            found = parse_ts(content, "x")
            assert len(found.series) == len(found.labels) and not any(np.isinf(one).any() for one in found.series)
            assert len({one.shape[1] for one in found.series}) == 1 and all(map(len, found.series))
        elif kind == 1:
            assert parse_idx(content, "x", (2, 2)).shape[1:] == (2, 2)
        elif kind == 2:
            rate, samples = parse_wav(content, "x")
            assert rate > 0 and len(samples) and (samples >= -1).all() and (samples < 1).all()
        else:
            assert len(unpack(content, Path("x"), 2**20)) <= 2**20


__all__ = ["DataFiles"]
