"""Is this token good? PyJWT looks at the signature, `claims` at the rest; what was good once is remembered.

A player's page shows its token again and again (playlists, reconnects): the signature is paid for once.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jwt.api_jws import PyJWS
from jwt.exceptions import InvalidSignatureError, PyJWTError
from jwt.utils import base64url_decode

from gateway.auth.claims import Expected, Grant, read_claims
from gateway.auth.identity import Identity
from gateway.auth.key_set import Key, KeySet
from gateway.auth.refusal import AccessError, Cause
from gateway.config import AuthSettings

MAX_TOKEN_BYTES = 4096
"""An RSA signature of 8192 bits and the names of a hundred tables; half of the longest header that aiohttp takes."""
MAX_REMEMBERED = 20_000
"""Tokens, some 1 kB each: four times as many as there can be players with signals."""

UNNAMED_KEY = "unnamed"
"""The proof of a token that the only key signed, which has no kid."""


@dataclass(frozen=True, slots=True)
class _Verified:
    grant: Grant
    key: Key


class Verifier:
    """Judges tokens by the keys that were set last."""

    def __init__(self, settings: AuthSettings) -> None:
        self._algorithms = settings.algorithms
        self._expected = Expected(settings.issuer, settings.audience, settings.leeway_s)
        self._jws = PyJWS(algorithms=settings.algorithms)
        self._keys = KeySet(())
        self._remembered: OrderedDict[bytes, _Verified] = OrderedDict()
        """SHA-256 of the token -> what it was found to say; who was seen last is last."""

    def __len__(self) -> int:
        """Tokens that are remembered."""
        return len(self._remembered)

    def use(self, keys: KeySet) -> None:
        """Judge by `keys` from now on: what a key signed that is gone is no longer good."""
        self._keys = keys
        gone = [name for name, each in self._remembered.items() if each.key.fingerprint not in keys.fingerprints]
        for name in gone:
            del self._remembered[name]

    def knows_key_of(self, token: bytes) -> bool:
        """Whether nothing about `token` calls for a newer key set."""
        try:
            self._key(self._header(token))
        except AccessError as refusal:
            return refusal.cause is not Cause.UNKNOWN_KEY
        return True

    def verify(self, token: bytes, client: str, now_unix_s: float) -> Identity:
        """Who bears `token` and comes from `client`; AccessError for a token that is not good now."""
        name = hashlib.sha256(token).digest()
        verified = self._remembered.get(name)
        if verified is None:
            verified = self._verified(token, now_unix_s)
            self._remember(name, verified)
        elif now_unix_s >= verified.grant.expires_unix_s + self._expected.leeway_s:
            del self._remembered[name]
            raise AccessError(Cause.EXPIRED)
        else:
            self._remembered.move_to_end(name)
        return verified.grant.identity(client, verified.key.key_id or UNNAMED_KEY)

    def _remember(self, name: bytes, verified: _Verified) -> None:
        self._remembered[name] = verified
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)

    def _verified(self, token: bytes, now_unix_s: float) -> _Verified:
        key = self._key(self._header(token))
        try:
            payload = self._jws.decode(token, key.jwk, algorithms=[key.algorithm])
        except InvalidSignatureError:
            raise AccessError(Cause.SIGNATURE) from None
        except (PyJWTError, ValueError):
            raise AccessError(Cause.MALFORMED) from None
        return _Verified(read_claims(_object(payload), self._expected, now_unix_s), key)

    def _header(self, token: bytes) -> dict[str, Any]:
        """The token's header, which nobody has signed for yet: bounded, and of an algorithm that is taken."""
        if len(token) > MAX_TOKEN_BYTES:
            raise AccessError(Cause.TOO_LONG)
        header = _object(_decoded(token.partition(b".")[0]))
        if "crit" in header:
            raise AccessError(Cause.EXTENSION)
        if header.get("alg") not in self._algorithms:
            raise AccessError(Cause.ALGORITHM)
        return header

    def _key(self, header: Mapping[str, Any]) -> Key:
        key_id = header.get("kid")
        if key_id is not None and not isinstance(key_id, str):
            raise AccessError(Cause.MALFORMED)
        key = self._keys.key(key_id)
        if key is None:
            raise AccessError(Cause.UNKNOWN_KEY if key_id is not None else Cause.NO_KEY_ID)
        if key.algorithm != header["alg"]:
            raise AccessError(Cause.KEY_MISMATCH)
        return key


def _decoded(segment: bytes) -> bytes:
    try:
        return base64url_decode(segment)
    except ValueError:
        raise AccessError(Cause.MALFORMED) from None


def _object(data: bytes) -> dict[str, Any]:
    """The JSON object that `data` is."""
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        raise AccessError(Cause.MALFORMED) from None
    if not isinstance(parsed, dict):
        raise AccessError(Cause.MALFORMED)
    return parsed
