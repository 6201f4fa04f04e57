"""A verifier of erasure certificates and sealed exits (certificate.md)."""

from __future__ import annotations

import calendar
import struct
import time
from typing import Any

from .errors import Malformed
from .identity import digest_of, id_from_text
from .statements import (
    REASON_EXIT,
    REASON_LEFT,
    ExitNotice,
    HolderList,
    Receipt,
    ReceiptWithAsked,
    Signed,
    digest_of_served,
    opened,
)

CERTIFICATE = "unlearnd erasure certificate 2"
SEALED_EXIT = "unlearnd sealed exit 1"
REASONS = {REASON_EXIT: "erased", REASON_LEFT: "left"}


def signed_of(value: Any) -> Signed:
    return Signed(bytes.fromhex(value["bytes"]), bytes.fromhex(value["signature"]))


def check_notice(stated: Any, schema: str) -> tuple[bytes, bytes]:
    """Returns network and owner of a certificate or sealed exit whose notice is the owner's."""
    if stated["schema"] != schema:
        raise Malformed(f"not a {schema}")
    network, owner = bytes.fromhex(stated["network"]), id_from_text(stated["owner"])
    if opened(ExitNotice, signed_of(stated["notice"]), network).owner != owner:
        raise Malformed("the notice is of another owner")
    return network, owner


def receipt_of(holder: Any, network: bytes) -> tuple[Receipt | ReceiptWithAsked, int | None]:
    """Returns the receipt and the version that its holder says it asked for, if it says so."""
    signed = signed_of(holder["receipt"])
    try:
        newer = opened(ReceiptWithAsked, signed, network)
        return newer, newer.asked_version
    except Malformed:
        return opened(Receipt, signed, network), None


def check_holder(holder: Any, network: bytes, owner: bytes) -> None:
    status = holder["status"]
    if status == "missing":
        if holder.get("receipt"):
            raise Malformed("missing, and yet with a receipt")
        return
    receipt, asked = receipt_of(holder, network)
    node = id_from_text(holder["node"])
    if receipt.owner != owner or receipt.holder != node:
        raise Malformed("a receipt of somebody else, or for somebody else")
    if "exit" in holder and opened(ExitNotice, signed_of(holder["exit"]), network).owner != node:
        raise Malformed("the exit of somebody else")
    if receipt.reason == REASON_LEFT and "exit" not in holder:
        raise Malformed("a holder that left without an exit")
    proved = "doubtful" if asked is not None and asked < holder["served_version"] else REASONS[receipt.reason]
    if status != proved:
        raise Malformed(f"{status} does not fit the receipt")


def digest_of_holders(holders: Any) -> bytes:
    """The digest of the holders in the order of their ids, as the owner signs it."""
    served = []
    for holder in holders:
        until = calendar.timegm(time.strptime(holder["last_lease_until"], "%Y-%m-%dT%H:%M:%SZ"))
        served.append((id_from_text(holder["node"]), holder["served_version"], until))
    return digest_of_served(served)


def check_list(stated: Any, network: bytes, owner: bytes) -> bool:
    """Returns whether the owner signed these holders, and no others, for this notice."""
    if stated["list"] is None:
        return False
    signed = opened(HolderList, signed_of(stated["list"]), network)
    expected = HolderList(
        owner,
        digest_of(signed_of(stated["notice"]).data),
        len(stated["holders"]),
        digest_of_holders(stated["holders"]),
        signed.restored,
    )
    if signed != expected:
        raise Malformed("the owner signed other holders")
    return True


def verify(stated: Any) -> bool:
    """Returns whether a certificate is complete. Raises Malformed when it is forged."""
    try:
        network, owner = check_notice(stated, CERTIFICATE)
        holders = stated["holders"]
        if holders == "unknown":
            if stated["complete"]:
                raise Malformed("nobody knows the holders, and yet all have signed")
            return False
        for holder in holders:
            check_holder(holder, network, owner)
        if len({holder["node"] for holder in holders}) != len(holders):
            raise Malformed("a holder occurs twice")
        listed = check_list(stated, network, owner)
        complete = listed and all(holder["status"] in ("erased", "left") for holder in holders)
        if stated["complete"] is not complete:
            raise Malformed("complete does not fit the statuses and the list")
        return complete
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise Malformed(f"not a certificate: {error!r}") from error


def verify_sealed_exit(stated: Any) -> bytes:
    """Returns the owner of a sealed exit."""
    try:
        return check_notice(stated, SEALED_EXIT)[1]
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"not a sealed exit: {error!r}") from error


def contradict(one: Any, other: Any) -> bool:
    """Whether two certificates that hold by themselves are of one owner, with different lists."""
    if (one["network"], one["owner"]) != (other["network"], other["owner"]):
        return False
    return bool(one["list"] and other["list"] and one["list"]["bytes"] != other["list"]["bytes"])
