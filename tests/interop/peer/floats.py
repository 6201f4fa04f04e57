"""float32 numbers, which Python has only in files."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from .errors import Malformed


def pack_floats(values: Iterable[float]) -> bytes:
    """Returns numbers as little-endian float32, each rounded to the nearest one."""
    numbers = list(values)
    try:
        return struct.pack(f"<{len(numbers)}f", *numbers)
    except OverflowError as error:
        raise Malformed("a number beyond float32") from error


def unpack_floats(data: bytes) -> list[float]:
    """Returns the numbers that are stored as little-endian float32."""
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def rounded(value: float) -> float:
    """Returns the float32 nearest to a number."""
    return unpack_floats(pack_floats([value]))[0]
