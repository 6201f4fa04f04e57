"""A member that keeps the rules of wire.md: it gives and takes seeds, leaves, and lets others leave."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from . import seeds
from .codec import (
    DELTA_KNOWN,
    DELTA_WANTED,
    MOST_IDS,
    NACK_NO_SUCH_VERSION,
    Chunk,
    Delta,
    Digest,
    Exit,
    Get,
    Have,
    Hello,
    Message,
    Nack,
    ReceiptMessage,
)
from .comparison import differing_buckets, digest_of_exits
from .errors import Malformed
from .identity import Identity, digest_of
from .networks import Shape
from .session import Session
from .statements import REASON_EXIT, REASON_LEFT, ExitNotice, Lease, Receipt, SeedRecord, Signed, opened, sign

LEASE_SECONDS = 24 * 3600
MOST_IN_FLIGHT = 256 * 1024


def now() -> int:
    return int(time.time())


@dataclass
class OwnSeed:
    record: SeedRecord
    signed_record: Signed
    payload: bytes


@dataclass
class TakenSeed:
    """A seed of somebody else, complete when every chunk is there."""

    record: SeedRecord
    lease: Lease
    chunks: dict[int, bytes] = field(default_factory=dict)
    asked: int = 0

    @property
    def complete(self) -> bool:
        return len(self.chunks) == len(self.record.chunk_hashes)

    @property
    def payload(self) -> bytes:
        return b"".join(self.chunks[index] for index in sorted(self.chunks))


class Member:
    """One identity in a network, with the shape of its inputs and its classes, by which seeds are judged."""

    def __init__(self, identity: Identity, network: bytes, shape: Shape, classes: int) -> None:
        self.identity = identity
        self.network = network
        self.shape = shape
        self.classes = classes
        self.seed: OwnSeed | None = None
        self.lease_number = 0
        self.taken: dict[bytes, TakenSeed] = {}
        self.recipients: set[bytes] = set()
        self.exits: dict[bytes, Signed] = {}
        self.receipts: dict[bytes, Receipt] = {}
        self.signs_receipts = True
        self._known_there: dict[bytes, set[bytes]] = {}

    def join(self, server: bytes, endpoint: str, **options: object) -> Session:
        """Connects to a node, says Hello, and waits for the answer."""
        session = Session(self.identity, server, endpoint, self.network, hear=self.hear, **options)  # type: ignore[arg-type]
        session.send(session.hello())
        answer = session.first_of(Hello)
        if answer is None or not answer.answer or answer.sender != server or answer.network != self.network:
            raise Malformed(f"Hello was answered with {answer or session.heard}")
        session.send(digest_of_exits(os.urandom(16), self.exits))
        return session

    # ---- Giving

    def offer(self, session: Session, architecture: str, payload: bytes, version: int) -> None:
        """Announces a version of the own seed."""
        record = SeedRecord.describe(self.identity.node_id, version, architecture, payload, now())
        self.seed = OwnSeed(record, sign(self.identity, self.network, record), payload)
        self.renew(session)

    def renew(self, session: Session) -> None:
        """Announces the seed with the next lease."""
        assert self.seed
        self.lease_number += 1
        lease = Lease(
            self.identity.node_id, self.seed.record.version, self.lease_number, now() + LEASE_SECONDS
        )
        session.send(Have(self.seed.signed_record, sign(self.identity, self.network, lease)))

    # ---- Leaving

    def leave(self, session: Session) -> None:
        """Erases what it holds, tells the owner, and sends its notice."""
        for owner, taken in list(self.taken.items()):
            del self.taken[owner]
            self.say_receipt(session, owner, REASON_LEFT, taken.record.version)
        notice = sign(
            self.identity, self.network, ExitNotice(self.identity.node_id, now(), session.membership)
        )
        self.exits[self.identity.node_id] = notice
        session.send(Exit(notice))

    def say_receipt(self, session: Session, owner: bytes, reason: int, version: int) -> None:
        receipt = Receipt(owner, self.identity.node_id, reason, version, now())
        session.send(ReceiptMessage(sign(self.identity, self.network, receipt)))

    # ---- Hearing

    def hear(self, session: Session, message: Message) -> None:
        """Does what the rules ask for, in the session's thread."""
        hearers: dict[type, Callable[[Session, Message], None]] = {
            Get: self._hear_get,  # type: ignore[dict-item]
            Have: self._hear_have,  # type: ignore[dict-item]
            Chunk: self._hear_chunk,  # type: ignore[dict-item]
            Exit: self._hear_exit,  # type: ignore[dict-item]
            ReceiptMessage: self._hear_receipt,  # type: ignore[dict-item]
            Digest: self._hear_digest,  # type: ignore[dict-item]
            Delta: self._hear_delta,  # type: ignore[dict-item]
        }
        if hearer := hearers.get(type(message)):
            try:
                hearer(session, message)
            except Malformed as error:
                session.problems.append(str(error))

    def _hear_get(self, session: Session, get: Get) -> None:
        seed = self.seed
        left = self.receipts.get(session.server)
        if not seed or get.version != seed.record.version or (left and left.reason == REASON_LEFT):
            session.send(Nack(NACK_NO_SUCH_VERSION, get.version))
            return
        self.recipients.add(session.server)
        size = seed.record.chunk_bytes
        for index in range(get.first, get.first + get.count):
            session.send(Chunk(get.version, index, seed.payload[index * size : (index + 1) * size]))

    def _hear_have(self, session: Session, have: Have) -> None:
        record = opened(SeedRecord, have.record, self.network)
        lease = opened(Lease, have.lease, self.network)
        if not record.owner == lease.owner == session.server or record.version != lease.version:
            raise Malformed("a seed of somebody else, or a lease of another version")
        if record.owner in self.exits:
            return
        held = self.taken.get(record.owner)
        if held and held.record == record:
            held.lease = max(held.lease, lease, key=lambda one: one.number)
        elif not held or record.version > held.record.version:
            self.taken[record.owner] = TakenSeed(record, lease)
            self._ask(session, self.taken[record.owner], 1)

    def _ask(self, session: Session, taken: TakenSeed, count: int) -> None:
        count = min(count, len(taken.record.chunk_hashes) - taken.asked)
        session.send(Get(taken.record.version, taken.asked, count))
        taken.asked += count

    def _hear_chunk(self, session: Session, chunk: Chunk) -> None:
        taken = self.taken.get(session.server)
        if not taken or chunk.version != taken.record.version or chunk.index >= taken.asked:
            raise Malformed("a chunk that nobody asked for")
        if digest_of(chunk.payload) != taken.record.chunk_hashes[chunk.index]:
            raise Malformed("a chunk with another hash than its record says")
        taken.chunks[chunk.index] = chunk.payload
        if taken.complete:
            seeds.check_seed(taken.record.architecture, self.shape, self.classes, taken.payload)
        elif len(taken.chunks) == taken.asked:
            self._ask(session, taken, MOST_IN_FLIGHT // taken.record.chunk_bytes)

    def _hear_exit(self, session: Session, message: Exit) -> None:
        notice = opened(ExitNotice, message.notice, self.network)
        if notice.owner == self.identity.node_id:
            return
        taken = self.taken.pop(notice.owner, None)
        self.exits[notice.owner] = message.notice
        if notice.owner == session.server and self.signs_receipts:
            self.say_receipt(session, notice.owner, REASON_EXIT, taken.record.version if taken else 0)

    def _hear_receipt(self, session: Session, message: ReceiptMessage) -> None:
        receipt = opened(Receipt, message.receipt, self.network)
        if receipt.owner != self.identity.node_id or receipt.holder != session.server:
            raise Malformed("a receipt for somebody else, or of somebody else")
        self.receipts[receipt.holder] = receipt

    def _hear_digest(self, session: Session, digest: Digest) -> None:
        differing = differing_buckets(digest, self.exits)
        known = tuple(sorted(node_id for node_id in self.exits if differing >> node_id[0] % 64 & 1))
        session.send(Delta(digest.salt, DELTA_KNOWN, True, differing, known))

    def _hear_delta(self, session: Session, delta: Delta) -> None:
        if delta.part == DELTA_WANTED:
            wanted = [self.exits[node_id] for node_id in delta.ids if node_id in self.exits]
        else:
            known = self._known_there.setdefault(delta.salt, set())
            known.update(delta.ids)
            if not delta.last:
                return
            del self._known_there[delta.salt]
            missing = tuple(sorted(known - self.exits.keys()))[:MOST_IDS]
            wanted = [
                notice
                for node_id, notice in self.exits.items()
                if delta.differing >> node_id[0] % 64 & 1 and node_id not in known
            ]
            if missing:
                session.send(Delta(delta.salt, DELTA_WANTED, True, 0, missing))
        for notice in wanted:
            session.send(Exit(notice))
