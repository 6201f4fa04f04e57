"""A verifier of erasure certificates and sealed exits (certificate.md)."""

from __future__ import annotations

from typing import Any

from .errors import Malformed
from .identity import id_from_text
from .statements import REASON_EXIT, REASON_LEFT, ExitNotice, Receipt, Signed, opened

CERTIFICATE = "unlearnd erasure certificate 1"
SEALED_EXIT = "unlearnd sealed exit 1"
REASONS = {"erased": REASON_EXIT, "left": REASON_LEFT}


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


def check_holder(holder: Any, network: bytes, owner: bytes) -> None:
    status = holder["status"]
    if status == "missing":
        if holder.get("receipt"):
            raise Malformed("missing, and yet with a receipt")
        return
    if status not in REASONS:
        raise Malformed(f"{status} is not a status")
    receipt = opened(Receipt, signed_of(holder["receipt"]), network)
    if receipt.owner != owner or receipt.holder != id_from_text(holder["node"]):
        raise Malformed("a receipt of somebody else, or for somebody else")
    if receipt.reason != REASONS[status]:
        raise Malformed(f"{status} does not fit the receipt")


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
        complete = all(holder["status"] != "missing" for holder in holders)
        if stated["complete"] is not complete:
            raise Malformed("complete does not fit the statuses")
        return complete
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"not a certificate: {error!r}") from error


def verify_sealed_exit(stated: Any) -> bytes:
    """Returns the owner of a sealed exit."""
    try:
        return check_notice(stated, SEALED_EXIT)[1]
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"not a sealed exit: {error!r}") from error
