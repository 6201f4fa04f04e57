"""The messages that version 2 came with (wire.md, "A message")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .errors import Malformed
from .fields import Fields, pack
from .lanes import MOST_BODY, MOST_IDS, NORMAL, URGENT
from .ranges import MOST_RANGES, Range, pack_ranges, unpack_ranges
from .statements import MOST_STATE, Signed, take_optional, take_signed

MOST_WANTED = 32
MOST_NETWORK_STATEMENT = 256
SUCCESSION = 1
REVOCATION = 2
SUMMARY = 1
KNOWN = 2
NO_SUMMARY = bytes(32)


def cut(ids: bytes) -> tuple[bytes, ...]:
    """Cuts ids apart."""
    return tuple(ids[at : at + 32] for at in range(0, len(ids), 32))


@dataclass(frozen=True)
class State:
    """The sender's state, and what it keeps of the receiver's."""

    KIND: ClassVar[int] = 13
    LANE: ClassVar[str] = URGENT
    state: Signed
    restored: bool
    shown: Signed = Signed()

    def pack(self) -> bytes:
        return pack(
            [self.state.data, self.state.signature, self.restored, self.shown.data, self.shown.signature]
        )

    @staticmethod
    def unpack(body: bytes) -> State:
        fields = Fields(body, 5)
        state, restored = take_signed(fields, MOST_STATE), fields.boolean()
        return State(state, restored, take_optional(fields, MOST_STATE))


@dataclass(frozen=True)
class Holders:
    KIND: ClassVar[int] = 14
    LANE: ClassVar[str] = URGENT
    holders: Signed

    def pack(self) -> bytes:
        return pack([self.holders.data, self.holders.signature])

    @staticmethod
    def unpack(body: bytes) -> Holders:
        return Holders(take_signed(Fields(body, 2), MOST_BODY))


@dataclass(frozen=True)
class ExitQuery:
    KIND: ClassVar[int] = 15
    LANE: ClassVar[str] = NORMAL
    salt: bytes
    number: int
    fingerprint: bytes
    ranges: tuple[Range, ...] = ()
    wanted: tuple[bytes, ...] = ()

    def pack(self) -> bytes:
        return pack(
            [self.salt, self.number, self.fingerprint, pack_ranges(self.ranges), b"".join(self.wanted)]
        )

    @staticmethod
    def unpack(body: bytes) -> ExitQuery:
        fields = Fields(body, 5)
        salt, number, fingerprint = fields.binary(16), fields.integer(), fields.binary(16)
        ranges = unpack_ranges(fields.binary(0, MOST_RANGES * 33))
        return ExitQuery(salt, number, fingerprint, ranges, cut(fields.binary(0, 32 * MOST_WANTED, 32)))


@dataclass(frozen=True)
class ExitAnswer:
    """`answers` can be read by who knows the ranges of the query: peer/ranges.py."""

    KIND: ClassVar[int] = 16
    LANE: ClassVar[str] = NORMAL
    number: int
    exits: int
    fingerprint: bytes
    answers: bytes

    def pack(self) -> bytes:
        return pack([self.number, self.exits, self.fingerprint, self.answers])

    @staticmethod
    def unpack(body: bytes) -> ExitAnswer:
        fields = Fields(body, 4)
        number, exits, fingerprint = fields.integer(), fields.integer(), fields.binary(16)
        return ExitAnswer(number, exits, fingerprint, fields.binary(0, MOST_BODY))


@dataclass(frozen=True)
class NetworkStatement:
    KIND: ClassVar[int] = 17
    LANE: ClassVar[str] = URGENT
    kind: int
    statement: Signed

    def pack(self) -> bytes:
        return pack([self.kind, self.statement.data, self.statement.signature])

    @staticmethod
    def unpack(body: bytes) -> NetworkStatement:
        fields = Fields(body, 3)
        kind = fields.integer(SUCCESSION, REVOCATION)
        return NetworkStatement(kind, take_signed(fields, MOST_NETWORK_STATEMENT))


@dataclass(frozen=True)
class NetworkDigest:
    KIND: ClassVar[int] = 18
    LANE: ClassVar[str] = NORMAL
    part: int
    last: bool
    summary: bytes = NO_SUMMARY
    ids: tuple[bytes, ...] = ()

    def pack(self) -> bytes:
        return pack([self.part, self.last, self.summary, b"".join(self.ids)])

    @staticmethod
    def unpack(body: bytes) -> NetworkDigest:
        fields = Fields(body, 4)
        part, last, summary = fields.integer(SUMMARY, KNOWN), fields.boolean(), fields.binary(32)
        ids = cut(fields.binary(0, 32 * MOST_IDS, 32))
        if part == SUMMARY and (ids or not last):
            raise Malformed("a summary is last and has no ids")
        return NetworkDigest(part, last, summary, ids)
