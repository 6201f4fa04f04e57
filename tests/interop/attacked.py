"""A real node under attack, and an honest member beside it: what all attacks share."""

from __future__ import annotations

import unittest
from collections.abc import Callable

import devices
from devices import CLASSES, Device, eventually
from peer import statements
from peer.codec import Have, Hello, Message
from peer.identity import Identity
from peer.member import LEASE_SECONDS, Member, now
from peer.session import Session
from peer.statements import Lease, SeedRecord, Signed, sign


MOST_LISTED = 500  # every attacker is listed, and with the usual 64 places the witness could lose its own
RECORD_TIME = 1_700_000_000  # the same in each announcement, so that a version has one record


class Attacked(unittest.TestCase):
    """One node, one witness that it serves, and a new attacker, whom it lists, in each test."""

    version = 1
    device: Device
    witness: Member
    watched: Session
    tokens = 0

    @classmethod
    def setUpClass(cls) -> None:
        cls.device = devices.table_device(start=False)
        cls.addClassCleanup(cls.device.end)
        cls.device.give_room_for(MOST_LISTED)
        cls.device.start()
        reference, _ = devices.table_of(cls.device)
        cls.witness = Member(Identity.generate(), cls.device.network, reference.shape, len(CLASSES))
        cls.device.ask("peers", "add", cls.witness.identity.text)
        cls.watched = cls.witness.join(cls.device.node_id, cls.device.endpoint, version=cls.version)
        cls.addClassCleanup(cls.watched.close)
        cls.witness.offer(cls.watched, "linear", devices.table_seed(), 1)
        if not eventually(lambda: cls.device.uses_seed_of(cls.witness.identity)):
            raise AssertionError(cls.device.status()["seeds"])

    def setUp(self) -> None:
        self.dropped = self.device.metric("peers_dropped_total")
        self.attacker = self.listed()

    def tearDown(self) -> None:
        """Whatever happened: the witness is served, its seed is in use, and it heard nothing wrong."""
        Attacked.tokens += 1
        self.assertTrue(self.watched.answers(Attacked.tokens), "the witness is not served")
        self.assertTrue(self.device.uses_seed_of(self.witness.identity))
        self.assertEqual(self.watched.problems, [])
        self.assertEqual(self.device.status()["state"], "running")

    def listed(self) -> Identity:
        identity = Identity.generate()
        self.device.ask("peers", "add", identity.text)
        return identity

    def connected(
        self, identity: Identity | None = None, hear: Callable[[Session, Message], None] | None = None
    ) -> Session:
        """A connection on which nothing was said."""
        session = Session(
            identity or self.attacker,
            self.device.node_id,
            self.device.endpoint,
            self.device.network,
            version=self.version,
            hear=hear,
        )
        self.addCleanup(session.close)
        return session

    def welcomed(self, identity: Identity | None = None) -> Session:
        """A connection whose Hello was answered."""
        session = self.connected(identity)
        session.send(session.hello())
        self.assertIsNotNone(session.first_of(Hello), str(session.heard))
        return session

    def sign(self, statement: statements.Statement, signer: Identity | None = None) -> Signed:
        return sign(signer or self.attacker, self.device.network, statement)

    def announcement(self, version: int, number: int, not_after: int | None = None) -> Have:
        """A seed of the attacker's, rightly signed."""
        owner = self.attacker.node_id
        record = SeedRecord.describe(owner, version, "linear", devices.table_seed(), RECORD_TIME)
        return Have(
            self.sign(record), self.sign(Lease(owner, version, number, not_after or now() + LEASE_SECONDS))
        )

    def assert_cut_off(self, session: Session, why: str) -> None:
        """The node ended the connection because the peer broke the protocol, and said why in its log."""
        self.assertTrue(session.is_closed_within(), str(session.heard))
        self.assertTrue(eventually(lambda: self.device.metric("peers_dropped_total") > self.dropped))
        self.dropped = self.device.metric("peers_dropped_total")
        name = session.identity.text[:10]
        self.assertTrue(
            eventually(lambda: f"peer-dropped {name}: {why}" in self.device.log()), f"{name}: {why}"
        )

    def assert_served(self, session: Session) -> None:
        Attacked.tokens += 1
        self.assertTrue(session.answers(Attacked.tokens), str(session.heard))
