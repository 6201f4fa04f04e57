"""What the key of a network has signed: successions and revocations (wire.md, rules 15 and 16)."""

from __future__ import annotations

from .identity import digest_of
from .lanes import MOST_IDS
from .messages_2 import KNOWN, REVOCATION, SUCCESSION, SUMMARY, NetworkDigest, NetworkStatement
from .statements import Revocation, Signed, Succession, opened


def id_of(kind: int, key: bytes, subject: bytes) -> bytes:
    """Returns the id of what a statement says, whatever its number and time."""
    return digest_of(bytes([kind]) + key + subject)


class Fleet:
    """What a member knows of its network's key; in a network without one, nothing."""

    def __init__(self, network: bytes, first_key: bytes | None = None) -> None:
        self.network = network
        self.first_key = first_key
        self.successions: dict[bytes, Signed] = {}
        self.revocations: dict[bytes, Signed] = {}

    @property
    def key(self) -> bytes | None:
        """The key of today; None where a key has signed two successions."""
        key = self.first_key
        while key is not None:
            successions = [Succession.unpack(one.data) for one in self.successions.values()]
            following = {one.next_key for one in successions if one.network_key == key}
            if not following:
                return key
            if len(following) > 1:
                return None
            key = following.pop()
        return None

    @property
    def expelled(self) -> set[bytes]:
        return {Revocation.unpack(one.data).member for one in self.revocations.values()}

    def take(self, message: NetworkStatement) -> None:
        """Keeps a statement by the key of today."""
        if message.kind == SUCCESSION:
            succession = opened(Succession, message.statement, self.network)
            keys = {self.first_key} | {Succession.unpack(o.data).next_key for o in self.successions.values()}
            if succession.network_key in keys:
                says = id_of(SUCCESSION, succession.network_key, succession.next_key)
                self.successions.setdefault(says, message.statement)
            return
        revocation = opened(Revocation, message.statement, self.network)
        if revocation.network_key == self.key:
            says = id_of(REVOCATION, revocation.network_key, revocation.member)
            self.revocations.setdefault(says, message.statement)

    def _compared(self) -> dict[bytes, NetworkStatement]:
        """What a summary is over, successions first."""
        known = {one: NetworkStatement(SUCCESSION, signed) for one, signed in self.successions.items()}
        for one, signed in self.revocations.items():
            if Revocation.unpack(signed.data).network_key == self.key:
                known[one] = NetworkStatement(REVOCATION, signed)
        return known

    def summary(self) -> NetworkDigest:
        return NetworkDigest(SUMMARY, True, digest_of(b"".join(sorted(self._compared()))))

    def known(self) -> list[NetworkDigest]:
        """Returns all ids, in as many messages as needed."""
        ids = sorted(self._compared())
        cuts = [tuple(ids[at : at + MOST_IDS]) for at in range(0, len(ids), MOST_IDS)] or [()]
        return [NetworkDigest(KNOWN, at == len(cuts) - 1, ids=cut) for at, cut in enumerate(cuts)]

    def missing(self, ids: set[bytes]) -> list[NetworkStatement]:
        """Returns what somebody who knows these lacks."""
        return [statement for one, statement in self._compared().items() if one not in ids]
