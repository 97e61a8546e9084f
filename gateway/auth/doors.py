"""The doors of the gateway: who shows what, and may therefore do what.

A door is open where no token could be asked for: neither a static one is set for it nor a key set. An open door is
for this machine alone, unless `auth.open_to_network` says otherwise. Operating is for this machine alone in any case,
and not for pages of other origins: whatever page an operator happens to open asks from this machine, too.
"""

import hmac
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from gateway.auth.identity import ANY_STREAM, STATIC, Identity, Role
from gateway.auth.refusal import AccessError, Cause
from gateway.auth.verifier import Verifier
from gateway.config import Settings
from gateway.metrics import Sample

_BY_STATIC = {
    "publish": frozenset({Role.PUBLISH}),
    "watch": frozenset({Role.WATCH, Role.BET}),
    "control": frozenset({Role.OPERATE}),
}
"""The static tokens, and what each lets its bearer do, at every stream."""

_DEEDS = {
    Role.PUBLISH: "publish",
    Role.WATCH: "watch",
    Role.BET: "bet",
    Role.OPERATE: "operate this gateway",
}

_NOT_HERE = {frozenset({Role.OPERATE}): "Without a control token only this machine may do that."}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who stands before a door."""

    client: str
    """What limits count an address by."""
    is_this_machine: bool
    token: bytes | None
    """What they show."""
    is_foreign_page: bool = False
    """A browser asks on behalf of a page that is none of the gateway's."""


class Doors:
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        auth, tokens = settings.auth, settings.tokens
        self.verifier = Verifier(auth) if auth.jwks is not None else None
        self.open = frozenset[Role]().union(*(_BY_STATIC[name] for name in settings.open_doors))
        """What can be done without any token; by other machines only with `auth.open_to_network`, and never OPERATE."""
        self.open_to = "everybody" if auth.open_to_network else "this machine"
        """Whom open doors are open to."""
        self._is_open_to_network = auth.open_to_network
        self._static: list[tuple[bytes, frozenset[Role]]] = [
            (token.get_secret_value().encode(), roles)
            for name, roles in _BY_STATIC.items()
            if (token := getattr(tokens, name)) is not None
        ]
        self._refusals: Counter[str] = Counter()

    def identify(self, visitor: Visitor, roles: Collection[Role], stream: str, now_unix_s: float) -> Identity:
        """Who it is, if they may do one of `roles` at `stream`. AccessError, counted, where they may not."""
        try:
            return self._identified(visitor, roles, stream, now_unix_s)
        except AccessError as error:
            self._refusals[error.cause.label] += 1
            raise

    def samples(self) -> Iterator[Sample]:
        """For a scrape."""
        for role in (Role.PUBLISH, Role.WATCH, Role.OPERATE):
            yield "railbird_open_doors", (role.value,), float(role in self.open)
        for cause, count in self._refusals.items():
            yield "railbird_token_refusals_total", (cause,), count

    def _identified(self, visitor: Visitor, roles: Collection[Role], stream: str, now_unix_s: float) -> Identity:
        without = Identity(visitor.client, self._open_to(visitor), frozenset({ANY_STREAM}))
        is_open = _may(without, roles, stream)
        if self.open.issuperset(roles):
            # No token is asked for, and none would help.
            if is_open:
                return without
            if visitor.is_this_machine:
                raise AccessError(Cause.FOREIGN_PAGE)
            raise AccessError(Cause.NOT_HERE, _NOT_HERE.get(frozenset(roles)))
        try:
            identity = self._by_token(visitor, without, now_unix_s)
        except AccessError:
            if is_open:
                return without
            raise
        if _may(identity, roles, stream):
            return identity
        raise _forbidden(identity, roles, stream)

    def _open_to(self, visitor: Visitor) -> frozenset[Role]:
        if not visitor.is_this_machine and not self._is_open_to_network:
            return frozenset()
        may_operate = visitor.is_this_machine and not visitor.is_foreign_page
        return self.open if may_operate else self.open - {Role.OPERATE}

    def _by_token(self, visitor: Visitor, without: Identity, now_unix_s: float) -> Identity:
        if visitor.token is None:
            raise AccessError(Cause.MISSING)
        # All are compared, in the same time whatever is alike.
        matching = [roles for token, roles in self._static if hmac.compare_digest(visitor.token, token)]
        if matching:
            return replace(without, roles=without.roles.union(*matching), proof=STATIC)
        if self.verifier is None:
            raise AccessError(Cause.STATIC)
        return self.verifier.verify(visitor.token, visitor.client, now_unix_s)


def _may(identity: Identity, roles: Collection[Role], stream: str) -> bool:
    return any(identity.may(role, stream) for role in roles)


def _forbidden(identity: Identity, roles: Collection[Role], stream: str) -> AccessError:
    if identity.roles.isdisjoint(roles):
        deeds = " or ".join(_DEEDS[role] for role in roles)
        return AccessError(Cause.ROLE, f"The token does not let its bearer {deeds}.")
    return AccessError(Cause.STREAM, "The token is not for all streams." if stream == ANY_STREAM else None)
