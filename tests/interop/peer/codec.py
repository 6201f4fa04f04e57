"""Messages and their frames (wire.md, "A message")."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Union

from .errors import Malformed
from .fields import Fields, pack
from .identity import check_id
from .lanes import BULK, MOST_BODY, MOST_IDS, NORMAL, URGENT
from .messages_2 import ExitAnswer, ExitQuery, Holders, NetworkDigest, NetworkStatement, State
from .statements import MOST_CHUNKS, MOST_VERSION, Signed, take_optional, take_signed

VERSION = 1
VERSION_2 = 2
MOST_HELLO = 1_024
MOST_CHUNK = 65_536

NACK_HELLO_FIRST = 1
NACK_WRONG_NETWORK = 2
NACK_NO_COMMON_VERSION = 3
NACK_NO_SUCH_VERSION = 4
NACK_NOT_AUTHORISED = 5

DELTA_KNOWN = 1
DELTA_WANTED = 2


@dataclass(frozen=True)
class Hello:
    KIND: ClassVar[int] = 1
    LANE: ClassVar[str] = URGENT
    network: bytes
    sender: bytes
    answer: bool = False
    membership: Signed = Signed()
    oldest: int = VERSION
    newest: int = VERSION

    def pack(self) -> bytes:
        return pack(
            [
                self.oldest,
                self.newest,
                self.network,
                self.sender,
                self.answer,
                self.membership.data,
                self.membership.signature,
            ]
        )

    @staticmethod
    def unpack(body: bytes) -> Hello:
        if len(body) > MOST_HELLO:
            raise Malformed(f"a Hello of more than {MOST_HELLO} bytes")
        fields = Fields(body, 7)
        oldest, newest = fields.integer(0, 255), fields.integer(0, 255)
        network, sender, answer = fields.binary(32), check_id(fields.binary(32)), fields.boolean()
        return Hello(network, sender, answer, take_optional(fields), oldest, newest)


@dataclass(frozen=True)
class Bye:
    KIND: ClassVar[int] = 2
    LANE: ClassVar[str] = URGENT

    def pack(self) -> bytes:
        return pack([])

    @staticmethod
    def unpack(body: bytes) -> Bye:
        Fields(body, 0)
        return Bye()


@dataclass(frozen=True)
class Ping:
    KIND: ClassVar[int] = 3
    LANE: ClassVar[str] = NORMAL
    token: int

    def pack(self) -> bytes:
        return pack([self.token])

    @staticmethod
    def unpack(body: bytes) -> Ping:
        return Ping(Fields(body, 1).integer())


@dataclass(frozen=True)
class Pong:
    KIND: ClassVar[int] = 4
    LANE: ClassVar[str] = NORMAL
    token: int

    def pack(self) -> bytes:
        return pack([self.token])

    @staticmethod
    def unpack(body: bytes) -> Pong:
        return Pong(Fields(body, 1).integer())


@dataclass(frozen=True)
class Have:
    KIND: ClassVar[int] = 5
    LANE: ClassVar[str] = NORMAL
    record: Signed
    lease: Signed

    def pack(self) -> bytes:
        return pack([self.record.data, self.record.signature, self.lease.data, self.lease.signature])

    @staticmethod
    def unpack(body: bytes) -> Have:
        fields = Fields(body, 4)
        return Have(take_signed(fields, MOST_BODY), take_signed(fields, MOST_BODY))


@dataclass(frozen=True)
class Get:
    KIND: ClassVar[int] = 6
    LANE: ClassVar[str] = NORMAL
    version: int
    first: int
    count: int

    def pack(self) -> bytes:
        return pack([self.version, self.first, self.count])

    @staticmethod
    def unpack(body: bytes) -> Get:
        fields = Fields(body, 3)
        version, first = fields.integer(0, MOST_VERSION), fields.integer(0, MOST_CHUNKS - 1)
        return Get(version, first, fields.integer(1, MOST_CHUNKS - first))


@dataclass(frozen=True)
class Chunk:
    KIND: ClassVar[int] = 7
    LANE: ClassVar[str] = BULK
    version: int
    index: int
    payload: bytes

    def pack(self) -> bytes:
        return pack([self.version, self.index])


@dataclass(frozen=True)
class Nack:
    KIND: ClassVar[int] = 8
    LANE: ClassVar[str] = URGENT
    reason: int
    about: int = 0

    def pack(self) -> bytes:
        return pack([self.reason, self.about])

    @staticmethod
    def unpack(body: bytes) -> Nack:
        fields = Fields(body, 2)
        return Nack(fields.integer(NACK_HELLO_FIRST, NACK_NOT_AUTHORISED), fields.integer())


@dataclass(frozen=True)
class Exit:
    KIND: ClassVar[int] = 9
    LANE: ClassVar[str] = URGENT
    notice: Signed

    def pack(self) -> bytes:
        return pack([self.notice.data, self.notice.signature])

    @staticmethod
    def unpack(body: bytes) -> Exit:
        return Exit(take_signed(Fields(body, 2), MOST_BODY))


@dataclass(frozen=True)
class ReceiptMessage:
    KIND: ClassVar[int] = 10
    LANE: ClassVar[str] = URGENT
    receipt: Signed

    def pack(self) -> bytes:
        return pack([self.receipt.data, self.receipt.signature])

    @staticmethod
    def unpack(body: bytes) -> ReceiptMessage:
        return ReceiptMessage(take_signed(Fields(body, 2), MOST_BODY))


@dataclass(frozen=True)
class Digest:
    KIND: ClassVar[int] = 11
    LANE: ClassVar[str] = NORMAL
    salt: bytes
    occupied: int
    hashes: bytes

    def pack(self) -> bytes:
        return pack([self.salt, self.occupied, self.hashes])

    @staticmethod
    def unpack(body: bytes) -> Digest:
        fields = Fields(body, 3)
        salt, occupied = fields.binary(16), fields.integer()
        return Digest(salt, occupied, fields.binary(16 * occupied.bit_count()))


@dataclass(frozen=True)
class Delta:
    KIND: ClassVar[int] = 12
    LANE: ClassVar[str] = NORMAL
    salt: bytes
    part: int
    last: bool
    differing: int
    ids: tuple[bytes, ...]

    def pack(self) -> bytes:
        return pack([self.salt, self.part, self.last, self.differing, b"".join(self.ids)])

    @staticmethod
    def unpack(body: bytes) -> Delta:
        fields = Fields(body, 5)
        salt, part = fields.binary(16), fields.integer(DELTA_KNOWN, DELTA_WANTED)
        last, differing = fields.boolean(), fields.integer()
        ids = fields.binary(0, 32 * MOST_IDS, 32)
        return Delta(salt, part, last, differing, tuple(ids[at : at + 32] for at in range(0, len(ids), 32)))


Message = Union[
    Hello,
    Bye,
    Ping,
    Pong,
    Have,
    Get,
    Chunk,
    Nack,
    Exit,
    ReceiptMessage,
    Digest,
    Delta,
    State,
    Holders,
    ExitQuery,
    ExitAnswer,
    NetworkStatement,
    NetworkDigest,
]
Unpack = Callable[[bytes], Message]
UNPACK: dict[int, Unpack] = {
    Hello.KIND: Hello.unpack,
    Bye.KIND: Bye.unpack,
    Ping.KIND: Ping.unpack,
    Pong.KIND: Pong.unpack,
    Have.KIND: Have.unpack,
    Get.KIND: Get.unpack,
    Nack.KIND: Nack.unpack,
    Exit.KIND: Exit.unpack,
    ReceiptMessage.KIND: ReceiptMessage.unpack,
    Digest.KIND: Digest.unpack,
    Delta.KIND: Delta.unpack,
    State.KIND: State.unpack,
    Holders.KIND: Holders.unpack,
    ExitQuery.KIND: ExitQuery.unpack,
    ExitAnswer.KIND: ExitAnswer.unpack,
    NetworkStatement.KIND: NetworkStatement.unpack,
    NetworkDigest.KIND: NetworkDigest.unpack,
}


def version_of(kind: int) -> int:
    """Returns the version of the wire format that a kind of message came with."""
    return VERSION_2 if kind >= State.KIND else VERSION


def encode(message: Message, sequence: int) -> list[bytes]:
    """Returns the frames of a message."""
    header = b"UL" + bytes([version_of(message.KIND), message.KIND]) + sequence.to_bytes(8, "little")
    frames = [header, message.pack()]
    if isinstance(message, Chunk):
        frames.append(message.payload)
    return frames


def decode(frames: Sequence[bytes], version: int = VERSION) -> tuple[int, Message]:
    """Returns a message and its sequence number. `version` is that of the session."""
    if len(frames) not in (2, 3) or len(frames[0]) != 12 or frames[0][:2] != b"UL":
        raise Malformed("not a message")
    kind, sequence = frames[0][3], int.from_bytes(frames[0][4:], "little")
    if frames[0][2] != version_of(kind) or version_of(kind) > version:
        raise Malformed(f"kind {kind} with version {frames[0][2]} in a session of version {version}")
    if len(frames[1]) > MOST_BODY:
        raise Malformed(f"a body of more than {MOST_BODY} bytes")
    if kind == Chunk.KIND:
        if len(frames) != 3 or not 1 <= len(frames[2]) <= MOST_CHUNK:
            raise Malformed(f"a Chunk needs a payload of 1 to {MOST_CHUNK} bytes")
        fields = Fields(frames[1], 2)
        return sequence, Chunk(fields.integer(0, MOST_VERSION), fields.integer(0, MOST_CHUNKS - 1), frames[2])
    if kind not in UNPACK or len(frames) != 2:
        raise Malformed(f"no message of kind {kind} with {len(frames)} frames")
    return sequence, UNPACK[kind](frames[1])
