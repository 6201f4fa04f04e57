"""What two neighbours say about the exits that they know (wire.md, rule 9)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from .codec import Digest

BUCKETS = 64


def bucket_hashes(salt: bytes, ids: Iterable[bytes]) -> dict[int, bytes]:
    """Returns the hash of each bucket that holds ids."""
    buckets: dict[int, list[bytes]] = {}
    for node_id in ids:
        buckets.setdefault(node_id[0] % BUCKETS, []).append(node_id)
    return {
        bucket: hashlib.blake2b(b"".join(sorted(held)), key=salt, digest_size=16).digest()
        for bucket, held in buckets.items()
    }


def digest_of_exits(salt: bytes, ids: Iterable[bytes]) -> Digest:
    """Returns the message that says which exits are known."""
    hashes = bucket_hashes(salt, ids)
    occupied = sum(1 << bucket for bucket in hashes)
    return Digest(salt, occupied, b"".join(hashes[bucket] for bucket in sorted(hashes)))


def differing_buckets(digest: Digest, ids: Iterable[bytes]) -> int:
    """Returns which buckets of somebody's digest differ from those of these ids."""
    occupied = [bucket for bucket in range(BUCKETS) if digest.occupied >> bucket & 1]
    theirs = {bucket: digest.hashes[16 * at : 16 * (at + 1)] for at, bucket in enumerate(occupied)}
    own = bucket_hashes(digest.salt, ids)
    return sum(1 << bucket for bucket in range(BUCKETS) if theirs.get(bucket) != own.get(bucket))
