"""A member that keeps the rules of wire.md: it gives and takes seeds, leaves, and lets others leave."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

from . import seeds
from .codec import (
    DELTA_KNOWN,
    DELTA_WANTED,
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
from .fleet import Fleet
from .identity import Identity, digest_of
from .lanes import MOST_IDS
from .messages_2 import SUMMARY, ExitAnswer, ExitQuery, Holders, NetworkDigest, NetworkStatement, State
from .networks import Shape
from .ranges import ExitSet
from .search import Search
from .session import Session
from .states import States
from .statements import (
    REASON_EXIT,
    REASON_LEFT,
    ExitNotice,
    HolderList,
    Lease,
    Receipt,
    ReceiptWithAsked,
    SeedRecord,
    Signed,
    digest_of_served,
    opened,
    sign,
)

LEASE_SECONDS = 24 * 3600
MOST_IN_FLIGHT = 256 * 1024
SKIPPED_VERSIONS = 1_000_000
SEARCH_SECONDS = 5.0


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


@dataclass
class Talk:
    """What belongs to one session of version 2."""

    search: Search = field(default_factory=Search)
    searched: float = 0.0
    shown: Signed = Signed()
    network_ids: set[bytes] = field(default_factory=set)


class Member:
    """One identity in a network, with the shape of its inputs and its classes, by which seeds are judged.

    A session with the option `version=2` may be one of version 2; in a network with a key `first_key` is it.
    """

    def __init__(
        self,
        identity: Identity,
        network: bytes,
        shape: Shape,
        classes: int,
        first_key: bytes | None = None,
    ) -> None:
        self.identity = identity
        self.network = network
        self.shape = shape
        self.classes = classes
        self.seed: OwnSeed | None = None
        self.lease_number = 0
        self.lease_end = 0
        self.taken: dict[bytes, TakenSeed] = {}
        self.asked_versions: dict[bytes, int] = {}
        self.recipients: dict[bytes, tuple[int, int]] = {}  # the version served, and the end of the lease
        self.exits: dict[bytes, Signed] = {}
        self.holder_lists: dict[bytes, list[Signed]] = {}
        self.receipts: dict[bytes, Receipt | ReceiptWithAsked] = {}
        self.signs_receipts = True
        self.shows_states = True
        self.states = States(identity, network)
        self.fleet = Fleet(network, first_key)
        self._talks: weakref.WeakKeyDictionary[Session, Talk] = weakref.WeakKeyDictionary()
        self._known_there: dict[bytes, set[bytes]] = {}

    def join(self, server: bytes, endpoint: str, **options: object) -> Session:
        """Connects to a node, says Hello, and waits for the answer."""
        session = Session(self.identity, server, endpoint, self.network, hear=self.hear, **options)  # type: ignore[arg-type]
        session.send(session.hello())
        answer = session.first_of(Hello)
        if answer is None or not answer.answer or answer.sender != server or answer.network != self.network:
            raise Malformed(f"Hello was answered with {answer or session.heard}")
        if session.spoken == 1:
            session.send(digest_of_exits(os.urandom(16), self.exits))
            return session
        self.say_state(session)
        if self.fleet.first_key:
            session.send(self.fleet.summary())
        self.search(session)
        return session

    def talk(self, session: Session) -> Talk:
        return self._talks.setdefault(session, Talk())

    def say_state(self, session: Session) -> None:
        """Sends the own state, and the newest one of the node that is kept."""
        kept = self.states.kept.get(session.server, Signed()) if self.shows_states else Signed()
        self.talk(session).shown = kept
        session.send(State(self.states.own, self.states.restored, kept))

    def search(self, session: Session) -> None:
        """Begins to ask for the exits that the node knows."""
        talk = self.talk(session)
        talk.searched = time.monotonic()
        session.send(talk.search.begin(ExitSet(self.exits)))

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
        self.lease_end = now() + LEASE_SECONDS
        lease = Lease(self.identity.node_id, self.seed.record.version, self.lease_number, self.lease_end)
        if session.server in self.recipients:
            self.recipients[session.server] = (self.recipients[session.server][0], self.lease_end)
        session.send(Have(self.seed.signed_record, sign(self.identity, self.network, lease)))

    # ---- Leaving

    def leave(self, session: Session) -> None:
        """Erases what it holds, tells the owner, and sends its notice; in version 2 first the notice, and its list."""
        erased = {owner: taken.record.version for owner, taken in self.taken.items()}
        self.taken.clear()
        notice = sign(
            self.identity, self.network, ExitNotice(self.identity.node_id, now(), session.membership)
        )
        self.exits[self.identity.node_id] = notice
        if session.spoken > 1:
            self.states.rise()
            self.say_state(session)
            session.send(Exit(notice))
        for owner, version in erased.items():
            self.say_receipt(session, owner, REASON_LEFT, version)
        if session.spoken > 1:
            self.holder_lists[self.identity.node_id] = [self.list_of_holders()]
            session.send(Holders(self.holder_lists[self.identity.node_id][0]))
        else:
            session.send(Exit(notice))

    def list_of_holders(self) -> Signed:
        """Signs who holds the seed."""
        own = self.identity.node_id
        holders = [(node, version, until) for node, (version, until) in self.recipients.items()]
        notice = digest_of(self.exits[own].data)
        listed = HolderList(own, notice, len(holders), digest_of_served(holders), self.states.restored)
        return sign(self.identity, self.network, listed)

    def say_receipt(self, session: Session, owner: bytes, reason: int, version: int) -> None:
        own = self.identity.node_id
        if session.spoken > 1:
            asked = max(self.asked_versions.get(owner, 0), version)
            newer = ReceiptWithAsked(owner, own, reason, version, asked, now())
            session.send(ReceiptMessage(sign(self.identity, self.network, newer)))
        else:
            receipt = Receipt(owner, own, reason, version, now())
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
            State: self._hear_state,  # type: ignore[dict-item]
            Holders: self._hear_holders,  # type: ignore[dict-item]
            ExitQuery: self._hear_query,  # type: ignore[dict-item]
            ExitAnswer: self._hear_answer,  # type: ignore[dict-item]
            NetworkStatement: self._hear_network_statement,  # type: ignore[dict-item]
            NetworkDigest: self._hear_network_digest,  # type: ignore[dict-item]
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
        self.recipients[session.server] = (get.version, self.lease_end)
        size = seed.record.chunk_bytes
        for index in range(get.first, get.first + get.count):
            session.send(Chunk(get.version, index, seed.payload[index * size : (index + 1) * size]))

    def _hear_have(self, session: Session, have: Have) -> None:
        record = opened(SeedRecord, have.record, self.network)
        lease = opened(Lease, have.lease, self.network)
        if not record.owner == lease.owner == session.server or record.version != lease.version:
            raise Malformed("a seed of somebody else, or a lease of another version")
        if record.owner in self.exits or record.owner in self.fleet.expelled:
            return
        held = self.taken.get(record.owner)
        if held and held.record == record:
            held.lease = max(held.lease, lease, key=lambda one: one.number)
        elif not held or record.version > held.record.version:
            self.taken[record.owner] = TakenSeed(record, lease)
            self._ask(session, self.taken[record.owner], 1)

    def _ask(self, session: Session, taken: TakenSeed, count: int) -> None:
        count = min(count, len(taken.record.chunk_hashes) - taken.asked)
        asked = self.asked_versions.get(session.server, 0)
        self.asked_versions[session.server] = max(asked, taken.record.version)
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
        if notice.owner not in self.exits:
            self.exits[notice.owner] = message.notice
            self.states.rise()
            if session.spoken > 1:
                self.say_state(session)
        if notice.owner == session.server and self.signs_receipts:
            self.say_receipt(session, notice.owner, REASON_EXIT, taken.record.version if taken else 0)

    def _hear_receipt(self, session: Session, message: ReceiptMessage) -> None:
        receipt: Receipt | ReceiptWithAsked
        if session.spoken > 1:
            receipt = opened(ReceiptWithAsked, message.receipt, self.network)
        else:
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

    # ---- Hearing in version 2

    def _hear_state(self, session: Session, message: State) -> None:
        is_lower = self.states.keep(session.server, message.state)
        if message.shown and self.states.hear_own(message.shown):
            self.lease_number += SKIPPED_VERSIONS
            self.say_state(session)
            self.search(session)
        elif is_lower or self.talk(session).shown != self.states.kept[session.server]:
            self.say_state(session)

    def _hear_holders(self, session: Session, message: Holders) -> None:
        owner = opened(HolderList, message.holders, self.network).owner
        lists = self.holder_lists.setdefault(owner, [])
        if message.holders not in lists and len(lists) < 2:
            lists.append(message.holders)

    def _hear_query(self, session: Session, query: ExitQuery) -> None:
        known = ExitSet(self.exits)
        for node_id in query.wanted:
            if node_id in self.exits:
                session.send(Exit(self.exits[node_id]))
                for listed in self.holder_lists.get(node_id, []):
                    session.send(Holders(listed))
        fingerprint, said = known.fingerprint(query.salt), known.answer(query.salt, query.ranges)
        session.send(ExitAnswer(query.number, len(known), fingerprint, said))
        talk = self.talk(session)
        if fingerprint != query.fingerprint and time.monotonic() - talk.searched >= SEARCH_SECONDS:
            self.search(session)

    def _hear_answer(self, session: Session, answer: ExitAnswer) -> None:
        if query := self.talk(session).search.hear(answer, ExitSet(self.exits)):
            session.send(query)

    def _hear_network_statement(self, session: Session, message: NetworkStatement) -> None:
        self.fleet.take(message)
        for owner in self.fleet.expelled & self.taken.keys():
            del self.taken[owner]

    def _hear_network_digest(self, session: Session, digest: NetworkDigest) -> None:
        if digest.part == SUMMARY:
            if digest != self.fleet.summary():
                for known in self.fleet.known():
                    session.send(known)
            return
        talk = self.talk(session)
        talk.network_ids.update(digest.ids)
        if digest.last:
            ids, talk.network_ids = talk.network_ids, set()
            for statement in self.fleet.missing(ids):
                session.send(statement)
