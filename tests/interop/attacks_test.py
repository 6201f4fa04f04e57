"""Attacks on a real node. Each says what the node did, and that an honest member is served beside it."""

from __future__ import annotations

import unittest

import devices
from attacked import Attacked
from devices import eventually
from peer.codec import (
    DELTA_WANTED,
    NACK_HELLO_FIRST,
    NACK_WRONG_NETWORK,
    Chunk,
    Delta,
    Digest,
    Exit,
    Get,
    Have,
    Hello,
    Message,
    Nack,
    Ping,
    Pong,
    ReceiptMessage,
)
from peer.comparison import digest_of_exits
from peer.identity import Identity, digest_of
from peer.member import LEASE_SECONDS, now
from peer.statements import (
    MOST_VERSION,
    REASON_EXIT,
    REASON_LEFT,
    ExitNotice,
    Lease,
    Receipt,
    SeedRecord,
)
from vectors_test import golden


class Attacks(Attacked):
    """Version 1 of the wire format."""

    # ---- Who one is

    def test_a_peer_that_is_not_listed_is_not_let_in(self) -> None:
        session = self.connected(Identity.generate())
        session.send(session.hello())
        self.assertTrue(session.is_closed_within())
        self.assertEqual(session.heard, [])

    def test_a_hello_of_another_network_is_refused(self) -> None:
        session = self.connected()
        session.send(session.hello(network=digest_of(b"another")))
        nack = session.first_of(Nack)
        assert nack
        self.assertEqual(nack.reason, NACK_WRONG_NETWORK)
        self.assertTrue(session.is_closed_within())
        self.assertEqual(session.all_of(Hello) + session.all_of(Have) + session.all_of(Digest), [])

    def test_a_hello_with_the_name_of_another_is_refused(self) -> None:
        session = self.connected()
        session.send(Hello(self.device.network, self.witness.identity.node_id))
        self.assertTrue(session.is_closed_within())
        self.assertTrue(eventually(lambda: "peer-dropped: bad identity" in self.device.log()))
        self.assertEqual(session.all_of(Hello), [])

    def test_who_does_not_say_hello_first_is_told_to(self) -> None:
        session = self.connected()
        session.send(Get(1, 0, 1))
        nack = session.first_of(Nack)
        assert nack
        self.assertEqual(nack.reason, NACK_HELLO_FIRST)
        self.assertEqual(session.all_of(Chunk), [])

    # ---- Signatures

    def test_a_forged_seed_is_refused(self) -> None:
        forger = Identity.generate()

        def forged_record() -> Have:
            record = SeedRecord.unpack(self.announcement(1, 1).record.data)
            return Have(self.sign(record, forger), self.announcement(1, 1).lease)

        def forged_lease() -> Have:
            lease = Lease(self.attacker.node_id, 1, 1, now() + LEASE_SECONDS)
            return Have(self.announcement(1, 1).record, self.sign(lease, forger))

        for forge in (forged_record, forged_lease):
            with self.subTest(forge.__name__):
                session = self.welcomed()
                session.send(forge())
                self.assert_cut_off(session, "bad signature")
                self.assertIsNone(self.device.seed_of(self.attacker))
                self.attacker = self.listed()

    def test_the_control_a_seed_that_is_rightly_signed_is_asked_for(self) -> None:
        session = self.welcomed()
        session.send(self.announcement(1, 1))
        self.assertEqual(session.first_of(Get), Get(1, 0, 1))
        self.assert_served(session)

    def test_a_seed_of_another_is_refused(self) -> None:
        session = self.welcomed()
        victim = self.witness.identity.node_id
        record = SeedRecord.describe(victim, 99, "linear", devices.table_seed(), now())
        session.send(Have(self.sign(record), self.sign(Lease(victim, 99, 99, now() + 60))))
        self.assert_cut_off(session, "malformed: seed record")

    def test_an_exit_that_its_owner_did_not_sign_is_refused(self) -> None:
        known = self.device.metric("exits_known")
        for owner in (self.witness.identity.node_id, self.device.node_id, Identity.generate().node_id):
            session = self.welcomed()
            session.send(Exit(self.sign(ExitNotice(owner, now()))))
            self.assert_cut_off(session, "bad signature: exit notice")
            self.attacker = self.listed()
        self.assertEqual(self.device.metric("exits_known"), known)

    # ---- Leases

    def test_an_old_lease_that_is_said_again_changes_nothing(self) -> None:
        session = self.welcomed()
        short, long = now() + 3_600, now() + 7_200
        session.send(self.announcement(1, 5, short))
        self.assertEqual(session.first_of(Get), Get(1, 0, 1))
        session.send(Chunk(1, 0, devices.table_seed()))
        self.assertTrue(eventually(lambda: self.device.uses_seed_of(self.attacker)))
        self.assertEqual(self.device.seed_of(self.attacker)["lease_until"], short)
        session.send(self.announcement(1, 6, long))
        self.assertTrue(eventually(lambda: self.device.seed_of(self.attacker)["lease_until"] == long))
        session.send(self.announcement(1, 5, short))
        session.send(self.announcement(1, 6, long + 3_600))
        self.assert_served(session)
        self.assertEqual(self.device.seed_of(self.attacker)["lease_until"], long)
        self.assertEqual(session.all_of(Get), [])

    # ---- Receipts

    def test_who_has_signed_that_it_left_is_served_nothing_any_more(self) -> None:
        session = self.welcomed()
        have = session.first_of(Have)
        assert have
        version = SeedRecord.unpack(have.record.data).version
        owner, holder = self.device.node_id, self.attacker.node_id
        session.send(ReceiptMessage(self.sign(Receipt(owner, holder, REASON_LEFT, version, now()))))
        session.send(Get(version, 0, 1))
        nack = session.first_of(Nack)
        self.assertIsNotNone(nack, str(session.heard))
        self.assertEqual(session.all_of(Chunk), [])
        self.assertEqual(self.device.log_entries("recipient", self.attacker.text), [])
        session.close()
        # Nor on the next connection.
        again = self.welcomed()
        again.send(Get(version, 0, 1))
        self.assertIsNotNone(again.first_of(Nack), str(again.heard))
        self.assertEqual(again.all_of(Have) + again.all_of(Chunk), [])
        # The control: another peer is served.
        other = self.welcomed(self.listed())
        other.send(Get(version, 0, 1))
        self.assertIsNotNone(other.first_of(Chunk), str(other.heard))

    def test_a_receipt_whose_owner_is_its_holder_breaks_the_protocol(self) -> None:
        session = self.welcomed()
        own = self.attacker.node_id
        session.send(ReceiptMessage(self.sign(Receipt(own, own, REASON_EXIT, 1, now()))))
        self.assert_cut_off(session, "malformed: receipt")
        self.assertEqual(self.device.log_entries("receipt", self.attacker.text), [])

    def test_a_receipt_in_the_name_of_another_is_refused(self) -> None:
        session = self.welcomed()
        owner, holder = self.device.node_id, self.witness.identity.node_id
        session.send(ReceiptMessage(self.sign(Receipt(owner, holder, REASON_EXIT, 1, now()))))
        self.assert_cut_off(session, "malformed: receipt")
        self.assertEqual(self.device.log_entries("receipt", self.witness.identity.text), [])

    # ---- Numbers

    def test_a_version_of_2_to_the_63_breaks_the_protocol(self) -> None:
        beyond = MOST_VERSION + 1
        for what in ("Have", "Get", "Chunk"):
            with self.subTest(what):
                session = self.welcomed()
                messages: dict[str, Message] = {
                    "Have": self.announcement(beyond, 1),
                    "Get": Get(beyond, 0, 1),
                    "Chunk": Chunk(beyond, 0, b"chunk"),
                }
                session.send(messages[what])
                self.assert_cut_off(session, "malformed")
                self.assertIsNone(self.device.seed_of(self.attacker))
                self.attacker = self.listed()

    def test_the_control_the_highest_version_is_asked_for(self) -> None:
        session = self.welcomed()
        session.send(self.announcement(MOST_VERSION, 1))
        self.assertEqual(session.first_of(Get), Get(MOST_VERSION, 0, 1))

    def test_a_sequence_number_that_goes_back_breaks_the_protocol(self) -> None:
        for what, sequence in {"lower": 4, "the same": 5, "zero": 0}.items():
            with self.subTest(what):
                session = self.welcomed()
                session.send(Ping(111), sequence=5)
                self.assertTrue(session.wait(lambda: Pong(111) in session.heard))
                session.send(Ping(222), sequence=sequence)
                self.assert_cut_off(session, "out of order")
                self.assertNotIn(Pong(222), session.heard)
                self.attacker = self.listed()

    # ---- What nobody asked for

    def test_a_chunk_that_nobody_asked_for_breaks_the_protocol(self) -> None:
        session = self.welcomed()
        session.send(Chunk(1, 0, devices.table_seed()))
        self.assert_cut_off(session, "unsolicited")
        # Neither may more come than was asked for.
        self.attacker = self.listed()
        session = self.welcomed()
        session.send(self.announcement(1, 1))
        self.assertEqual(session.first_of(Get), Get(1, 0, 1))
        session.send(Chunk(1, 1, devices.table_seed()))
        self.assert_cut_off(session, "unsolicited")
        self.assertFalse(self.device.uses_seed_of(self.attacker))

    def test_a_chunk_with_other_bytes_than_its_record_says_is_not_taken(self) -> None:
        session = self.welcomed()
        session.send(self.announcement(1, 1))
        self.assertEqual(session.first_of(Get), Get(1, 0, 1))
        payload = devices.table_seed()
        session.send(Chunk(1, 0, payload[:-1] + bytes([payload[-1] ^ 1])))
        self.assert_cut_off(session, "digest mismatch")
        self.assertFalse(self.device.uses_seed_of(self.attacker))

    def test_everything_that_breaks_the_format_ends_the_connection(self) -> None:
        for stated in golden("refused.json")["messages"]:
            with self.subTest(stated["what"]):
                session = self.welcomed()
                session.send_frames([bytes.fromhex(frame) for frame in stated["frames"]])
                self.assert_cut_off(session, "")
                self.attacker = self.listed()

    # ---- Floods

    def test_a_thousand_hellos_cut_off_who_says_them_and_nobody_else(self) -> None:
        session = self.connected()
        for _ in range(1_000):
            session.send(session.hello())
        for token in range(1_000_000, 1_000_020):
            self.assertTrue(self.watched.answers(token), "the witness waits for the flood")
        self.assert_cut_off(session, "too much at once")
        self.assertLess(len(session.all_of(Hello)), 1_000)

    # ---- Exits of strangers

    def test_the_exit_of_a_stranger_is_kept_and_passed_on_and_harms_nobody(self) -> None:
        stranger = Identity.generate()
        notice = self.sign(ExitNotice(stranger.node_id, now()), stranger)
        known = self.device.metric("exits_known")
        session = self.welcomed()
        for _ in range(3):
            session.send(Exit(notice))
        self.assertTrue(self.watched.wait(lambda: self.witness.exits.get(stranger.node_id) == notice))
        self.assert_served(session)
        self.assertEqual(self.device.metric("exits_known"), known + 1)
        self.assertEqual(len(self.device.log_entries("tombstone", stranger.text)), 1)
        # Somebody who asks for it gets the bytes that the stranger signed.
        other = self.welcomed(self.listed())
        other.send(digest_of_exits(b"s" * 16, []))
        delta = other.wait(lambda: next((d for d in other.all_of(Delta) if stranger.node_id in d.ids), None))
        assert delta
        other.send(Delta(delta.salt, DELTA_WANTED, True, 0, (stranger.node_id,)))
        self.assertTrue(other.wait(lambda: Exit(notice) in other.heard), str(other.heard))


if __name__ == "__main__":
    unittest.main()
