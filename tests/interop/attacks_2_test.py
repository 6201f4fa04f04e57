"""Attacks on a real node with what version 2 of the wire format came with, and the controls beside them."""

from __future__ import annotations

import time
import unittest
from collections.abc import Callable, Sequence

from attacked import Attacked
from devices import eventually
from peer.codec import Delta, Exit, Get, Have, Hello, Message, ReceiptMessage, encode
from peer.comparison import digest_of_exits
from peer.identity import Identity, digest_of
from peer.member import now
from peer.messages_2 import MOST_WANTED, REVOCATION, ExitAnswer, ExitQuery, Holders, NetworkStatement, State
from peer.ranges import ALL, MOST_RANGES, ExitSet, Range
from peer.session import Session
from peer.statements import (
    MOST_NUMBER,
    NO_START,
    REASON_EXIT,
    REASON_LEFT,
    ExitNotice,
    HolderList,
    NodeState,
    ReceiptWithAsked,
    Revocation,
    SeedRecord,
    Signed,
    digest_of_served,
)
from vectors_test import golden

START, OTHER_START = b"\1" * 16, b"\2" * 16
SALT, FINGERPRINT = b"s" * 16, b"f" * 16
BROKEN = "malformed: query"


class AttacksOfVersion2(Attacked):
    """The witness and the attackers say that they speak version 2."""

    version = 2

    def state(self, number: int, start: bytes = START, signer: Identity | None = None) -> Signed:
        return self.sign(NodeState(self.attacker.node_id, number, start), signer)

    def shown(self, session: Session) -> list[NodeState]:
        """What the node has shown of the attacker's states."""
        return [NodeState.unpack(one.shown.data) for one in session.all_of(State) if one.shown]

    def told(self, session: Session, number: int) -> None:
        """Waits until the node has shown this number."""
        self.assertTrue(session.wait(lambda: number in [one.number for one in self.shown(session)]))

    def test_everything_that_breaks_the_format_ends_the_connection(self) -> None:
        for stated in golden("refused_2.json")["messages"]:
            with self.subTest(stated["what"]):
                session = self.welcomed()
                session.send_frames([bytes.fromhex(frame) for frame in stated["frames"]])
                self.assert_cut_off(session, "")
                self.attacker = self.listed()

    # ---- States

    def test_a_state_that_its_node_did_not_sign_or_that_cannot_be_breaks_the_protocol(self) -> None:
        other = Identity.generate()
        forgeries: dict[str, tuple[str, Callable[[], Signed]]] = {
            "signed by another": ("bad signature: state", lambda: self.state(9, signer=other)),
            "of another": (
                "bad signature: state",
                lambda: self.sign(NodeState(other.node_id, 9, START), other),
            ),
            "a start of zeros": ("malformed: state", lambda: self.state(9, start=NO_START)),
            "number 0": ("malformed: state", lambda: self.state(0)),
            "number 2^63": ("malformed: state", lambda: self.state(MOST_NUMBER + 1)),
            "the start before is the start": (
                "malformed: state",
                lambda: self.sign(NodeState(self.attacker.node_id, 9, START, START)),
            ),
        }
        for what, (why, forge) in forgeries.items():
            with self.subTest(what):
                session = self.welcomed()
                session.send(State(forge(), False))
                self.assert_cut_off(session, why)
                # Nothing of it is kept.
                self.attacker = self.listed()

    def test_a_state_in_the_name_of_the_node_is_refused_and_changes_nothing(self) -> None:
        own = self.device.node_id
        for signer in (self.attacker, Identity.generate()):
            session = self.welcomed()
            forged = self.sign(NodeState(own, 1_000, OTHER_START), signer)
            session.send(State(self.state(1), False, forged))
            self.assert_cut_off(session, "bad signature: state")
            self.attacker = self.listed()
        # The control: what the node did sign is nothing new to it.
        session = self.welcomed()
        real = session.first_of(State)
        assert real
        session.send(State(self.state(1), False, real.state))
        self.assert_served(session)
        self.assertNotIn("own-state-old", self.device.log())

    def test_a_state_whose_number_goes_back_is_shown_the_higher_one(self) -> None:
        session = self.welcomed()
        session.send(State(self.state(9), False))
        self.told(session, 9)
        session.send(State(self.state(8, OTHER_START), False))
        self.assertTrue(session.wait(lambda: len(self.shown(session)) == 2))
        self.assertEqual([(one.number, one.start) for one in self.shown(session)], [(9, START)] * 2)
        session.close()
        # So is who comes back as an older copy, before it has said anything.
        again = self.welcomed()
        self.told(again, 9)
        self.assertEqual(self.shown(again)[0].start, START)
        # The control: a higher number is kept.
        again.send(State(self.state(10, OTHER_START), False))
        self.told(again, 10)

    # ---- Queries and answers

    def test_a_query_that_breaks_the_rules_ends_the_connection(self) -> None:
        many = [(at // 16, at % 16) for at in range(MOST_RANGES + 1)]
        ids = tuple(Identity.generate().node_id for _ in range(MOST_WANTED + 1))
        broken: list[tuple[str, Sequence[Range], tuple[bytes, ...]]] = [
            ("overlapping", [(1,), (1, 2)], ()),
            ("all, and a part", [ALL, (1,)], ()),
            ("falling", [(2,), (1,)], ()),
            ("the same twice", [(1,), (1,)], ()),
            ("65 half-bytes", [(0,) * 65], ()),
            ("61 ranges", many, ()),
            ("33 wanted", [], ids),
        ]
        for what, ranges, wanted in broken:
            with self.subTest(what):
                session = self.welcomed()
                session.send(ExitQuery(SALT, 1, FINGERPRINT, tuple(ranges), wanted))
                self.assert_cut_off(session, BROKEN)
                self.attacker = self.listed()
        # The control: as many as may be are answered, and fit.
        session = self.welcomed()
        session.send(ExitQuery(SALT, 7, FINGERPRINT, tuple(many[:-1]), ids[:-1]))
        answer = session.first_of(ExitAnswer)
        assert answer
        self.assertEqual(answer.number, 7)

    def answering(self, answer: Callable[[ExitQuery], ExitAnswer], known: ExitSet) -> Session:
        """An attacker who answers the node's first query honestly, and those with ranges as `answer` says."""

        def hear(session: Session, message: Message) -> None:
            if isinstance(message, ExitQuery):
                session.send(answer(message) if message.ranges else self.honest(message, known))

        session = self.connected(hear=hear)
        session.send(session.hello())
        self.assertIsNotNone(session.first_of(Hello))
        session.send(State(self.state(1), False))
        return session

    def honest(self, query: ExitQuery, known: ExitSet) -> ExitAnswer:
        said = known.answer(query.salt, query.ranges)
        return ExitAnswer(query.number, len(known), known.fingerprint(query.salt), said)

    def test_an_answer_that_does_not_fit_its_query_ends_the_connection(self) -> None:
        ids = sorted(Identity.generate().node_id for _ in range(9))
        known = ExitSet(ids)
        for what, said in {
            "nothing": lambda honest: b"",
            "too much": lambda honest: honest + b"\0",
            "9 ids": lambda honest: b"\x09" + b"".join(ids),
            "falling": lambda honest: b"\2" + ids[1] + ids[0],
            "no part": lambda honest: b"\xff\0\0",
        }.items():
            with self.subTest(what):

                def wrong(query: ExitQuery, said: Callable[[bytes], bytes] = said) -> ExitAnswer:
                    right = self.honest(query, known)
                    return ExitAnswer(right.number, right.exits, right.fingerprint, said(right.answers))

                self.assert_cut_off(self.answering(wrong, known), "malformed: answer")
                self.attacker = self.listed()
        # The control: who answers rightly is asked for the notices.
        session = self.answering(lambda query: self.honest(query, known), known)
        wanted = session.wait(lambda: [node_id for q in session.all_of(ExitQuery) for node_id in q.wanted])
        self.assertTrue(set(wanted) <= set(ids) and wanted)

    def test_an_answer_to_a_query_never_asked_changes_nothing(self) -> None:
        stranger = Identity.generate()
        known = ExitSet([stranger.node_id])
        session = self.welcomed()
        session.send(State(self.state(1), False))
        query = session.first_of(ExitQuery)
        assert query
        for number in (0, query.number + 1, 99, 2**64 - 1):
            session.send(ExitAnswer(number, 1, known.fingerprint(query.salt), b""))
        self.assert_served(session)
        self.assertEqual([one for one in session.all_of(ExitQuery) if one.ranges or one.wanted], [])
        # The control: the answer to the query that was asked is what the node goes on from.
        session.send(self.honest(query, known))
        self.assertTrue(session.wait(lambda: [one for one in session.all_of(ExitQuery) if one.ranges]))

    # ---- Receipts and lists

    def test_who_says_that_it_left_and_has_not_is_cut_off_in_version_2(self) -> None:
        session = self.welcomed()
        have = session.first_of(Have)
        assert have
        version = SeedRecord.unpack(have.record.data).version
        owner, holder = self.device.node_id, self.attacker.node_id
        session.send(Get(version, 0, 1))
        self.assertTrue(eventually(lambda: self.device.log_entries("recipient", self.attacker.text)))
        left = ReceiptWithAsked(owner, holder, REASON_LEFT, version, version, now())
        session.send(ReceiptMessage(self.sign(left)))
        self.assert_cut_off(session, "unsolicited: left receipt")
        self.assertEqual(self.device.log_entries("receipt", self.attacker.text), [])
        # The control: after its exit it counts.
        self.attacker = self.listed()
        session = self.welcomed()
        session.send(Exit(self.sign(ExitNotice(self.attacker.node_id, now()))))
        left = ReceiptWithAsked(owner, self.attacker.node_id, REASON_LEFT, version, version, now())
        session.send(ReceiptMessage(self.sign(left)))
        self.assertTrue(eventually(lambda: self.device.log_entries("receipt", self.attacker.text)))
        self.assert_served(session)

    def test_a_receipt_for_an_exit_that_never_was_or_of_more_than_was_asked_for_is_refused(self) -> None:
        for what, why, erased, asked in (
            ("early", "unsolicited: receipt", 1, 1),
            ("more erased than asked for", "malformed: receipt", 3, 1),
        ):
            with self.subTest(what):
                session = self.welcomed()
                own, holder = self.device.node_id, self.attacker.node_id
                receipt = ReceiptWithAsked(own, holder, REASON_EXIT, erased, asked, now())
                session.send(ReceiptMessage(self.sign(receipt)))
                self.assert_cut_off(session, why)
                self.attacker = self.listed()

    def list_of(self, owner: Identity, notice: bytes, count: int, signer: Identity | None = None) -> Holders:
        listed = HolderList(owner.node_id, digest_of(notice), count, digest_of_served([]), False)
        return Holders(self.sign(listed, signer or owner))

    def test_a_forged_list_is_refused_and_two_lists_of_one_owner_are_proof(self) -> None:
        session = self.welcomed()
        session.send(self.list_of(self.witness.identity, b"", 0, signer=self.attacker))
        self.assert_cut_off(session, "bad signature: list of holders")

        owner = self.attacker = self.listed()
        session = self.welcomed()
        # Before its owner has left a list says nothing.
        early = self.list_of(owner, b"", 7)
        session.send(early)
        notice = self.sign(ExitNotice(owner.node_id, now()))
        session.send(Exit(notice))
        lists = [self.list_of(owner, notice.data, count) for count in range(3)]
        for one in lists:
            session.send(one)
        self.assertTrue(self.watched.wait(lambda: len(self.witness.holder_lists.get(owner.node_id, [])) == 2))
        self.assertEqual(self.witness.holder_lists[owner.node_id], [one.holders for one in lists[:2]])
        self.assertTrue(eventually(lambda: f"equivocation {owner.text[:10]}" in self.device.log()))
        # Who asks for the exit later has both with it, before the answer.
        other = self.welcomed(self.listed())
        other.send(ExitQuery(SALT, 1, FINGERPRINT, (), (owner.node_id,)))
        self.assertIsNotNone(
            other.wait(lambda: [a for a in other.all_of(ExitAnswer) if a.number == 1] or None)
        )
        self.assertEqual(
            [
                one
                for one in other.all_of(Holders)
                if HolderList.unpack(one.holders.data).owner == owner.node_id
            ],
            lists[:2],
        )
        self.assertIn(Exit(notice), other.heard)

    # ---- Versions

    def test_kinds_of_version_2_break_the_protocol_in_a_session_of_version_1(self) -> None:
        messages: list[Callable[[], Message]] = [
            lambda: State(self.state(1), False),
            lambda: ExitQuery(SALT, 1, FINGERPRINT),
            lambda: self.list_of(self.attacker, b"", 0),
        ]
        for make in messages:
            session = Session(
                self.attacker, self.device.node_id, self.device.endpoint, self.device.network, version=1
            )
            self.addCleanup(session.close)
            session.send(session.hello())
            self.assertIsNotNone(session.first_of(Hello))
            session.send(make())
            self.assert_cut_off(session, "no common protocol version")
            self.attacker = self.listed()

    def test_a_kind_under_the_number_of_another_version_breaks_the_protocol(self) -> None:
        swapped: list[tuple[int, Message]] = [(1, State(self.state(1), False)), (2, Get(1, 0, 1))]
        for header, message in swapped:
            session = self.welcomed()
            frames = encode(message, 50)
            session.send_frames([frames[0][:2] + bytes([header]) + frames[0][3:], *frames[1:]])
            self.assert_cut_off(session, "no common protocol version")
            self.attacker = self.listed()

    def test_what_has_no_use_here_is_ignored(self) -> None:
        """A comparison of version 1 is answered as ever; without a network key nobody can be expelled."""
        session = self.welcomed()
        session.send(digest_of_exits(SALT, [Identity.generate().node_id]))
        self.assertIsNotNone(session.first_of(Delta))
        stranger = Identity.generate()
        revocation = Revocation(stranger.node_id, self.witness.identity.node_id, 1, now())
        session.send(NetworkStatement(REVOCATION, self.sign(revocation, stranger)))
        self.assert_served(session)
        time.sleep(0.2)
        self.assertTrue(self.device.uses_seed_of(self.witness.identity))


if __name__ == "__main__":
    unittest.main()
