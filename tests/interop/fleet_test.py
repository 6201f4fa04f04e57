"""Networks with a key: who exchanges seeds, who is expelled, and who may say so (docs/network-key.md)."""

from __future__ import annotations

import json
import time
import unittest
from collections.abc import Callable
from pathlib import Path

import devices
from devices import CLASSES, Device, eventually
from life_test import network_key
from peer import networks
from peer.codec import NACK_NO_SUCH_VERSION, Chunk, Exit, Get, Have, Hello, Nack
from peer.identity import Identity
from peer.member import Member, now
from peer.messages_2 import KNOWN, REVOCATION, SUCCESSION, SUMMARY, NetworkDigest, NetworkStatement
from peer.session import Session
from peer.statements import (
    REASON_EXIT,
    ExitNotice,
    Membership,
    MembershipWithEnd,
    Revocation,
    Signed,
    Statement,
    Succession,
    opened,
    sign,
)

DAY = 24 * 3600


class Fleet(unittest.TestCase):
    """One node with the default `members = "exits-only"`, and an honest neighbour that it lists."""

    key: Identity
    key_file: Path
    shape: networks.Shape
    device: Device
    honest: Member
    second: Member
    watched: Session
    vouching: Session
    tokens = 0

    @classmethod
    def setUpClass(cls) -> None:
        cls.key, holder = network_key()
        cls.addClassCleanup(holder.end)
        cls.key_file = holder.folder / "fleet.key"
        cls.device = devices.table_device(network=("--network-key", str(cls.key_file)))
        cls.addClassCleanup(cls.device.end)
        cls.shape = devices.table_of(cls.device)[0].shape
        cls.honest, cls.second = cls.member(), cls.member()
        for member in (cls.honest, cls.second):
            cls.device.ask("peers", "add", member.identity.text)
        cls.watch()
        cls.honest.offer(cls.watched, "linear", devices.table_seed(), 1)
        if not eventually(lambda: cls.device.uses_seed_of(cls.honest.identity)):
            raise AssertionError(cls.device.status()["seeds"])

    @classmethod
    def tearDownClass(cls) -> None:
        cls.watched.close()
        cls.vouching.close()

    @classmethod
    def watch(cls) -> None:
        """The honest neighbour joins, and a second one, whose word its seed needs after a restart."""
        cls.watched = cls.honest.join(cls.device.node_id, cls.device.endpoint, version=2)
        cls.vouching = cls.second.join(cls.device.node_id, cls.device.endpoint, version=2)

    @classmethod
    def member(cls, identity: Identity | None = None) -> Member:
        own = identity or Identity.generate()
        return Member(own, cls.device.network, cls.shape, len(CLASSES), first_key=cls.key.node_id)

    def tearDown(self) -> None:
        self.assertTrue(self.device.uses_seed_of(self.honest.identity))
        self.assertEqual(self.watched.problems, [])
        self.assertFalse(self.watched.closed)

    def sign(self, statement: Statement, signer: Identity | None = None) -> Signed:
        return sign(signer or self.key, self.device.network, statement)

    def membership(self, member: Member, number: int = 1, until: int | None = None) -> Signed:
        own, end = member.identity.node_id, now() + DAY if until is None else until
        return self.sign(MembershipWithEnd(self.key.node_id, own, number, now() - 2 * DAY, end))

    def joined(self, member: Member, membership: Signed = Signed()) -> Session:
        session = member.join(self.device.node_id, self.device.endpoint, version=2, membership=membership)
        self.addCleanup(session.close)
        return session

    def neighbour(self) -> tuple[Member, Session]:
        """A listed member whose seed is in use."""
        member = self.member()
        self.device.ask("peers", "add", member.identity.text)
        session = self.joined(member)
        member.offer(session, "linear", devices.table_seed(), 1)
        self.assertTrue(eventually(lambda: self.device.uses_seed_of(member.identity)))
        return member, session

    def revocation(self, member: Identity, number: int, signer: Identity | None = None) -> NetworkStatement:
        signer = signer or self.key
        statement = Revocation(signer.node_id, member.node_id, number, now())
        return NetworkStatement(REVOCATION, self.sign(statement, signer))

    def assert_served(self, session: Session) -> None:
        Fleet.tokens += 1
        self.assertTrue(session.answers(Fleet.tokens), str(session.heard))

    def assert_cut_off(self, session: Session, why: str) -> None:
        self.assertTrue(session.is_closed_within(), str(session.heard))
        said = f"peer-dropped {session.identity.text[:10]}: {why}"
        self.assertTrue(eventually(lambda: said in self.device.log()), said)

    # ---- Members

    def test_a_member_that_is_not_listed_gets_exits_and_no_seeds(self) -> None:
        for kind in ("with an end", "without an end"):
            with self.subTest(kind):
                member = self.member()
                endless = self.sign(Membership(member.identity.node_id))
                session = self.joined(member, self.membership(member) if kind == "with an end" else endless)
                member.offer(session, "linear", devices.table_seed(), 1)
                session.send(Get(self.device.status()["own_seed"]["version"], 0, 1))
                nack = session.first_of(Nack)
                assert nack
                self.assertEqual(nack.reason, NACK_NO_SUCH_VERSION)
                self.assert_served(session)
                self.assertIsNone(self.device.seed_of(member.identity))
                self.assertEqual(session.all_of(Have) + session.all_of(Chunk) + session.all_of(Get), [])
                stated = self.device.status()["peers"]["without_seeds"]
                self.assertIn(member.identity.text, [one["id"] for one in stated])
                # Of exits it hears, and is heard.
                member.leave(session)
                self.assertTrue(session.wait(lambda: self.device.node_id in member.receipts))
                self.assertTrue(self.watched.wait(lambda: member.identity.node_id in self.honest.exits))

    def hello_with(self, member: Member, membership: Signed) -> Session:
        """A session in which nothing but Hello was said."""
        device = self.device
        session = Session(
            member.identity,
            device.node_id,
            device.endpoint,
            device.network,
            version=2,
            membership=membership,
        )
        self.addCleanup(session.close)
        session.send(session.hello())
        return session

    def exit_of_a_stranger(self, *, is_member: bool = True) -> Exit:
        stranger = self.member()
        membership = self.membership(stranger) if is_member else Signed()
        own = stranger.identity
        return Exit(sign(own, self.device.network, ExitNotice(own.node_id, now(), membership)))

    def test_a_wrong_membership_opens_no_door(self) -> None:
        thief = Identity.generate()

        def by(key: Identity, member: Member) -> Signed:
            own = member.identity.node_id
            return self.sign(MembershipWithEnd(key.node_id, own, 1, 0, now() + DAY), thief)

        wrong: dict[str, Callable[[Member], Signed]] = {
            "of another": lambda member: self.membership(self.member()),
            "by another key": lambda member: by(thief, member),
            "by another key in the name of ours": lambda member: by(self.key, member),
            "without an end, by another key": lambda member: self.sign(
                Membership(member.identity.node_id), thief
            ),
        }
        for what, make in wrong.items():
            with self.subTest(what):
                member = self.member()
                session = self.hello_with(member, make(member))
                self.assertTrue(session.is_closed_within(10), str(session.heard))
                self.assertEqual(session.all_of(Hello), [])

    def test_a_member_whose_membership_has_not_begun_is_not_heard(self) -> None:
        member, known = self.member(), self.device.metric("exits_known")
        begins = MembershipWithEnd(self.key.node_id, member.identity.node_id, 1, now() + DAY, now() + 2 * DAY)
        session = self.joined(member, self.sign(begins))
        session.send(self.exit_of_a_stranger())
        self.assert_served(session)
        time.sleep(0.3)
        self.assertEqual(self.device.metric("exits_known"), known)

    def test_a_member_whose_membership_has_ended_can_only_leave(self) -> None:
        member = self.member()
        session = self.joined(member, self.membership(member, until=now() - DAY))
        known = self.device.metric("exits_known")
        session.send(self.exit_of_a_stranger())
        member.offer(session, "linear", devices.table_seed(), 1)
        self.assert_served(session)
        time.sleep(0.3)
        self.assertEqual(self.device.metric("exits_known"), known)
        self.assertEqual([*session.all_of(Have), *session.all_of(Get), *session.all_of(Chunk)], [])
        member.leave(session)
        self.assertTrue(session.wait(lambda: self.device.node_id in member.receipts), str(session.heard))

        # A renewal opens it again: the highest number counts, also when an older one is shown later.
        member = self.member()
        self.joined(member, self.membership(member, number=5, until=now() - DAY)).close()
        renewed = self.joined(member, self.membership(member, number=6))
        # Of strangers only those exits count that the key stands for.
        renewed.send(self.exit_of_a_stranger(is_member=False))
        renewed.send(self.exit_of_a_stranger())
        self.assertTrue(eventually(lambda: self.device.metric("exits_known") == known + 2))
        renewed.close()
        older = self.joined(member, self.membership(member, number=5, until=now() - DAY))
        older.send(self.exit_of_a_stranger())
        self.assertTrue(eventually(lambda: self.device.metric("exits_known") == known + 3))

    # ---- Expulsions

    def test_a_revocation_by_another_key_changes_nothing(self) -> None:
        member, session = self.neighbour()
        thief = Identity.generate()
        self.watched.send(self.revocation(member.identity, 1, thief))
        in_our_name = Revocation(self.key.node_id, member.identity.node_id, 1, now())
        teller = self.member()
        telling = self.joined(teller, self.membership(teller))
        telling.send(NetworkStatement(REVOCATION, self.sign(in_our_name, thief)))
        self.assert_cut_off(telling, "bad signature")
        time.sleep(0.5)
        self.assertTrue(self.device.uses_seed_of(member.identity))
        self.assert_served(session)
        self.assert_served(self.watched)
        self.assertEqual(self.device.ask("network", "show").get("revocations", []), [])

    def test_an_expelled_member_never_comes_back(self) -> None:
        device = self.device
        member, session = self.neighbour()
        statement = self.revocation(member.identity, 2)
        # A member without a place tells the node, and the node tells everybody.
        teller = self.member()
        telling = self.joined(teller, self.membership(teller))
        telling.send(statement)
        self.assertTrue(eventually(lambda: device.seed_of(member.identity) is None), str(device.status()))
        self.assertTrue(self.watched.wait(lambda: statement in self.watched.heard))
        self.assertIn(member.identity.node_id, self.honest.fleet.expelled)
        self.comes_back_in_vain(member, session)

        # Nor after a restart of the node.
        self.tearDownClass()
        device.stop()
        device.start()
        self.watch()
        self.assertTrue(eventually(lambda: device.uses_seed_of(self.honest.identity)))
        again = self.joined(self.member(member.identity), self.membership(member, number=9))
        self.comes_back_in_vain(member, again)

        # Who comes later is told, because its summary is another.
        later = self.member()
        late = self.joined(later, self.membership(later))
        self.assertTrue(late.wait(lambda: member.identity.node_id in later.fleet.expelled), str(late.heard))
        self.summaries_are_compared(late, later)

        # It may still leave. The receipt names the version that the expulsion erased.
        leaver = self.member(member.identity)
        leaving = self.joined(leaver)
        leaver.leave(leaving)
        self.assertTrue(leaving.wait(lambda: device.node_id in leaver.receipts), str(leaving.heard))
        receipt = leaver.receipts[device.node_id]
        self.assertEqual((receipt.reason, receipt.erased_version), (REASON_EXIT, 1))

    def summaries_are_compared(self, session: Session, member: Member) -> None:
        """The same summary as the node's is not answered, another one is, when it is not asked all the time."""

        def answers() -> list[NetworkDigest]:
            return [one for one in session.all_of(NetworkDigest) if one.part == KNOWN]

        time.sleep(1.0)
        before = answers()
        session.send(member.fleet.summary())
        self.assert_served(session)
        self.assertEqual(answers(), before)
        session.send(NetworkDigest(SUMMARY, True, b"x" * 32))
        self.assertTrue(session.wait(lambda: answers() != before))
        self.assertEqual(answers()[len(before) :], member.fleet.known())

    def comes_back_in_vain(self, member: Member, session: Session) -> None:
        """Its seed, a newer lease, a newer version: nothing is answered but a Ping."""
        session.heard.clear()
        member.renew(session)
        member.offer(session, "linear", devices.table_seed(), 5)
        session.send(Get(self.device.status()["own_seed"]["version"], 0, 1))
        self.assert_served(session)
        time.sleep(0.3)
        self.assertIsNone(self.device.seed_of(member.identity))
        self.assertEqual([*session.all_of(Have), *session.all_of(Get), *session.all_of(Chunk)], [])

    def test_what_unlearnctl_signs_is_read_here(self) -> None:
        device, key_file = self.device, str(self.key_file)
        member, _ = self.neighbour()
        file = device.folder / "membership.json"
        device.ask(
            "network", "issue", member.identity.text, "--key", key_file, "--days", "7", "-o", str(file)
        )
        (issued,) = json.loads(file.read_text())["statements"]
        signed = Signed(bytes.fromhex(issued["bytes"]), bytes.fromhex(issued["signature"]))
        membership = opened(MembershipWithEnd, signed, device.network)
        self.assertEqual(
            (membership.network_key, membership.member), (self.key.node_id, member.identity.node_id)
        )
        self.assertAlmostEqual(membership.not_after, now() + 7 * DAY, delta=3_600)

        device.ask("network", "expel", member.identity.text, "--key", key_file, "--yes")
        self.assertTrue(eventually(lambda: device.seed_of(member.identity) is None))
        self.assertTrue(self.watched.wait(lambda: member.identity.node_id in self.honest.fleet.expelled))

    # ---- The next key

    def test_z_after_a_succession_the_old_key_expels_nobody(self) -> None:
        """The last of these tests: it changes the key."""
        following, thief = Identity.generate(), Identity.generate()
        member, session = self.neighbour()

        def succession(signer: Identity, successor: Identity, number: int) -> NetworkStatement:
            said = Succession(signer.node_id, successor.node_id, number, now(), now() + DAY)
            return NetworkStatement(SUCCESSION, self.sign(said, signer))

        def key_there() -> str:
            return str(self.device.ask("network", "show"))

        self.watched.send(succession(thief, Identity.generate(), 1))
        self.assert_served(self.watched)
        self.assertNotIn(thief.text, key_there())
        self.watched.send(succession(self.key, following, 50))
        self.assertTrue(eventually(lambda: following.text in key_there()), key_there())
        self.assertTrue(session.wait(lambda: member.fleet.key == following.node_id), str(session.heard))

        # What the old key signs from now on: an expulsion, and the door for a new member.
        self.watched.send(self.revocation(member.identity, 51))
        self.assert_served(self.watched)
        newcomer = self.member()
        late = self.member()
        refused = self.hello_with(late, self.membership(late))
        self.assertTrue(refused.is_closed_within(10), str(refused.heard))
        self.assertTrue(self.device.uses_seed_of(member.identity))

        # What the next key signs counts.
        self.watched.send(self.revocation(member.identity, 1, following))
        self.assertTrue(eventually(lambda: self.device.seed_of(member.identity) is None))
        own = MembershipWithEnd(following.node_id, newcomer.identity.node_id, 1, 0, now() + DAY)
        welcome = self.joined(newcomer, self.sign(own, following))
        self.assert_served(welcome)

        # A second successor: no key counts, until the operator chooses one.
        another, _ = self.neighbour()
        self.watched.send(succession(self.key, thief, 52))
        self.assertTrue(eventually(lambda: "network-key-disputed" in self.device.log()))
        self.watched.send(self.revocation(another.identity, 2, following))
        self.watched.send(self.revocation(another.identity, 2, thief))
        self.assert_served(self.watched)
        time.sleep(0.3)
        self.assertTrue(self.device.uses_seed_of(another.identity))
        self.device.ask("network", "follow", following.text)
        self.watched.send(self.revocation(another.identity, 2, thief))
        self.assert_served(self.watched)
        self.assertTrue(self.device.uses_seed_of(another.identity))
        self.watched.send(self.revocation(another.identity, 2, following))
        self.assertTrue(eventually(lambda: self.device.seed_of(another.identity) is None))


if __name__ == "__main__":
    unittest.main()
