"""A set of public keys (RFC 7517), read strictly: taken whole or not at all. Pure.

What other services need the set for is passed over: keys for encryption, and algorithms that are not taken here. What
could only be an accident refuses the set: private or symmetric keys, weak ones, two of one name.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from gateway.errors import RailbirdError

MAX_KEY_SET_BYTES = 262_144
"""64 RSA keys with their certificates."""
MAX_KEYS = 64
MAX_KEY_ID_CHARS = 256
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
"""A signature by a longer one takes longer to verify than a join."""

_ALGORITHMS = {("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA", ("RSA", None): "RS256"}
"""(kty, crv) -> the one algorithm that its keys are taken for."""
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


class KeySetError(RailbirdError):
    """No key set that could be taken; the message says why, and holds nothing of a key."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key."""

    key_id: str | None
    jwk: PyJWK
    fingerprint: bytes
    """Of its id and its material: a key that changed under its old id is another one."""

    @property
    def algorithm(self) -> str:
        """The only one that it is good for."""
        return self.jwk.algorithm_name


class KeySet:
    """Public keys by their ids."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._by_id = {key.key_id: key for key in keys}
        self.fingerprints = frozenset(key.fingerprint for key in self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def key(self, key_id: str | None) -> Key | None:
        """The key of that id; for None the only one there is, whatever its id."""
        if key_id is None and len(self._by_id) == 1:
            return next(iter(self._by_id.values()))
        return self._by_id.get(key_id)


def parse_key_set(data: bytes, algorithms: Iterable[str]) -> KeySet:
    """The keys for `algorithms`. KeySetError says what is wrong with the set."""
    entries = _entries(data)
    keys = [key for number, entry in enumerate(entries, 1) if (key := _key(number, entry, set(algorithms))) is not None]
    if not keys:
        raise KeySetError("it holds no key for any algorithm of auth.algorithms")
    ids = [key.key_id for key in keys]
    if len(keys) > 1 and None in ids:
        raise KeySetError("a key has no kid, which more than one key need")
    if len(set(ids)) < len(ids):
        raise KeySetError("two keys have the same kid")
    return KeySet(keys)


def _entries(data: bytes) -> list[Any]:
    if len(data) > MAX_KEY_SET_BYTES:
        raise KeySetError(f"it is longer than {MAX_KEY_SET_BYTES} bytes")
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        raise KeySetError("it is no JSON") from None
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(entries, list):
        raise KeySetError("it is no JSON Web Key Set: it has no list of keys")
    if len(entries) > MAX_KEYS:
        raise KeySetError(f"it has more than {MAX_KEYS} keys")
    return entries


def _key(number: int, entry: Any, algorithms: set[str]) -> Key | None:
    """The key; None for one that serves something else."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kty"), str):
        raise KeySetError(f"key {number} is no JSON Web Key")
    if private := _PRIVATE & entry.keys():
        raise KeySetError(f"key {number} is secret: {min(private)} has no business here")
    curve = entry.get("crv")
    algorithm = _ALGORITHMS.get((entry["kty"], curve if isinstance(curve, str) else None))
    is_for_us = entry.get("use", "sig") == "sig" and entry.get("alg", algorithm) == algorithm
    if algorithm not in algorithms or not is_for_us:
        return None
    key_id = entry.get("kid")
    if key_id is not None and (not isinstance(key_id, str) or not 0 < len(key_id) <= MAX_KEY_ID_CHARS):
        raise KeySetError(f"key {number} has a kid that is no name")
    jwk = _jwk(number, entry, algorithm)
    return Key(key_id, jwk, _fingerprint(key_id, jwk))


def _jwk(number: int, entry: dict[str, Any], algorithm: str | None) -> PyJWK:
    try:
        jwk = PyJWK(entry, algorithm)
    except (PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        raise KeySetError(f"key {number} does not hold a key of its kind") from None
    if isinstance(jwk.key, RSAPublicKey) and not MIN_RSA_BITS <= jwk.key.key_size <= MAX_RSA_BITS:
        raise KeySetError(f"key {number} is an RSA key of less than {MIN_RSA_BITS} or more than {MAX_RSA_BITS} bits")
    return jwk


def _fingerprint(key_id: str | None, jwk: PyJWK) -> bytes:
    public: PublicKeyTypes = jwk.key
    material = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(repr(key_id).encode() + material).digest()
