"""A peer of the second implementation lives with a real node: gives, takes, leaves, and is left."""

from __future__ import annotations

import copy
import json
import unittest
from typing import Any

import devices
from devices import CLASSES, Device, eventually
from peer import certificate, models, networks, seeds, statements
from peer.codec import DELTA_KNOWN, Delta, Exit, Hello, Nack, ReceiptMessage
from peer.errors import Malformed
from peer.identity import Identity, id_from_text, text_of
from peer.member import Member
from peer.session import Session
from peer.statements import REASON_EXIT, REASON_LEFT, Receipt


def member_of(device: Device, reference: networks.ReferenceSet) -> Member:
    return Member(Identity.generate(), device.network, reference.shape, len(CLASSES))


def accuracy(taken: Any, shape: networks.Shape, examples: list[list[float]], labels: list[int]) -> float:
    """Returns how often a seed is right about examples as models see them."""
    architecture = seeds.parse_architecture(taken.record.architecture)
    tensors = seeds.check_seed(taken.record.architecture, shape, len(CLASSES), taken.payload)
    right = sum(
        models.class_of(models.logits_of(architecture, tensors, shape, example)) == label
        for example, label in zip(examples, labels)
    )
    return right / len(examples)


class Life(unittest.TestCase):
    def device(self, **options: Any) -> tuple[Device, networks.ReferenceSet, list[int]]:
        device = devices.table_device(**options)
        self.addCleanup(device.end)
        reference, labels = devices.table_of(device)
        return device, reference, [CLASSES.index(label) for label in labels]

    def joined(self, device: Device, member: Member, **options: Any) -> Session:
        session = member.join(device.node_id, device.endpoint, **options)
        self.addCleanup(session.close)
        return session

    def befriended(self, device: Device, member: Member) -> Session:
        """A member that the node lists, in a session."""
        device.ask("peers", "add", member.identity.text)
        return self.joined(device, member)

    def take(self, device: Device, member: Member, session: Session) -> Any:
        """Waits until the member has the node's seed."""
        node = device.node_id
        found = session.wait(lambda: node in member.taken and member.taken[node].complete)
        self.assertTrue(found, f"{session.problems} {session.heard}")
        return member.taken[node]

    def test_a_peer_gives_a_seed_takes_one_leaves_and_has_its_receipt(self) -> None:
        device, reference, labels = self.device()
        self.assertEqual(networks.network_id_of(devices.NETWORK, CLASSES, reference), device.network)
        member = member_of(device, reference)
        session = self.befriended(device, member)

        taken = self.take(device, member, session)
        self.assertEqual(taken.record.architecture, "mlp:32")
        self.assertGreater(accuracy(taken, reference.shape, reference.rows()[:200], labels), 0.9)

        member.offer(session, "linear", devices.table_seed(), 1)
        self.assertTrue(
            eventually(lambda: device.uses_seed_of(member.identity)), str(device.status()["seeds"])
        )
        rows = device.folder / "rows.csv"
        rows.write_text("x,y\n-1,-100\n1,-100\n-1,100\n1,100\n")
        predicted = device.ask("predict", str(rows))
        self.assertEqual([CLASSES[label] for label in predicted["labels"]], list(CLASSES))
        self.assertEqual([one["owner"] for one in predicted["participants"]], [member.identity.text])
        self.assertIn(device.node_id, member.recipients)
        self.assertEqual(device.log_entries("recipient")[0]["subject"], member.identity.text)

        member.leave(session)
        self.assertTrue(session.wait(lambda: device.node_id in member.receipts), str(session.problems))
        receipt = member.receipts[device.node_id]
        self.assertEqual((receipt.reason, receipt.erased_version), (REASON_EXIT, 1))
        self.assertIsNone(device.seed_of(member.identity))
        for kind in ("receipt", "tombstone", "seed_erased"):
            self.assertEqual([e["subject"] for e in device.log_entries(kind)], [member.identity.text], kind)
        self.assertEqual(session.problems, [])
        session.close()

        self.returns_after_its_exit(device, member)

    def returns_after_its_exit(self, device: Device, member: Member) -> None:
        """A copy of an identity that has left is shown its notice, and the receipt."""
        again = Session(member.identity, device.node_id, device.endpoint, device.network)
        self.addCleanup(again.close)
        again.send(again.hello())
        exit_message = again.first_of(Exit)
        assert exit_message
        self.assertEqual(exit_message.notice, member.exits[member.identity.node_id])
        receipt = again.first_of(ReceiptMessage)
        assert receipt
        opened = statements.opened(Receipt, receipt.receipt, device.network)
        self.assertEqual((opened.owner, opened.reason), (member.identity.node_id, REASON_EXIT))

    def test_a_node_leaves_and_its_certificate_is_complete(self) -> None:
        device, reference, _ = self.device()
        member = member_of(device, reference)
        member.signs_receipts = False
        session = self.befriended(device, member)
        version = self.take(device, member, session).record.version
        member.offer(session, "linear", devices.table_seed(), 7)
        self.assertTrue(eventually(lambda: device.uses_seed_of(member.identity)))

        device.ask("exit", "--yes")
        self.assertTrue(session.wait(lambda: device.node_id in member.receipts), str(session.problems))
        left = member.receipts[device.node_id]
        self.assertEqual((left.reason, left.erased_version), (REASON_LEFT, 7))
        self.assertTrue(session.wait(lambda: device.node_id in member.exits))
        self.assertNotIn(device.node_id, member.taken)
        stated = device.ask("certificate")
        self.assertEqual([holder["status"] for holder in stated["holders"]], ["missing"])
        self.assertFalse(certificate.verify(stated))

        # The node repeats its notice until the receipt came; so a receipt that is late is one that counts.
        member.signs_receipts = True
        member.say_receipt(session, device.node_id, REASON_EXIT, version)
        self.assertEqual(device.wait(), 0)
        self.assertEqual(session.problems, [])
        self.check_certificate(device, member)

    def check_certificate(self, device: Device, member: Member) -> None:
        stated = device.ask("certificate")
        self.assertEqual(id_from_text(stated["owner"]), device.node_id)
        self.assertEqual([holder["node"] for holder in stated["holders"]], [member.identity.text])
        self.assertTrue(certificate.verify(stated))
        file = device.folder / "certificate.json"
        file.write_text(json.dumps(stated))
        self.assertEqual(device.ctl("verify", "--complete", str(file)).returncode, 0)
        for what, forged in forgeries(stated).items():
            with self.subTest(what):
                with self.assertRaises(Malformed):
                    certificate.verify(forged)
                file.write_text(json.dumps(forged))
                self.assertEqual(device.ctl("verify", str(file)).returncode, 4)
        sealed = json.loads((device.folder / "exit.sealed").read_text())
        self.assertEqual(certificate.verify_sealed_exit(sealed), device.node_id)

    def test_seeds_of_images_are_read_as_the_node_means_them(self) -> None:
        for architecture in ("cnn:4x8+12", "resnet:4x10+1"):
            with self.subTest(architecture):
                device, labels = devices.image_device(architecture)
                self.addCleanup(device.end)
                reference = networks.read_images((device.folder / "reference-images").read_bytes())
                self.assertEqual(networks.network_id_of(devices.NETWORK, CLASSES, reference), device.network)
                member = member_of(device, reference)
                session = self.befriended(device, member)
                taken = self.take(device, member, session)
                self.assertEqual(taken.record.architecture, architecture)
                rows = reference.rows()[:60]
                self.assertGreater(accuracy(taken, reference.shape, rows, labels), 0.9)
                # The control: turned upside down, every image is of another class.
                turned = [row[::-1] for row in rows]
                self.assertLess(accuracy(taken, reference.shape, turned, labels), 0.1)

    def test_a_seed_in_many_chunks_goes_both_ways(self) -> None:
        device, reference, labels = self.device(seed="mlp:128x64")
        member = member_of(device, reference)
        session = self.befriended(device, member)
        taken = self.take(device, member, session)
        self.assertGreater(len(taken.record.chunk_hashes), 1)
        self.assertGreater(accuracy(taken, reference.shape, reference.rows()[:200], labels), 0.9)
        member.offer(session, taken.record.architecture, taken.payload, 1)
        self.assertTrue(
            eventually(lambda: device.uses_seed_of(member.identity)), str(device.status()["seeds"])
        )
        self.assertEqual(device.seed_of(member.identity)["bytes"], len(taken.payload))
        self.assertEqual(session.problems, [])

    def test_in_a_network_with_a_key_a_membership_opens_the_door(self) -> None:
        key, folder = network_key()
        self.addCleanup(folder.end)
        network = ("--network-key", str(folder.folder / "fleet.key"), "--members", "exchange")
        device, reference, _ = self.device(network=network)
        expected = networks.network_id_of(key.text, CLASSES, reference, is_key=True)
        self.assertEqual(expected, device.network)
        member = member_of(device, reference)
        signed = statements.sign(key, device.network, statements.Membership(member.identity.node_id))
        session = self.joined(device, member, membership=signed)
        self.take(device, member, session)
        member.offer(session, "linear", devices.table_seed(), 1)
        self.assertTrue(eventually(lambda: device.uses_seed_of(member.identity)))
        member.leave(session)
        self.assertTrue(session.wait(lambda: device.node_id in member.receipts))

        for what, wrong in {
            "no membership": statements.Signed(),
            "a membership signed by itself": statements.sign(
                member.identity, device.network, statements.Membership(member.identity.node_id)
            ),
            "the membership of another": signed,
        }.items():
            with self.subTest(what):
                stranger = Session(
                    Identity.generate(), device.node_id, device.endpoint, device.network, membership=wrong
                )
                self.addCleanup(stranger.close)
                stranger.send(stranger.hello())
                self.assertTrue(stranger.is_closed_within())
                self.assertEqual(stranger.all_of(Hello), [])

    def test_exits_are_compared_with_who_was_away(self) -> None:
        device, reference, _ = self.device()
        leaver, witness = member_of(device, reference), member_of(device, reference)
        leaving = self.befriended(device, leaver)
        leaver.leave(leaving)
        self.assertTrue(leaving.wait(lambda: device.node_id in leaver.receipts))
        # The witness comes later, and asks for what it lacks; a stranger's exit that it knows goes the other way.
        stranger = Identity.generate()
        notice = statements.ExitNotice(stranger.node_id, 1)
        witness.exits[stranger.node_id] = statements.sign(stranger, device.network, notice)
        session = self.befriended(device, witness)
        self.assertTrue(session.wait(lambda: leaver.identity.node_id in witness.exits), str(session.heard))
        self.assertEqual(witness.exits[leaver.identity.node_id], leaver.exits[leaver.identity.node_id])
        self.assertTrue(eventually(lambda: device.metric("exits_known") == 2))
        self.assertTrue([delta for delta in session.all_of(Delta) if delta.part == DELTA_KNOWN])
        self.assertEqual(session.all_of(Nack), [])
        self.assertEqual(session.problems, [])

    def test_the_sealed_exit_of_a_lost_device_reaches_its_peers(self) -> None:
        device, reference, _ = self.device()
        lost, _, _ = self.device(start=False)
        member = member_of(device, reference)
        session = self.befriended(device, member)
        file = lost.folder / "exit.sealed"
        sealed = json.loads(file.read_text())
        self.assertEqual(certificate.verify_sealed_exit(sealed), lost.node_id)
        device.ask("exit", "--yes", "--sealed", str(file), "--output", str(device.folder / "lost.json"))
        self.assertTrue(session.wait(lambda: lost.node_id in member.exits))
        self.assertEqual(member.exits[lost.node_id].data.hex(), sealed["notice"]["bytes"])
        stated = json.loads((device.folder / "lost.json").read_text())
        self.assertEqual((stated["owner"], stated["holders"]), (text_of(lost.node_id), "unknown"))
        self.assertFalse(certificate.verify(stated))
        with self.assertRaises(Malformed):
            certificate.verify({**stated, "complete": True})


def network_key() -> tuple[Identity, Device]:
    """Makes the key of a network: its identity, and a device without a process in whose folder it lies."""
    holder = Device()
    holder.ask("network-key", str(holder.folder / "fleet.key"))
    lines = dict(line.split(" ", 1) for line in (holder.folder / "fleet.key").read_text().splitlines())
    return Identity.from_seed(bytes.fromhex(lines["secret"])), holder


def forgeries(stated: Any) -> dict[str, Any]:
    """Certificates that say something else than what was signed."""

    def changed(change: Any) -> Any:
        forged = copy.deepcopy(stated)
        change(forged)
        return forged

    def other_byte(signed: Any, key: str) -> None:
        signed[key] = ("00" if signed[key][:2] != "00" else "01") + signed[key][2:]

    def twice(forged: Any) -> None:
        forged["holders"].append(forged["holders"][0])

    other = Identity.generate().text
    return {
        "another owner": changed(lambda c: c.update(owner=other)),
        "another network": changed(lambda c: c.update(network="00" * 32)),
        "another signature of the notice": changed(lambda c: other_byte(c["notice"], "signature")),
        "another receipt": changed(lambda c: other_byte(c["holders"][0]["receipt"], "signature")),
        "another holder": changed(lambda c: c["holders"][0].update(node=other)),
        "another reason": changed(lambda c: c["holders"][0].update(status="left")),
        "missing, and yet complete": changed(lambda c: c["holders"][0].update(status="missing")),
        "a holder twice": changed(twice),
        "not complete": changed(lambda c: c.update(complete=False)),
    }


if __name__ == "__main__":
    unittest.main()
