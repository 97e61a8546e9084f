"""What a token says: its claims, read strictly into a grant. Pure.

docs/access.md is the reference. The signature was looked at before; here a claim is as it should be, or the token is
refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.auth.identity import ANY_STREAM, Identity, Role
from gateway.auth.refusal import AccessError, Cause

MAX_STREAMS = 256
"""Names in one token; one that is for more tables is for all of them."""
MAX_ROLES = 64
MAX_PLAYER_CHARS = 256
"""Longer than any account's id: it becomes a key of maps, and a field of every bet."""

MAX_DATE_UNIX_S = 253_402_300_800
"""The end of the year 9999: what is later is no date, but milliseconds or worse."""

_STREAM = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""As `stream.registry` has it."""
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
"""ISO 3166-1 alpha-2, or ISO 3166-2: MT, GB-ENG, US-NJ."""
_ROLES = {role.value: role for role in Role}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token lets its bearer do, wherever they come from."""

    roles: frozenset[Role]
    streams: frozenset[str]
    expires_unix_s: float
    player: str | None = None
    jurisdiction: str | None = None

    def identity(self, client: str, key_id: str) -> Identity:
        """The bearer, who comes from `client`, by a token that the key `key_id` signed."""
        return Identity(
            client, self.roles, self.streams, self.player, self.jurisdiction, self.expires_unix_s, proof=key_id
        )


@dataclass(frozen=True, slots=True)
class Expected:
    """What every token has to say."""

    issuer: str | None = None
    """None: not looked at; as the next one."""
    audience: str | None = None
    leeway_s: float = 0.0


def read_claims(claims: Mapping[str, Any], expected: Expected, now_unix_s: float) -> Grant:
    """The grant; AccessError for claims that are missing, malformed, or of another time, issuer or audience."""
    expires_unix_s = _date(claims, "exp")
    if expires_unix_s is None:
        raise _malformed("exp", "is missing")
    if now_unix_s >= expires_unix_s + expected.leeway_s:
        raise AccessError(Cause.EXPIRED)
    for name in ("nbf", "iat"):
        begins_unix_s = _date(claims, name)
        if begins_unix_s is not None and begins_unix_s > now_unix_s + expected.leeway_s:
            raise AccessError(Cause.NOT_YET)
    if expected.issuer is not None and claims.get("iss") != expected.issuer:
        raise AccessError(Cause.ISSUER)
    if expected.audience is not None and expected.audience not in _names(claims, "aud", MAX_STREAMS):
        raise AccessError(Cause.AUDIENCE)
    return Grant(_roles(claims), _streams(claims), expires_unix_s, _player(claims), _jurisdiction(claims))


def _malformed(name: str, problem: str) -> AccessError:
    return AccessError(Cause.CLAIMS, f"The token's claim {name} {problem}.")


def _date(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519 section 2)."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_DATE_UNIX_S:
        raise _malformed(name, "is no date")
    return float(value)


def _names(claims: Mapping[str, Any], name: str, max_count: int) -> list[str]:
    """A list of strings, of which one alone may stand without its list."""
    value = claims.get(name)
    if value is None:
        return []
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise _malformed(name, "is no list of names")
    if len(names) > max_count:
        raise _malformed(name, "has too many names")
    return names


def _roles(claims: Mapping[str, Any]) -> frozenset[Role]:
    """`roles`: a list, or words in one string. What other services call a role is none of ours."""
    value = claims.get("roles")
    names = value.split() if isinstance(value, str) else _names(claims, "roles", MAX_ROLES)
    return frozenset(_ROLES[name] for name in names if name in _ROLES)


def _streams(claims: Mapping[str, Any]) -> frozenset[str]:
    """`streams`: names, or "*" for all of them. Without it the token is for none."""
    names = _names(claims, "streams", MAX_STREAMS)
    if not all(name == ANY_STREAM or _STREAM.fullmatch(name) for name in names):
        raise _malformed("streams", "holds what is no stream's name")
    return frozenset(names)


def _player(claims: Mapping[str, Any]) -> str | None:
    """`player`, else `sub`."""
    name = "player" if "player" in claims else "sub"
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_PLAYER_CHARS or not value.isprintable():
        raise _malformed(name, "is no name")
    return value


def _jurisdiction(claims: Mapping[str, Any]) -> str | None:
    value = claims.get("jurisdiction")
    if value is None:
        return None
    if not isinstance(value, str) or not _JURISDICTION.fullmatch(value):
        raise _malformed("jurisdiction", "is no code of ISO 3166")
    return value
