"""The state of a node, and what it keeps of its neighbours' (wire.md, rule 17)."""

from __future__ import annotations

import os

from .errors import Malformed
from .identity import Identity
from .statements import NO_START, START_BYTES, NodeState, Signed, opened, sign


class States:
    """The starts of one node with their highest numbers, and the newest statement of each neighbour."""

    def __init__(self, identity: Identity, network: bytes) -> None:
        self._identity = identity
        self._network = network
        self._record: dict[bytes, int] = {}
        self.kept: dict[bytes, Signed] = {}
        self.restored = False
        self.begin(0, NO_START)

    def begin(self, above: int, before: bytes) -> None:
        """Begins a start that goes on above a number."""
        self._state = NodeState(self._identity.node_id, above + 1, os.urandom(START_BYTES), before)
        self._record[self._state.start] = self._state.number

    def rise(self) -> None:
        """Counts an exit."""
        state = self._state
        self._state = NodeState(state.node, state.number + 1, state.start, state.start_before)
        self._record[state.start] = self._state.number

    @property
    def number(self) -> int:
        return self._state.number

    @property
    def own(self) -> Signed:
        """The newest statement of this node."""
        return sign(self._identity, self._network, self._state)

    def keep(self, peer: bytes, signed: Signed) -> bool:
        """Keeps a statement of a peer if it is higher than what is kept. Returns whether it is lower."""
        number = opened_state(signed, self._network, peer).number
        kept = self.kept.get(peer)
        kept_number = NodeState.unpack(kept.data).number if kept else 0
        if number > kept_number:
            self.kept[peer] = signed
        return number < kept_number

    def hear_own(self, signed: Signed) -> bool:
        """Looks at a statement of this node that a neighbour shows. Returns whether this node's state is old."""
        shown = opened_state(signed, self._network, self._identity.node_id)
        if shown.number <= self._record.get(shown.start, 0):
            return False
        self.begin(max(shown.number, self.number), shown.start)
        self._record[shown.start] = shown.number
        self.restored = True
        return True


def opened_state(signed: Signed, network: bytes, node: bytes) -> NodeState:
    """Returns the statement of this node's state."""
    state = opened(NodeState, signed, network)
    if state.node != node:
        raise Malformed("the state of somebody else")
    return state
