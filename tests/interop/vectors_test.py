"""The second implementation makes every vector of tests/golden, and refuses what they say must be refused."""

from __future__ import annotations

import json
import math
import unittest
from pathlib import Path
from typing import Any

from peer import codec, comparison, messages_2, models, networks, ranges, seeds, statements
from peer.errors import Malformed
from peer.fields import pack
from peer.floats import pack_floats, unpack_floats
from peer.identity import Identity, curve_key_of, digest_of, id_from_text, text_of

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text())


class WireVectors(unittest.TestCase):
    """tests/golden/wire.json"""

    def setUp(self) -> None:
        self.wire = golden("wire.json")
        self.owner = Identity.from_seed(bytes.fromhex(self.wire["identity"]["secret_seed"]))
        self.holder = Identity.from_seed(bytes.fromhex(self.wire["holder"]["secret_seed"]))
        self.network = bytes.fromhex(self.wire["network_id"])

    def test_keys_follow_from_the_secret_seed(self) -> None:
        stated = self.wire["identity"]
        self.assertEqual(self.owner.node_id.hex(), stated["node_id"])
        self.assertEqual(self.owner.text, stated["node_id_text"])
        self.assertEqual(id_from_text(stated["node_id_text"]), self.owner.node_id)
        self.assertEqual(curve_key_of(self.owner.node_id).hex(), stated["curve_public_key"])
        self.assertEqual(self.owner.curve_secret_key.hex(), stated["curve_secret_key"])
        self.assertEqual(self.holder.node_id.hex(), self.wire["holder"]["node_id"])

    def test_a_text_with_one_other_letter_is_no_id(self) -> None:
        text = self.owner.text
        for place in range(len(text)):
            other = "a" if text[place] != "a" else "b"
            with self.assertRaises(Malformed):
                id_from_text(text[:place] + other + text[place + 1 :])

    def test_network_ids_are_made(self) -> None:
        for network in self.wire["networks"]:
            fields: list[Any] = [
                "unlearnd network 1",
                network["name"],
                network["input_shape"],
                network["classes"],
            ]
            fields += [network["preprocessing"], bytes.fromhex(network["reference_set"])]
            if "columns" in network:
                fields.append([[1, network["columns"]]])
            self.assertEqual(digest_of(pack(fields)).hex(), network["id"])

    def test_statements_are_read_made_again_and_signed_alike(self) -> None:
        kinds = {
            "seed_record": (statements.SeedRecord, self.owner),
            "lease": (statements.Lease, self.owner),
            "membership": (statements.Membership, self.holder),
            "exit_notice": (statements.ExitNotice, self.owner),
            "receipt": (statements.Receipt, self.holder),
            "receipt_2": (statements.ReceiptWithAsked, self.holder),
            "holder_list": (statements.HolderList, self.owner),
            "state": (statements.NodeState, self.owner),
            "membership_2": (statements.MembershipWithEnd, self.holder),
            "revocation": (statements.Revocation, self.holder),
            "succession": (statements.Succession, self.holder),
        }
        self.assertEqual(set(kinds), set(self.wire["statements"]))
        for name, (kind, signer) in kinds.items():
            with self.subTest(name):
                stated = self.wire["statements"][name]
                signed = statements.Signed(bytes.fromhex(stated["bytes"]), bytes.fromhex(stated["signature"]))
                opened = statements.opened(kind, signed, self.network, network_key=self.holder.node_id)
                self.assertEqual(statements.sign(signer, self.network, opened), signed)
                for other in (
                    statements.Signed(signed.data, bytes([signed.signature[0] ^ 1]) + signed.signature[1:]),
                    statements.Signed(signed.data[:-1] + bytes([signed.data[-1] ^ 1]), signed.signature),
                ):
                    with self.assertRaises(Malformed):
                        statements.opened(kind, other, self.network, network_key=self.holder.node_id)
                with self.assertRaises(Malformed):
                    statements.opened(kind, signed, digest_of(b"another network"), self.holder.node_id)

    def test_the_record_of_the_golden_payload_is_the_golden_record(self) -> None:
        stated = self.wire["statements"]["seed_record"]
        record = statements.SeedRecord.describe(
            self.owner.node_id, 3, "mlp:32", b"\xab" * 20_000, 1_700_000_000
        )
        self.assertEqual(record.pack().hex(), stated["bytes"])

    def test_messages_are_read_and_made_again(self) -> None:
        names = {
            "hello": codec.Hello,
            "bye": codec.Bye,
            "ping": codec.Ping,
            "pong": codec.Pong,
            "have": codec.Have,
            "get": codec.Get,
            "chunk": codec.Chunk,
            "nack": codec.Nack,
            "exit": codec.Exit,
            "receipt": codec.ReceiptMessage,
            "digest": codec.Digest,
            "delta": codec.Delta,
            "state": messages_2.State,
            "holders": messages_2.Holders,
            "exit-query": messages_2.ExitQuery,
            "exit-answer": messages_2.ExitAnswer,
            "network-statement": messages_2.NetworkStatement,
            "network-digest": messages_2.NetworkDigest,
        }
        for stated in self.wire["messages"]:
            with self.subTest(stated["kind"]):
                frames = [bytes.fromhex(frame) for frame in stated["frames"]]
                sequence, message = codec.decode(frames, codec.VERSION_2)
                self.assertIsInstance(message, names[stated["kind"]])
                self.assertEqual(sequence, stated["sequence"])
                self.assertEqual(codec.encode(message, sequence), frames)
                if message.KIND >= messages_2.State.KIND:
                    with self.assertRaises(Malformed):
                        codec.decode(frames, codec.VERSION)
        self.assertEqual({stated["kind"] for stated in self.wire["messages"]}, set(names))

    def message(self, kind: str) -> codec.Message:
        stated = next(stated for stated in self.wire["messages"] if stated["kind"] == kind)
        return codec.decode([bytes.fromhex(frame) for frame in stated["frames"]], codec.VERSION_2)[1]

    def test_the_golden_set_of_exits_has_these_hashes_and_gives_the_golden_answer(self) -> None:
        stated = self.wire["exit_set"]
        salt, known = bytes.fromhex(stated["salt"]), ranges.ExitSet(map(bytes.fromhex, stated["ids"]))
        self.assertEqual(known.digest().hex(), stated["digest"])
        self.assertEqual(known.fingerprint(salt).hex(), stated["fingerprint"])
        query, answer = self.message("exit-query"), self.message("exit-answer")
        assert isinstance(query, messages_2.ExitQuery) and isinstance(answer, messages_2.ExitAnswer)
        self.assertEqual((query.salt, query.fingerprint), (salt, known.fingerprint(salt)))
        self.assertEqual((answer.number, answer.exits), (query.number, len(known)))
        self.assertEqual(answer.fingerprint, known.fingerprint(salt))
        # The golden answer is about all and about the ids that begin with 0, which no single query may ask for.
        self.assertEqual(known.answer(salt, [ranges.ALL, (0,)]), answer.answers)
        self.assertEqual(len(known.within((0,))), 1)
        queries: list[list[ranges.Range]] = [[(0,)], [(1,), (2,)], [(0, 4), (15,)], [(0,) * 64]]
        for asked in queries:
            read = ranges.read_answer(asked, known.answer(salt, asked))
            self.assertEqual(
                [list(one.ids) for one in read], [known.within(half_bytes) for half_bytes in asked]
            )

    def test_ranges_and_answers_that_break_the_rules_are_refused(self) -> None:
        for what, packed in {
            "overlapping": ranges.pack_ranges([(1,), (1, 2)]),
            "the same twice": ranges.pack_ranges([(1,), (1,)]),
            "falling": ranges.pack_ranges([(2,), (1,)]),
            "padding": b"\1\x11",
            "65 half-bytes": ranges.pack_ranges([(0,) * 65]),
            "cut short": ranges.pack_ranges([(1, 2, 3)])[:-1],
            "61 ranges": ranges.pack_ranges([(at // 16, at % 16) for at in range(61)]),
        }.items():
            with self.subTest(what), self.assertRaises(Malformed):
                ranges.unpack_ranges(packed)
        first, second = b"\1" * 32, b"\1" * 31 + b"\2"
        for what, said in {
            "nothing": b"",
            "too much": b"\0\0",
            "falling": b"\2" + second + first,
            "the same twice": b"\2" + first + first,
            "outside": b"\1" + b"\x10" + bytes(31),
            "9 ids": b"\x09" + b"".join(bytes([0, at]) + bytes(30) for at in range(9)),
            "no part": b"\xff\0\0",
            "a fingerprint too few": b"\xff\3\0" + bytes(16),
        }.items():
            with self.subTest(what), self.assertRaises(Malformed):
                ranges.read_answer([(0,)], said)
        self.assertEqual(ranges.read_answer([(0,)], b"\2" + first + second)[0].ids, (first, second))

    def test_the_digest_of_known_exits_is_the_golden_one(self) -> None:
        by_kind = {
            stated["kind"]: [bytes.fromhex(f) for f in stated["frames"]] for stated in self.wire["messages"]
        }
        _, digest = codec.decode(by_kind["digest"])
        assert isinstance(digest, codec.Digest)
        self.assertEqual(comparison.digest_of_exits(digest.salt, [self.owner.node_id]), digest)


class RefusedVectors(unittest.TestCase):
    """tests/golden/refused.json, and refused_2.json for what came with version 2."""

    def setUp(self) -> None:
        self.files = [golden("refused.json"), golden("refused_2.json")]

    def read(self, stated: Any) -> None:
        _, message = codec.decode([bytes.fromhex(frame) for frame in stated["frames"]], codec.VERSION_2)
        if isinstance(message, messages_2.ExitAnswer):
            ranges.read_answer([ranges.ALL], message.answers)

    def test_the_base_of_each_refusal_is_taken(self) -> None:
        for refused in self.files:
            for stated in refused["taken_messages"]:
                with self.subTest(stated["what"]):
                    self.read(stated)
            for stated in refused.get("taken_statements", []):
                with self.subTest(stated["statement"]):
                    self.open(refused, stated)

    def test_messages_that_break_the_format_are_refused(self) -> None:
        for refused in self.files:
            for stated in refused["messages"]:
                with self.subTest(stated["what"]), self.assertRaises(Malformed):
                    self.read(stated)

    def open(self, refused: Any, stated: Any) -> None:
        kinds = {
            "seed_record": statements.SeedRecord,
            "lease": statements.Lease,
            "membership": statements.Membership,
            "exit_notice": statements.ExitNotice,
            "receipt": statements.Receipt,
            "state": statements.NodeState,
            "receipt_2": statements.ReceiptWithAsked,
            "holder_list": statements.HolderList,
            "membership_2": statements.MembershipWithEnd,
            "revocation": statements.Revocation,
            "succession": statements.Succession,
        }
        network, network_key = (bytes.fromhex(refused[key]) for key in ("network_id", "network_key"))
        signed = statements.Signed(bytes.fromhex(stated["bytes"]), bytes.fromhex(stated["signature"]))
        statements.opened(kinds[stated["statement"]], signed, network, network_key)

    def test_statements_that_break_the_format_or_are_wrongly_signed_are_refused(self) -> None:
        for refused in self.files:
            for stated in refused["statements"]:
                with self.subTest(stated["what"]), self.assertRaises(Malformed):
                    self.open(refused, stated)

    def test_ids_that_cannot_be_are_refused(self) -> None:
        for stated in self.files[0]["node_ids"]:
            with self.subTest(stated["what"]), self.assertRaises(Malformed):
                id_from_text(stated["text"])


class NetworkVectors(unittest.TestCase):
    """tests/golden/networks.json"""

    def setUp(self) -> None:
        self.golden = golden("networks.json")

    def read(self, stated: Any) -> networks.ReferenceSet:
        data = bytes.fromhex(stated["file"])
        return (
            networks.read_table(data.decode())[0] if stated["kind"] == "table" else networks.read_images(data)
        )

    def test_reference_sets_have_these_values_and_digests(self) -> None:
        for stated in self.golden["reference_sets"]:
            with self.subTest(stated["name"]):
                reference = self.read(stated)
                self.assertEqual(list(reference.shape), stated["shape"])
                self.assertEqual(list(reference.columns), stated.get("columns", []))
                self.assertEqual(pack_floats(reference.values).hex(), stated["values"])
                self.assertEqual(reference.digest.hex(), stated["digest"])
                self.assertEqual(
                    pack_floats(reference.seen(reference.values)).hex(), stated["seen_by_models"]
                )

    def test_networks_have_these_ids(self) -> None:
        references = {stated["name"]: self.read(stated) for stated in self.golden["reference_sets"]}
        for stated in self.golden["networks"]:
            description = networks.description_of(
                stated.get("key") or stated["name"],
                stated["classes"],
                references[stated["reference"]],
                is_key="key" in stated,
                columns_bound=stated["columns_bound"],
            )
            self.assertEqual(description.hex(), stated["description"])
            self.assertEqual(digest_of(description).hex(), stated["id"])
            if "key" in stated:
                self.assertEqual(text_of(id_from_text(stated["key"])), stated["key"])

    def test_tables_that_hold_no_numbers_are_refused(self) -> None:
        for stated in self.golden["refused_tables"]:
            with self.subTest(stated["why"]), self.assertRaises(Malformed):
                networks.read_table(bytes.fromhex(stated["file"]).decode())


class SeedVectors(unittest.TestCase):
    """tests/golden/seeds.json and logits.json"""

    def setUp(self) -> None:
        self.golden = golden("seeds.json")

    def check(self, stated: Any) -> list[seeds.Tensor]:
        shape, payload = networks.shape_from(stated["input_shape"]), bytes.fromhex(stated["payload"])
        return seeds.check_seed(stated["architecture"], shape, stated["classes"], payload)

    def test_architectures_have_these_tensors(self) -> None:
        for stated in self.golden["architectures"]:
            with self.subTest(stated["architecture"]):
                architecture = seeds.parse_architecture(stated["architecture"])
                shapes = seeds.expected_tensors(
                    architecture, networks.shape_from(stated["input_shape"]), stated["classes"]
                )
                expected = [(tensor["name"], tuple(tensor["shape"])) for tensor in stated["tensors"]]
                self.assertEqual(shapes, expected)
                self.assertEqual(sum(math.prod(shape) for _, shape in shapes), stated["weights"])

    def test_what_is_no_architecture_is_refused(self) -> None:
        for stated in self.golden["refused_architectures"]:
            with self.subTest(stated), self.assertRaises(Malformed):
                architecture = seeds.parse_architecture(stated["architecture"])
                seeds.expected_tensors(
                    architecture, networks.shape_from(stated["input_shape"]), stated["classes"]
                )

    def test_payloads_are_read_and_made_again(self) -> None:
        for stated in self.golden["seeds"]:
            with self.subTest(stated["architecture"]):
                tensors = self.check(stated)
                self.assertEqual([pack_floats(tensor.values).hex() for tensor in tensors], stated["values"])
                self.assertEqual(seeds.write_payload(tensors).hex(), stated["payload"])

    def test_payloads_in_another_spelling_are_taken(self) -> None:
        for stated in self.golden["taken_payloads"]:
            with self.subTest(stated["what"]):
                self.check(stated)

    def test_payloads_that_break_the_rules_are_refused(self) -> None:
        for stated in self.golden["refused_payloads"]:
            with self.subTest(stated["what"]), self.assertRaises(Malformed):
                self.check(stated)

    def test_seeds_compute_these_logits(self) -> None:
        stated_logits = {stated["architecture"]: stated for stated in golden("logits.json")["seeds"]}
        for stated in self.golden["seeds"]:
            with self.subTest(stated["architecture"]):
                shape = networks.shape_from(stated["input_shape"])
                architecture = seeds.parse_architecture(stated["architecture"])
                expected = stated_logits[stated["architecture"]]
                seen = unpack_floats(bytes.fromhex(expected["seen"]))
                rows = networks.rows_of(seen, shape)
                logits = [models.logits_of(architecture, self.check(stated), shape, row) for row in rows]
                for row, wanted in zip(logits, expected["logits"], strict=True):
                    for value, limit in zip(row, wanted, strict=True):
                        self.assertAlmostEqual(value, limit, delta=1e-4)


if __name__ == "__main__":
    unittest.main()
