"""NodeIds, the keys that follow from them, and signatures (wire.md, "Transport" and "Signed statements")."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass

import nacl.bindings
import nacl.exceptions

from .errors import Malformed

ID_BYTES = 32
CHECKSUM_BYTES = 3
SIGNATURE_PREFIX = b"unlearnd v1"


def digest_of(data: bytes) -> bytes:
    """Returns BLAKE2b-256."""
    return hashlib.blake2b(data, digest_size=32).digest()


def check_id(node_id: bytes) -> bytes:
    """Returns the id. Raises Malformed unless it can be one."""
    if len(node_id) != ID_BYTES:
        raise Malformed("a NodeId has 32 bytes")
    if node_id[-1] & 0x80:
        raise Malformed("the highest bit of a NodeId's last byte is 0")
    curve_key_of(node_id)
    return node_id


def text_of(node_id: bytes) -> str:
    """Returns the text form of a NodeId."""
    checksum = digest_of(b"unlearnd id" + node_id)[:CHECKSUM_BYTES]
    return base64.b32encode(node_id + checksum).decode().lower()


def id_from_text(text: str) -> bytes:
    """Returns the NodeId that has this text form."""
    try:
        node_id = base64.b32decode(text.upper())[:ID_BYTES]
    except ValueError as error:
        raise Malformed(f"{text} is not base32") from error
    if text_of(check_id(node_id)) != text:
        raise Malformed(f"{text} is not the text of a NodeId")
    return node_id


def curve_key_of(node_id: bytes) -> bytes:
    """Returns the CURVE public key of a node. Raises Malformed for what is no point of prime order."""
    try:
        return nacl.bindings.crypto_sign_ed25519_pk_to_curve25519(node_id)
    except nacl.exceptions.CryptoError as error:
        raise Malformed("a NodeId is a point of prime order") from error


def signed_text(network: bytes, purpose: int, statement: bytes) -> bytes:
    """Returns the bytes that a signature is over."""
    return SIGNATURE_PREFIX + bytes([purpose]) + network + statement


def is_signed_by(signer: bytes, signature: bytes, network: bytes, purpose: int, statement: bytes) -> bool:
    """Whether `signer` signed this statement for this purpose in this network."""
    try:
        nacl.bindings.crypto_sign_open(signature + signed_text(network, purpose, statement), signer)
    except (nacl.exceptions.BadSignatureError, nacl.exceptions.CryptoError):
        return False
    return True


@dataclass(frozen=True)
class Identity:
    """A key pair: who a node is."""

    secret_seed: bytes
    node_id: bytes
    _secret_key: bytes

    @staticmethod
    def from_seed(secret_seed: bytes) -> Identity:
        """Makes the identity of these 32 secret bytes."""
        public, secret = nacl.bindings.crypto_sign_seed_keypair(secret_seed)
        return Identity(secret_seed, check_id(public), secret)

    @staticmethod
    def generate() -> Identity:
        """Makes a new identity."""
        while True:
            try:
                return Identity.from_seed(os.urandom(32))
            except Malformed:
                continue  # half of all keys have the highest bit set

    @property
    def text(self) -> str:
        return text_of(self.node_id)

    @property
    def curve_secret_key(self) -> bytes:
        return nacl.bindings.crypto_sign_ed25519_sk_to_curve25519(self._secret_key)

    def sign(self, network: bytes, purpose: int, statement: bytes) -> bytes:
        """Returns the signature of a statement."""
        message = signed_text(network, purpose, statement)
        return nacl.bindings.crypto_sign(message, self._secret_key)[:64]
