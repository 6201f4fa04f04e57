"""Arrays of msgpack, read without trust: one array, exactly so many fields, each of its type and length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgpack

from .errors import Malformed

MOST_64 = 2**64 - 1


def pack(fields: Sequence[Any]) -> bytes:
    """Returns one msgpack array."""
    packed: bytes = msgpack.packb(list(fields), use_bin_type=True)
    return packed


class Fields:
    """The fields of one array, taken one after the other."""

    def __init__(self, data: bytes, count: int) -> None:
        try:
            unpacked = msgpack.unpackb(data, raw=False, strict_map_key=False)
        except Exception as error:  # msgpack raises many kinds, ValueError and its own among them
            raise Malformed(f"not one msgpack value: {error}") from error
        if not isinstance(unpacked, list) or len(unpacked) != count:
            raise Malformed(f"not an array of {count} fields")
        self._fields = iter(unpacked)

    def integer(self, least: int = 0, most: int = MOST_64) -> int:
        value = next(self._fields)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Malformed(f"{value!r} is not an integer from {least} to {most}")
        return value

    def boolean(self) -> bool:
        value = next(self._fields)
        if not isinstance(value, bool):
            raise Malformed(f"{value!r} is not a boolean")
        return value

    def binary(self, least: int, most: int | None = None, step: int = 1) -> bytes:
        """Takes bytes of a length from `least` to `most`; without `most` of exactly `least`."""
        value = next(self._fields)
        most = least if most is None else most
        if not isinstance(value, bytes) or not least <= len(value) <= most or len(value) % step != 0:
            raise Malformed(f"not bin with {least} to {most} bytes")
        return value

    def text(self, most: int) -> str:
        value = next(self._fields)
        if not isinstance(value, str) or len(value) > most or not (value.isascii() and value.isprintable()):
            raise Malformed(f"not printable ASCII of at most {most} bytes")
        return value
