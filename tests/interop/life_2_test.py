"""A peer of the second implementation lives with a real node in version 2: states, comparison by ranges, lists."""

from __future__ import annotations

import copy
import json
import unittest
from typing import Any

import devices
from devices import CLASSES, eventually
from life_test import forgeries
from peer import certificate
from peer.codec import Delta, Digest, Exit, ReceiptMessage
from peer.errors import Malformed
from peer.identity import Identity, digest_of
from peer.member import Member, now
from peer.messages_2 import ExitAnswer, State
from peer.ranges import ExitSet
from peer.session import Session
from peer.statements import (
    REASON_EXIT,
    REASON_LEFT,
    ExitNotice,
    HolderList,
    NodeState,
    ReceiptWithAsked,
    Signed,
    opened,
    sign,
)

STRANGERS = 60


class LifeInVersion2(unittest.TestCase):
    def setUp(self) -> None:
        self.device = devices.table_device()
        self.addCleanup(self.device.end)
        reference, _ = devices.table_of(self.device)
        self.shape = reference.shape

    def member(self, identity: Identity | None = None) -> Member:
        """A member that the node lists."""
        member = Member(identity or Identity.generate(), self.device.network, self.shape, len(CLASSES))
        self.device.ask("peers", "add", member.identity.text)
        return member

    def joined(self, member: Member, version: int = 2) -> Session:
        session = member.join(self.device.node_id, self.device.endpoint, version=version)
        self.addCleanup(session.close)
        return session

    def holder(self, version: int = 2) -> tuple[Member, Session]:
        """A member that holds the node's seed."""
        member = self.member()
        session = self.joined(member, version)
        node = self.device.node_id
        found = session.wait(lambda: node in member.taken and member.taken[node].complete)
        self.assertTrue(found, f"{session.problems} {session.heard}")
        return member, session

    def state_of(self, session: Session) -> NodeState:
        """The newest state that the node has said in a session."""
        return NodeState.unpack(session.all_of(State)[-1].state.data)

    # ---- Giving, taking, leaving

    def test_a_member_gives_a_seed_takes_one_leaves_and_has_its_receipt(self) -> None:
        device, node = self.device, self.device.node_id
        watcher, watched = self.holder()
        member, session = self.holder()
        self.assertEqual(session.spoken, 2)
        member.offer(session, "linear", devices.table_seed(), 1)
        self.assertTrue(
            eventually(lambda: device.uses_seed_of(member.identity)), str(device.status()["seeds"])
        )

        # Each keeps the newest state of the other, and shows it: the node's is that of its first start.
        self.assertTrue(session.wait(lambda: any(one.shown for one in session.all_of(State))))
        self.assertEqual([s.shown for s in session.all_of(State) if s.shown], [member.states.own])
        first = self.state_of(session)
        self.assertEqual((first.node, first.start_before), (node, bytes(16)))
        self.assertFalse(session.all_of(State)[0].restored)

        member.leave(session)
        self.assertTrue(session.wait(lambda: node in member.receipts), str(session.problems))
        receipt = member.receipts[node]
        assert isinstance(receipt, ReceiptWithAsked)
        self.assertEqual((receipt.reason, receipt.erased_version, receipt.asked_version), (REASON_EXIT, 1, 1))
        self.assertIsNone(device.seed_of(member.identity))
        self.assertEqual(session.problems, [])
        # The state that counts the exit came before the receipt, to all neighbours.
        kinds = [type(one) for one in session.heard]
        self.assertGreater(self.state_of(session).number, first.number)
        self.assertLess(len(kinds) - kinds[::-1].index(State), kinds.index(ReceiptMessage) + 1)
        self.assertTrue(watched.wait(lambda: self.state_of(watched).number > first.number))
        # The other neighbour is told of the exit, and of the list that the leaver signed.
        own = member.identity.node_id
        self.assertTrue(watched.wait(lambda: own in watcher.holder_lists), str(watched.heard))
        self.assertEqual(watcher.exits[own], member.exits[own])
        self.assertEqual(watcher.holder_lists[own], member.holder_lists[own])
        listed = opened(HolderList, watcher.holder_lists[own][0], device.network)
        self.assertEqual((listed.notice, listed.count), (digest_of(member.exits[own].data), 1))
        session.close()
        self.a_member_that_forgot_its_state_is_shown_it(watcher, watched)
        self.exits_are_compared_in_both_directions()

    def a_member_that_forgot_its_state_is_shown_it(self, watcher: Member, watched: Session) -> None:
        before = watcher.states.own
        watched.close()
        forgetful = Member(watcher.identity, self.device.network, self.shape, len(CLASSES))
        session = self.joined(forgetful)
        self.assertTrue(session.wait(lambda: forgetful.states.restored), str(session.heard))
        self.assertIn(before, [one.shown for one in session.all_of(State)])
        self.assertEqual(forgetful.states.kept[self.device.node_id], session.all_of(State)[-1].state)
        self.assertGreater(forgetful.states.number, NodeState.unpack(before.data).number)
        self.assertEqual(session.problems, [])

    def exits_are_compared_in_both_directions(self) -> None:
        device = self.device
        known = int(device.metric("exits_known"))
        strangers = [Identity.generate() for _ in range(STRANGERS)]
        notices = {
            one.node_id: sign(one, device.network, ExitNotice(one.node_id, now())) for one in strangers
        }
        giver, taker = self.member(), self.member()
        giver.exits.update(notices)
        giving = self.joined(giver)
        self.assertTrue(eventually(lambda: device.metric("exits_known") == known + STRANGERS), device.log())
        self.assertTrue(giving.wait(lambda: len(giver.exits) == known + STRANGERS))
        # Who knows half of them asks for the other half.
        taker.exits.update(list(notices.items())[: STRANGERS // 2])
        taking = self.joined(taker)
        self.assertTrue(taking.wait(lambda: taker.exits.keys() == giver.exits.keys()), str(taking.problems))
        self.assertGreaterEqual(len(taking.all_of(Exit)), known + STRANGERS // 2)
        for session in (giving, taking):
            self.assertEqual(session.all_of(Digest) + session.all_of(Delta), [])
            self.assertEqual(session.problems, [])
        # Then both are of one mind, and say so.
        search = taker.talk(taking).search
        expected = ExitSet(taker.exits).fingerprint(search.salt)
        taker.search(taking)
        self.assertTrue(taking.wait(lambda: taking.all_of(ExitAnswer)[-1].fingerprint == expected))
        self.assertEqual(search.known_there, known + STRANGERS)

    # ---- The certificate

    def served_without_a_record(self) -> tuple[Member, Session, int]:
        """A member that was served, as the node has to take it, and that signs what the test says."""
        member, session = self.holder()
        member.signs_receipts = False
        return member, session, member.taken[self.device.node_id].record.version

    def test_a_node_leaves_and_its_certificate_says_who_signed_what(self) -> None:
        device, node = self.device, self.device.node_id
        honest, _ = self.holder()
        left, leaving = self.holder()
        left.leave(leaving)
        self.assertTrue(leaving.wait(lambda: node in left.receipts))
        doubtful, doubting, version = self.served_without_a_record()
        # In version 1 a node takes a receipt with the reason left of who has not left; it counts for nothing.
        early, hurrying = self.holder(version=1)
        early.signs_receipts = False
        early.say_receipt(hurrying, node, REASON_LEFT, version)
        self.assertTrue(hurrying.answers(1))

        device.ask("exit", "--yes")
        self.assertTrue(doubting.wait(lambda: node in doubtful.exits), str(doubting.heard))
        says_less = ReceiptWithAsked(node, doubtful.identity.node_id, REASON_EXIT, 0, version - 1, now())
        doubting.send(ReceiptMessage(sign(doubtful.identity, device.network, says_less)))
        self.assertTrue(eventually(lambda: device.log_entries("receipt", doubtful.identity.text)))
        stated = device.ask("certificate")
        statuses = {holder["node"]: holder["status"] for holder in stated["holders"]}
        expected = {honest: "erased", left: "left", doubtful: "doubtful", early: "missing"}
        self.assertEqual(statuses, {member.identity.text: status for member, status in expected.items()})
        self.assertFalse(certificate.verify(stated))

        # Whom it told gets its list, too, and it is the one in the certificate.
        self.assertTrue(doubting.wait(lambda: node in doubtful.holder_lists))
        signed = certificate.signed_of(stated["list"])
        self.assertEqual(doubtful.holder_lists[node], [signed])
        self.assertFalse(opened(HolderList, signed, device.network).restored)
        self.check(stated, complete=False, forged=self.forged_lists(stated))

        # It waits for whoever only said that it left. Then all have signed, and one of them what is doubtful.
        self.assertFalse(device.status()["exit"]["complete"])
        early.say_receipt(hurrying, node, REASON_EXIT, version)
        statuses[early.identity.text] = "erased"
        self.assertEqual(device.wait(), 0)
        stated = device.ask("certificate")
        self.assertEqual({one["node"]: one["status"] for one in stated["holders"]}, statuses)
        self.check(stated, complete=False, forged={})

    def test_a_complete_certificate_can_neither_be_shortened_nor_doubled(self) -> None:
        device = self.device
        first, _ = self.holder()
        self.holder()
        device.ask("exit", "--yes")
        self.assertTrue(eventually(lambda: device.ask("certificate")["complete"]))
        stated = device.ask("certificate")
        self.assertTrue(certificate.verify(stated))
        self.check(stated, complete=True, forged={**self.forged_lists(stated), **forgeries(stated)})
        self.two_lists_contradict_each_other(stated)

    def forged_lists(self, stated: Any) -> dict[str, Any]:
        """Certificates whose list is not that of their holders and their notice."""
        stranger = Identity.generate()

        def changed(change: Any) -> Any:
            forged = copy.deepcopy(stated)
            change(forged)
            return forged

        def relist(signer: Identity, **fields: Any) -> Any:
            listed = opened(HolderList, certificate.signed_of(stated["list"]), self.device.network)
            again = HolderList(**{**vars(listed), **fields})
            return stated_of(sign(signer, self.device.network, again))

        another_notice = ExitNotice(self.device.node_id, 1)
        return {
            "a holder is removed": changed(lambda c: c["holders"].pop()),
            "a holder is added": changed(
                lambda c: c["holders"].append({**c["holders"][0], "node": stranger.text, "status": "missing"})
            ),
            "another served version": changed(lambda c: c["holders"][0].update(served_version=99)),
            "another end of a lease": changed(
                lambda c: c["holders"][0].update(last_lease_until="2030-01-01T00:00:00Z")
            ),
            "no list, and yet complete": changed(lambda c: c.update(list=None, complete=True)),
            "a list that another signed": changed(lambda c: c.update(list=relist(stranger))),
            "a list of another notice": changed(
                lambda c: c.update(list=relist(self.key(), notice=digest_of(another_notice.pack())))
            ),
            "a list of fewer holders": changed(lambda c: c.update(list=relist(self.key(), count=0))),
        }

    def key(self) -> Identity:
        """The node's own key: an owner who cheats."""
        lines = dict(line.split(" ", 1) for line in self.key_lines() if " " in line)
        identity = Identity.from_seed(bytes.fromhex(lines["secret"]))
        self.assertEqual(identity.node_id, self.device.node_id)
        return identity

    def key_lines(self) -> list[str]:
        return (self.device.folder / "data" / "identity").read_text().splitlines()

    def check(self, stated: Any, complete: bool, forged: dict[str, Any]) -> None:
        """Both verifiers take the certificate, and refuse the forged ones."""
        file = self.device.folder / "certificate.json"
        file.write_text(json.dumps(stated))
        self.assertEqual(self.device.ctl("verify", str(file)).returncode, 0)
        self.assertEqual(self.device.ctl("verify", "--complete", str(file)).returncode, 0 if complete else 5)
        for what, other in forged.items():
            with self.subTest(what):
                with self.assertRaises(Malformed):
                    certificate.verify(other)
                file.write_text(json.dumps(other))
                self.assertEqual(self.device.ctl("verify", str(file)).returncode, 4)

    def two_lists_contradict_each_other(self, stated: Any) -> None:
        """An owner who signs a second list, of fewer holders, has two certificates that are right by themselves."""
        shorter = copy.deepcopy(stated)
        shorter["holders"].pop()
        listed = opened(HolderList, certificate.signed_of(stated["list"]), self.device.network)
        digest = certificate.digest_of_holders(shorter["holders"])
        fewer = HolderList(listed.owner, listed.notice, 1, digest, listed.restored)
        shorter["list"] = stated_of(sign(self.key(), self.device.network, fewer))
        self.assertTrue(certificate.verify(shorter))
        files = [self.device.folder / name for name in ("longer.json", "shorter.json")]
        for file, one in zip(files, (stated, shorter)):
            file.write_text(json.dumps(one))
            self.assertEqual(self.device.ctl("verify", str(file)).returncode, 0)
        self.assertEqual(self.device.ctl("verify", str(files[0]), str(files[1])).returncode, 4)
        self.assertEqual(self.device.ctl("verify", str(files[0]), str(files[0])).returncode, 0)
        self.assertTrue(certificate.contradict(stated, shorter))
        self.assertFalse(certificate.contradict(stated, stated))


def stated_of(signed: Signed) -> dict[str, str]:
    return {"bytes": signed.data.hex(), "signature": signed.signature.hex()}


if __name__ == "__main__":
    unittest.main()
