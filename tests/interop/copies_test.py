"""A copy of a node's data folder is put back: its neighbours remember its state (decision 19)."""

from __future__ import annotations

import unittest
from typing import Any

import devices
from devices import CLASSES, Device, eventually
from peer import certificate
from peer.identity import Identity
from peer.member import Member
from peer.messages_2 import ExitQuery, State
from peer.session import Session
from peer.statements import HolderList, NodeState


class Deliberate(Member):
    """A member that answers what it is asked about exits only when it is told to."""

    waits = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._waiting: list[tuple[Session, ExitQuery]] = []

    def _hear_query(self, session: Session, query: ExitQuery) -> None:
        if self.waits:
            self._waiting.append((session, query))
        else:
            super()._hear_query(session, query)

    def answer_now(self) -> None:
        self.waits = False
        for session, query in self._waiting:
            super()._hear_query(session, query)


class Copies(unittest.TestCase):
    def setUp(self) -> None:
        self.device = devices.table_device()
        self.addCleanup(self.device.end)
        reference, _ = devices.table_of(self.device)
        self.shape = reference.shape
        self.leaver, self.neighbour = self.member(), self.member()
        for member in (self.leaver, self.neighbour):
            self.device.ask("peers", "add", member.identity.text)

    def member(self, identity: Identity | None = None) -> Deliberate:
        return Deliberate(identity or Identity.generate(), self.device.network, self.shape, len(CLASSES))

    def joined(self, member: Member) -> Session:
        session = member.join(self.device.node_id, self.device.endpoint, version=2)
        self.addCleanup(session.close)
        return session

    def close(self, sessions: list[Session]) -> None:
        for session in sessions:
            session.close()

    def uses(self) -> bool:
        return self.device.uses_seed_of(self.leaver.identity)

    def says_old(self) -> int:
        return self.device.log().count("own-state-old")

    def put_back_and_let_the_leaver_return(self) -> Session:
        """Starts the copy, to which the leaver sends a newer lease: its seed waits for another neighbour's word."""
        device: Device = self.device
        device.stop()
        device.put_back(device.folder / "copy")
        device.start()
        returned = self.member(self.leaver.identity)
        returned.states, returned.seed = self.leaver.states, self.leaver.seed
        returned.lease_number, returned.shows_states = self.leaver.lease_number + 10, False
        session = self.joined(returned)
        returned.renew(session)
        self.assertTrue(session.answers(1))
        owner = self.leaver.identity
        self.assertTrue(eventually(lambda: device.seed_of(owner)["state"] == "quarantined"))
        return session

    def test_a_copy_finds_out_that_it_is_one_and_never_uses_the_seed_of_who_left_since(self) -> None:
        device = self.device
        leaving = self.joined(self.leaver)
        self.leaver.offer(leaving, "linear", devices.table_seed(), 1)
        self.assertTrue(eventually(self.uses), str(device.status()["seeds"]))
        leaving.close()
        device.stop()
        device.copy_data(device.folder / "copy")

        device.start()
        version = device.status()["own_seed"]["version"]
        staying, leaving = self.joined(self.neighbour), self.joined(self.leaver)
        self.leaver.renew(leaving)
        self.assertTrue(eventually(self.uses), str(device.status()["seeds"]))
        self.leaver.leave(leaving)
        self.assertTrue(leaving.wait(lambda: device.node_id in self.leaver.receipts), str(leaving.problems))
        self.assertTrue(staying.wait(lambda: self.leaver.identity.node_id in self.neighbour.exits))
        self.assertEqual(self.says_old(), 0)
        self.close([staying, leaving])

        with self.subTest(
            "what remains (SECURITY.md): an only neighbour that lies, about the state and the exit"
        ):
            kept = dict(self.neighbour.exits)
            self.neighbour.shows_states = False
            self.neighbour.exits.clear()
            sessions = [self.put_back_and_let_the_leaver_return(), self.joined(self.neighbour)]
            self.assertTrue(eventually(self.uses), str(device.status()["seeds"]))
            self.close(sessions)
            self.neighbour.exits.update(kept)

        with self.subTest(
            "the control: a neighbour that keeps silent about the state, and yet tells of the exit"
        ):
            sessions = [self.put_back_and_let_the_leaver_return(), self.joined(self.neighbour)]
            self.assertTrue(eventually(lambda: device.seed_of(self.leaver.identity) is None))
            self.assertEqual(self.says_old(), 0)
            self.close(sessions)

        with self.subTest("an honest neighbour"):
            self.neighbour.shows_states = True
            self.an_honest_neighbour_shows_the_copy_its_newer_state(version)

    def an_honest_neighbour_shows_the_copy_its_newer_state(self, version: int) -> None:
        device = self.device
        self.put_back_and_let_the_leaver_return()
        self.assertEqual(self.says_old(), 0)
        shown = NodeState.unpack(self.neighbour.states.kept[device.node_id].data)
        self.neighbour.waits = True
        session = self.joined(self.neighbour)
        # Until it was told of all exits it says that it is restored, names the start that it was shown, and waits.
        self.assertTrue(session.wait(lambda: [one for one in session.all_of(State) if one.restored]))
        states = [NodeState.unpack(one.state.data) for one in session.all_of(State) if one.restored]
        self.assertEqual(states[0].start_before, shown.start)
        self.assertGreater(states[0].number, shown.number)
        self.assertEqual(self.says_old(), 1)
        self.assertFalse(self.uses())
        self.neighbour.answer_now()
        self.assertTrue(eventually(lambda: device.seed_of(self.leaver.identity) is None))
        self.assertTrue(eventually(lambda: device.status()["own_seed"]["version"] > version + 1_000_000))
        self.assertFalse(self.uses())

        # The list that it signs when it leaves says that its state was an old copy once.
        node = device.node_id
        self.assertTrue(
            session.wait(lambda: node in self.neighbour.taken and self.neighbour.taken[node].complete)
        )
        device.ask("exit", "--yes")
        self.assertTrue(session.wait(lambda: node in self.neighbour.holder_lists), str(session.heard))
        self.assertTrue(HolderList.unpack(self.neighbour.holder_lists[node][0].data).restored)
        self.assertTrue(eventually(lambda: device.ask("certificate")["complete"]))
        stated = device.ask("certificate")
        self.assertTrue(certificate.verify(stated))
        holders = {self.neighbour.identity.text, self.leaver.identity.text}
        self.assertEqual({holder["node"] for holder in stated["holders"]}, holders)


if __name__ == "__main__":
    unittest.main()
