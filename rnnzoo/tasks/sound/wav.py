"""WAV files of integer samples (PCM of 8, 16, 24 or 32 bits)."""

import io
import wave
from pathlib import Path

import numpy as np

from rnnzoo.disk import read_bytes
from rnnzoo.spec import UsageError

LARGEST = 2**28  # bytes of a file


def read_wav(path: Path) -> tuple[int, np.ndarray]:
    """See `parse_wav`; the name in messages is the path."""
    return parse_wav(read_bytes(path, LARGEST), str(path))


def parse_wav(content: bytes, name: str) -> tuple[int, np.ndarray]:
    """Samples a second, and samples (N,) in [-1, 1): the mean of the channels.

    Raises:
        UsageError: the content is something else, is cut off, or holds no sample; the message begins with `name`.
    """
    try:
        with wave.open(io.BytesIO(content)) as file:
            rate, width, channels, frames = (
                file.getframerate(), file.getsampwidth(), file.getnchannels(), file.getnframes()
            )  # fmt: skip
            raw = file.readframes(frames)
    except (wave.Error, EOFError, ValueError, RuntimeError, ArithmeticError) as error:
        raise UsageError(f"{name} is no WAV file of integer samples ({error or 'it is cut off'})") from None
    if rate < 1 or not 1 <= width <= 4 or channels < 1:
        raise UsageError(f"{name} has {rate} samples a second of {8 * width} bits in {channels} channels")
    if len(raw) != frames * width * channels:
        raise UsageError(f"{name} is cut off: it says {frames} samples, and holds {len(raw) // (width * channels)}")
    if not frames:
        raise UsageError(f"{name} holds no sample; accepted: at least one")
    return rate, _samples(raw, width).reshape(frames, channels).mean(1)


def _samples(raw: bytes, width: int) -> np.ndarray:
    """Numbers in [-1, 1) of little-endian integers: unsigned with 1 byte, else signed."""
    whole = np.frombuffer(raw, np.uint8).reshape(-1, width)
    if width == 1:
        return whole[:, 0] / 128 - 1
    wide = np.zeros((len(whole), 4), np.uint8)
    wide[:, 4 - width :] = whole  # the sign is in the highest byte
    return wide.view("<i4")[:, 0] / 2**31


__all__ = ["parse_wav", "read_wav"]
