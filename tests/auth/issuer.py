"""An issuer of tokens: private keys, the set of their public ones, tokens that are good, and some that are not."""

import base64
import hashlib
import hmac
import json
import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey


@cache
def private_key(algorithm: str, name: str = "") -> PrivateKey:
    """A key for `algorithm`; another one for each name. RSA takes a while: made once a process."""
    if algorithm == "ES256":
        return generate_ec(SECP256R1())
    if algorithm == "EdDSA":
        return Ed25519PrivateKey.generate()
    return generate_rsa(65537, int(name.removeprefix("bits-")) if name.startswith("bits-") else 2048)


def public_jwk(key: PrivateKey, algorithm: str, key_id: str | None) -> dict[str, Any]:
    """The entry of a key set."""
    entry: dict[str, Any] = get_default_algorithms()[algorithm].to_jwk(key.public_key(), as_dict=True)
    named = {"kid": key_id} if key_id is not None else {}
    return {**entry, "alg": algorithm, "use": "sig", **named}


def key_set(*entries: dict[str, Any]) -> bytes:
    """A key set as it is stored."""
    return json.dumps({"keys": entries}).encode()


def encoded(value: Any) -> str:
    """A part of a token: JSON, or bytes, in base64url."""
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs with one key."""

    def __init__(self, key_id: str | None = "2026-11", algorithm: str = "ES256", name: str = "") -> None:
        self.key_id = key_id
        self.algorithm = algorithm
        self.key = private_key(algorithm, name or key_id or "")

    @property
    def jwk(self) -> dict[str, Any]:
        """What is published of the key."""
        return public_jwk(self.key, self.algorithm, self.key_id)

    @property
    def key_set(self) -> bytes:
        """A set of this key alone."""
        return key_set(self.jwk)

    def claims(self, **claims: Any) -> dict[str, Any]:
        """Of a player at the table `table` for a minute; what is None is left out."""
        usual = {"roles": ["watch", "bet"], "streams": ["table"], "sub": "player-7", "exp": time.time() + 60}
        return {name: value for name, value in (usual | claims).items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token with `claims` over the usual ones, and `header` over what PyJWT writes."""
        named = {"kid": self.key_id} if self.key_id is not None else {}
        return jwt.encode(self.claims(**claims), self.key, self.algorithm, headers={**named, **(header or {})})

    # Tokens that nobody must take

    def unsigned(self, algorithm: str = "none") -> str:
        """A token of algorithm `none`."""
        header = {"typ": "JWT", "alg": algorithm, "kid": self.key_id}
        return f"{encoded(header)}.{encoded(self.claims())}."

    def by_hmac_with_the_public_key(self, form: str = "pem") -> str:
        """A token that is "signed" with what everybody knows: a verifier that lets the token choose would take it."""
        header = {"typ": "JWT", "alg": "HS256", "kid": self.key_id}
        signed = f"{encoded(header)}.{encoded(self.claims())}"
        secret = json.dumps(self.jwk).encode()
        if form == "pem":
            secret = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def with_payload(token: str, **claims: Any) -> str:
    """The token with other claims under the signature that it had."""
    header, payload, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return f"{header}.{encoded(told | claims)}.{signature}"


def with_another_signature(token: str) -> str:
    """The token with one bit of its signature turned."""
    signed, _, signature = token.rpartition(".")
    data = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    data[0] ^= 1
    return f"{signed}.{encoded(bytes(data))}"
