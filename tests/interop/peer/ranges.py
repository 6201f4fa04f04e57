"""Range-based comparison of exits (wire.md, "Comparing exits in version 2"): ranges, hashes, and answers.

A range is a tuple of half-bytes: all ids that begin with them.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import Malformed
from .identity import digest_of

Range = tuple[int, ...]
ALL: Range = ()
PARTS = 16
MOST_RANGES = 60
MOST_HALF_BYTES = 64
MOST_IDS_IN_LEAF = 8
FINGERPRINT_BYTES = 16
PARTED = 255
EMPTY_DIGEST = bytes(32)


# ---- Ranges


def pack_ranges(ranges: Iterable[Range]) -> bytes:
    """Returns ranges as they stand in a query."""
    packed = bytearray()
    for half_bytes in ranges:
        packed.append(len(half_bytes))
        padded = half_bytes + (0,) * (len(half_bytes) % 2)
        packed += bytes(16 * high + low for high, low in zip(padded[::2], padded[1::2]))
    return bytes(packed)


def unpack_ranges(data: bytes) -> tuple[Range, ...]:
    """Reads the ranges of a query: at most 60, disjoint and in rising order."""
    ranges: list[Range] = []
    at = 0
    while at < len(data):
        count = data[at]
        packed = data[at + 1 : at + 1 + (count + 1) // 2]
        if count > MOST_HALF_BYTES or len(packed) != (count + 1) // 2:
            raise Malformed("a range of more than 64 half-bytes, or of fewer than it says")
        half_bytes = half_bytes_of(packed)
        if any(half_bytes[count:]):
            raise Malformed("a range that is not padded with zeros")
        ranges.append(half_bytes[:count])
        at += 1 + len(packed)
    if len(ranges) > MOST_RANGES:
        raise Malformed(f"more than {MOST_RANGES} ranges")
    for before, after in zip(ranges, ranges[1:]):
        if not before < after or after[: len(before)] == before:
            raise Malformed("ranges that overlap, or are not in rising order")
    return tuple(ranges)


def half_bytes_of(data: bytes) -> Range:
    """Returns the half-bytes of some bytes, the high ones first."""
    return tuple(half for byte in data for half in (byte >> 4, byte & 15))


# ---- Sets of ids


class ExitSet:
    """The ids of owners that have left, as they are at one time."""

    def __init__(self, ids: Iterable[bytes]) -> None:
        self._ids = sorted(ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, node_id: object) -> bool:
        return node_id in self._ids

    def within(self, half_bytes: Range) -> list[bytes]:
        """Returns the ids in a range, in rising order."""
        low = pack_ranges([half_bytes])[1:].ljust(32, b"\0")
        padding = (15,) * (MOST_HALF_BYTES - len(half_bytes))
        high = pack_ranges([half_bytes + padding])[1:]
        return self._ids[bisect.bisect_left(self._ids, low) : bisect.bisect_right(self._ids, high)]

    def digest(self, half_bytes: Range = ALL) -> bytes:
        """Returns the digest of a range."""
        held = self.within(half_bytes)
        if not held:
            return EMPTY_DIGEST
        if len(held) <= MOST_IDS_IN_LEAF:
            return digest_of(b"\0" + b"".join(held))
        return digest_of(b"\1" + b"".join(self.digest((*half_bytes, part)) for part in range(PARTS)))

    def fingerprint(self, salt: bytes, half_bytes: Range = ALL) -> bytes:
        """Returns the fingerprint of a range."""
        digest = self.digest(half_bytes)
        return hashlib.blake2b(digest, key=salt, digest_size=FINGERPRINT_BYTES).digest()

    def answer(self, salt: bytes, ranges: Iterable[Range]) -> bytes:
        """Returns what an answer says about these ranges."""
        said = bytearray()
        for half_bytes in ranges:
            held = self.within(half_bytes)
            if len(held) <= MOST_IDS_IN_LEAF:
                said.append(len(held))
                said += b"".join(held)
                continue
            parts = [part for part in range(PARTS) if self.within((*half_bytes, part))]
            said.append(PARTED)
            said += sum(1 << part for part in parts).to_bytes(2, "little")
            said += b"".join(self.fingerprint(salt, (*half_bytes, part)) for part in parts)
        return bytes(said)


# ---- Answers


@dataclass(frozen=True)
class RangeAnswer:
    """What an answer says about one range: the ids in it, or the fingerprints of its parts that are not empty."""

    ids: tuple[bytes, ...] = ()
    parts: tuple[tuple[Range, bytes], ...] = ()


def read_answer(ranges: Sequence[Range], said: bytes) -> list[RangeAnswer]:
    """Reads an answer. Raises Malformed when it does not fit these ranges."""
    reader = Reader(said)
    answers = []
    for half_bytes in ranges:
        count = reader.take(1)[0]
        if count == PARTED:
            answers.append(RangeAnswer(parts=read_parts(reader, half_bytes)))
        elif count <= MOST_IDS_IN_LEAF:
            ids = tuple(reader.take(32) for _ in range(count))
            if list(ids) != sorted(set(ids)):
                raise Malformed("ids that are not in rising order")
            if any(half_bytes_of(node_id)[: len(half_bytes)] != half_bytes for node_id in ids):
                raise Malformed("an id outside of its range")
            answers.append(RangeAnswer(ids=ids))
        else:
            raise Malformed(f"{count} ids in one range")
    reader.end()
    return answers


def read_parts(reader: Reader, half_bytes: Range) -> tuple[tuple[Range, bytes], ...]:
    if len(half_bytes) == MOST_HALF_BYTES:
        raise Malformed("the parts of a single id")
    bits = int.from_bytes(reader.take(2), "little")
    if not bits:
        raise Malformed("more than 8 ids, and yet all parts are empty")
    parts = [part for part in range(PARTS) if bits >> part & 1]
    return tuple(((*half_bytes, part), reader.take(FINGERPRINT_BYTES)) for part in parts)


class Reader:
    """Bytes, taken one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, count: int) -> bytes:
        taken, self._data = self._data[:count], self._data[count:]
        if len(taken) != count:
            raise Malformed("an answer that ends too early")
        return taken

    def end(self) -> None:
        if self._data:
            raise Malformed("an answer to more ranges than were asked for")
