"""The IDX format of MNIST's files: a header of big-endian sizes, then unsigned bytes."""

import math
import struct

import numpy as np

from rnnzoo.spec import UsageError

BYTES = 0x08  # the code of unsigned bytes, the third byte of a file; the fourth is the number of axes


def parse_idx(content: bytes, name: str, inner: tuple[int, ...] = ()) -> np.ndarray:
    """Unsigned bytes (N, *inner).

    Raises:
        UsageError: the content is something else; the message names the file.
    """
    axes = 1 + len(inner)
    header = 4 + 4 * axes
    magic = bytes([0, 0, BYTES, axes])
    if content[:4] != magic:
        raise _refuse(name, inner, f"it begins with {content[:4].hex() or 'nothing'}, not with {magic.hex()}")
    if len(content) < header:
        raise _refuse(name, inner, f"it ends at byte {len(content)}, within its header of {header}")
    sizes = struct.unpack(f">{axes}I", content[4:header])
    if sizes[1:] != inner or not sizes[0]:
        raise _refuse(name, inner, f"its header says {' x '.join(map(str, sizes))}")
    if len(content) - header != math.prod(sizes):
        raise _refuse(
            name, inner, f"{len(content) - header:,} bytes follow its header, which says {math.prod(sizes):,}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(sizes)


def _refuse(name: str, inner: tuple[int, ...], reason: str) -> UsageError:
    accepted = " x ".join(["N", *map(str, inner)])
    return UsageError(f"{name}: {reason}; accepted: an IDX file of {accepted} unsigned bytes, N > 0")


__all__ = ["parse_idx"]
