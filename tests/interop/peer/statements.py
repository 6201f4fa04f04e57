"""The signed statements (wire.md, "Signed statements"). Bytes are kept as they were made."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

from .errors import Malformed
from .fields import Fields, pack
from .identity import Identity, check_id, digest_of, is_signed_by

CHUNK_SIZES = (16_384, 32_768, 65_536)
MOST_CHUNKS = 256
MOST_MEMBERSHIP = 256
MOST_VERSION = 2**63 - 1
MOST_NUMBER = 2**63 - 1
MOST_TIME = 2**40
MOST_STATE = 256
START_BYTES = 16
NO_START = bytes(START_BYTES)
REASON_EXIT = 1
REASON_LEFT = 2


@dataclass(frozen=True)
class Signed:
    """The bytes of a statement and the signature over them; both are empty where a statement is missing."""

    data: bytes = b""
    signature: bytes = b""

    def __bool__(self) -> bool:
        return bool(self.data)


def take_signed(fields: Fields, most: int) -> Signed:
    """Takes a statement and its signature."""
    return Signed(fields.binary(1, most), fields.binary(64))


def take_optional(fields: Fields, most: int = MOST_MEMBERSHIP) -> Signed:
    """Takes a statement and its signature, which may be missing together."""
    signed = Signed(fields.binary(0, most), fields.binary(0, 64, 64))
    if bool(signed.data) != bool(signed.signature):
        raise Malformed("a statement without a signature, or a signature without a statement")
    return signed


def take_time(fields: Fields) -> int:
    """Takes a time in Unix seconds."""
    return fields.integer(0, MOST_TIME)


class Statement(Protocol):
    PURPOSE: ClassVar[int]

    def pack(self) -> bytes:
        ...

    @property
    def signer(self) -> bytes | None:
        """Who has to sign it; None: the network's key."""


@dataclass(frozen=True)
class SeedRecord:
    PURPOSE: ClassVar[int] = 1
    owner: bytes
    version: int
    architecture: str
    payload_bytes: int
    chunk_bytes: int
    chunk_hashes: tuple[bytes, ...]
    time: int

    @property
    def signer(self) -> bytes:
        return self.owner

    @staticmethod
    def describe(owner: bytes, version: int, architecture: str, payload: bytes, time: int) -> SeedRecord:
        """Returns the record of a payload."""
        size = smallest_chunk(len(payload))
        hashes = tuple(digest_of(payload[at : at + size]) for at in range(0, len(payload), size))
        return SeedRecord(owner, version, architecture, len(payload), size, hashes, time)

    def pack(self) -> bytes:
        hashes = b"".join(self.chunk_hashes)
        return pack(
            [
                self.owner,
                self.version,
                self.architecture,
                self.payload_bytes,
                self.chunk_bytes,
                hashes,
                self.time,
            ]
        )

    @staticmethod
    def unpack(data: bytes) -> SeedRecord:
        fields = Fields(data, 7)
        owner = check_id(fields.binary(32))
        version = fields.integer(1, MOST_VERSION)
        architecture = fields.text(64)
        payload_bytes = fields.integer(1, MOST_CHUNKS * CHUNK_SIZES[-1])
        chunk_bytes = fields.integer()
        if chunk_bytes != smallest_chunk(payload_bytes):
            raise Malformed("chunks of another size than the smallest that will do")
        count = -(-payload_bytes // chunk_bytes)
        hashes = fields.binary(32 * count)
        return SeedRecord(
            owner,
            version,
            architecture,
            payload_bytes,
            chunk_bytes,
            tuple(hashes[at : at + 32] for at in range(0, len(hashes), 32)),
            take_time(fields),
        )


def smallest_chunk(payload_bytes: int) -> int:
    """Returns the smallest chunk size with which a payload has at most 256 chunks."""
    for size in CHUNK_SIZES:
        if payload_bytes <= size * MOST_CHUNKS:
            return size
    raise Malformed("a payload of more than 16 MiB")


@dataclass(frozen=True)
class ExitNotice:
    PURPOSE: ClassVar[int] = 2
    owner: bytes
    time: int
    membership: Signed = Signed()

    @property
    def signer(self) -> bytes:
        return self.owner

    def pack(self) -> bytes:
        return pack([self.owner, self.time, self.membership.data, self.membership.signature])

    @staticmethod
    def unpack(data: bytes) -> ExitNotice:
        fields = Fields(data, 4)
        return ExitNotice(check_id(fields.binary(32)), take_time(fields), take_optional(fields))


@dataclass(frozen=True)
class Receipt:
    PURPOSE: ClassVar[int] = 3
    owner: bytes
    holder: bytes
    reason: int
    erased_version: int
    time: int

    @property
    def signer(self) -> bytes:
        return self.holder

    def pack(self) -> bytes:
        return pack([self.owner, self.holder, self.reason, self.erased_version, self.time])

    @staticmethod
    def unpack(data: bytes) -> Receipt:
        fields = Fields(data, 5)
        owner, holder = check_id(fields.binary(32)), check_id(fields.binary(32))
        if owner == holder:
            raise Malformed("a receipt whose owner is its holder")
        reason = fields.integer(REASON_EXIT, REASON_LEFT)
        return Receipt(owner, holder, reason, fields.integer(0, MOST_VERSION), take_time(fields))


@dataclass(frozen=True)
class ReceiptWithAsked:
    """A receipt of version 2, which also names the highest version that its holder ever asked for."""

    PURPOSE: ClassVar[int] = 8
    owner: bytes
    holder: bytes
    reason: int
    erased_version: int
    asked_version: int
    time: int

    @property
    def signer(self) -> bytes:
        return self.holder

    def pack(self) -> bytes:
        return pack(
            [self.owner, self.holder, self.reason, self.erased_version, self.asked_version, self.time]
        )

    @staticmethod
    def unpack(data: bytes) -> ReceiptWithAsked:
        fields = Fields(data, 6)
        owner, holder = check_id(fields.binary(32)), check_id(fields.binary(32))
        if owner == holder:
            raise Malformed("a receipt whose owner is its holder")
        reason = fields.integer(REASON_EXIT, REASON_LEFT)
        erased, asked = fields.integer(0, MOST_VERSION), fields.integer(0, MOST_VERSION)
        if asked < erased:
            raise Malformed("more was erased than was asked for")
        return ReceiptWithAsked(owner, holder, reason, erased, asked, take_time(fields))


def digest_of_served(holders: Iterable[tuple[bytes, int, int]]) -> bytes:
    """Returns the digest of holders, each with the highest version served and the end of its last lease."""
    return digest_of(
        b"".join(node + struct.pack("<QQ", version, until) for node, version, until in sorted(holders))
    )


@dataclass(frozen=True)
class HolderList:
    PURPOSE: ClassVar[int] = 6
    owner: bytes
    notice: bytes
    count: int
    holders: bytes
    restored: bool

    @property
    def signer(self) -> bytes:
        return self.owner

    def pack(self) -> bytes:
        return pack([self.owner, self.notice, self.count, self.holders, self.restored])

    @staticmethod
    def unpack(data: bytes) -> HolderList:
        fields = Fields(data, 5)
        owner, notice = check_id(fields.binary(32)), fields.binary(32)
        count, holders = fields.integer(0, 2**32 - 1), fields.binary(32)
        return HolderList(owner, notice, count, holders, fields.boolean())


@dataclass(frozen=True)
class Lease:
    PURPOSE: ClassVar[int] = 4
    owner: bytes
    version: int
    number: int
    not_after: int

    @property
    def signer(self) -> bytes:
        return self.owner

    def pack(self) -> bytes:
        return pack([self.owner, self.version, self.number, self.not_after])

    @staticmethod
    def unpack(data: bytes) -> Lease:
        fields = Fields(data, 4)
        owner = check_id(fields.binary(32))
        version, number = fields.integer(0, MOST_VERSION), fields.integer(1, MOST_VERSION)
        return Lease(owner, version, number, take_time(fields))


@dataclass(frozen=True)
class Membership:
    PURPOSE: ClassVar[int] = 5
    member: bytes

    @property
    def signer(self) -> None:
        return None

    def pack(self) -> bytes:
        return pack([self.member])

    @staticmethod
    def unpack(data: bytes) -> Membership:
        return Membership(check_id(Fields(data, 1).binary(32)))


@dataclass(frozen=True)
class MembershipWithEnd:
    """A membership of version 2."""

    PURPOSE: ClassVar[int] = 9
    network_key: bytes
    member: bytes
    number: int
    not_before: int
    not_after: int

    @property
    def signer(self) -> bytes:
        return self.network_key

    def pack(self) -> bytes:
        return pack([self.network_key, self.member, self.number, self.not_before, self.not_after])

    @staticmethod
    def unpack(data: bytes) -> MembershipWithEnd:
        fields = Fields(data, 5)
        key, member = check_id(fields.binary(32)), check_id(fields.binary(32))
        number = fields.integer(1, MOST_NUMBER)
        not_before, not_after = take_time(fields), take_time(fields)
        if not_after < not_before:
            raise Malformed("a membership that ends before it begins")
        return MembershipWithEnd(key, member, number, not_before, not_after)


@dataclass(frozen=True)
class Revocation:
    PURPOSE: ClassVar[int] = 10
    network_key: bytes
    member: bytes
    number: int
    time: int

    @property
    def signer(self) -> bytes:
        return self.network_key

    def pack(self) -> bytes:
        return pack([self.network_key, self.member, self.number, self.time])

    @staticmethod
    def unpack(data: bytes) -> Revocation:
        fields = Fields(data, 4)
        key, member = check_id(fields.binary(32)), check_id(fields.binary(32))
        return Revocation(key, member, fields.integer(1, MOST_NUMBER), take_time(fields))


@dataclass(frozen=True)
class Succession:
    PURPOSE: ClassVar[int] = 11
    network_key: bytes
    next_key: bytes
    number: int
    time: int
    memberships_end: int

    @property
    def signer(self) -> bytes:
        return self.network_key

    def pack(self) -> bytes:
        return pack([self.network_key, self.next_key, self.number, self.time, self.memberships_end])

    @staticmethod
    def unpack(data: bytes) -> Succession:
        fields = Fields(data, 5)
        key, successor = check_id(fields.binary(32)), check_id(fields.binary(32))
        if key == successor:
            raise Malformed("a key that follows itself")
        number = fields.integer(1, MOST_NUMBER)
        return Succession(key, successor, number, take_time(fields), take_time(fields))


@dataclass(frozen=True)
class NodeState:
    """How often a node started and learnt of exits, and which start this is."""

    PURPOSE: ClassVar[int] = 7
    node: bytes
    number: int
    start: bytes
    start_before: bytes = NO_START

    @property
    def signer(self) -> bytes:
        return self.node

    def pack(self) -> bytes:
        return pack([self.node, self.number, self.start, self.start_before])

    @staticmethod
    def unpack(data: bytes) -> NodeState:
        fields = Fields(data, 4)
        node, number = check_id(fields.binary(32)), fields.integer(1, MOST_NUMBER)
        start = fields.binary(START_BYTES)
        if start == NO_START:
            raise Malformed("a start of zeros")
        before = fields.binary(START_BYTES)
        if before == start:
            raise Malformed("a start that is the one before")
        return NodeState(node, number, start, before)


def sign(identity: Identity, network: bytes, statement: Statement) -> Signed:
    """Returns the statement's bytes with the signature of `identity`, whoever should have signed it."""
    data = statement.pack()
    return Signed(data, identity.sign(network, statement.PURPOSE, data))


T = TypeVar(
    "T",
    SeedRecord,
    ExitNotice,
    Receipt,
    ReceiptWithAsked,
    HolderList,
    Lease,
    Membership,
    MembershipWithEnd,
    Revocation,
    Succession,
    NodeState,
)


def opened(kind: type[T], signed: Signed, network: bytes, network_key: bytes | None = None) -> T:
    """Returns the statement. Raises Malformed unless it is well formed and rightly signed."""
    statement = kind.unpack(signed.data)
    signer = statement.signer or network_key
    if signer is None or not is_signed_by(signer, signed.signature, network, kind.PURPOSE, signed.data):
        raise Malformed(f"the signature of a {kind.__name__} does not verify")
    return statement
