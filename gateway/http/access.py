"""Who asks, whether they may, and whether they ask too often: `identify`, which every door begins with.

A token comes as `Authorization: Bearer`; where a page can set no header (WebSockets), as a subprotocol that is offered.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

import structlog
from aiohttp import web

from gateway.auth.audit import Audit, Deed
from gateway.auth.doors import Doors, Visitor
from gateway.auth.identity import ANY_STREAM, Identity, Role
from gateway.auth.keys import Keys
from gateway.auth.refusal import AccessError
from gateway.clock import monotonic_s, unix_s
from gateway.config import Settings
from gateway.errors import SignallingError
from gateway.http.client import is_by_strange_name, is_foreign_page, is_this_machine, remote_host
from gateway.http.middleware import Handler
from gateway.hub.admission import client_key
from gateway.metrics import Sample
from gateway.rates import Rates

log = structlog.get_logger()

TOKEN_SUBPROTOCOL = "bearer."
"""What a WebSocket's offered subprotocol begins with when the rest of it is the token, percent-encoded (RFC 3986
section 2.1), as a subprotocol has not every character. It is never the chosen one."""

RETRY_AFTER_S = 1

MAX_STREAM_CHARS = 64
"""Of what a refused client called a stream, which nobody has looked at yet, in the audit trail."""

_AUDITED = frozenset({Role.PUBLISH, Role.OPERATE})
"""Roles whose refused tokens are audited."""


class Access:
    """The doors, the keys that tokens are judged by, and the rates."""

    def __init__(self, settings: Settings, audit: Audit) -> None:
        self.audit = audit
        self.doors = Doors(settings)
        self.keys: Keys | None = None
        if self.doors.verifier is not None and settings.auth.jwks is not None:
            self.keys = Keys(settings.auth.jwks, settings.auth, self.doors.verifier.use)
            self.keys.on_reloaded = lambda count: audit.note(Deed.KEYS, "reloaded", monotonic_s(), keys=count)
        self._reload_s = settings.auth.reload_s
        self._addresses = Rates(settings.limits.requests_per_address_per_s)
        self._players = Rates(settings.limits.requests_per_player_per_s)
        self._limited: Counter[str] = Counter()

    @property
    def periodic(self) -> list[tuple[float, Callable[[float], None]]]:
        """As `Gateway` has them."""
        return [(self._reload_s, self.keys.tick)] if self.keys is not None else []

    async def start(self) -> None:
        """Get the keys; warn of open doors. ConfigError when there are no keys."""
        if self.keys is not None:
            await self.keys.load()
        # Operating without a token is this machine's alone in any case.
        roles = sorted(role.value for role in self.doors.open - {Role.OPERATE})
        if roles:
            log.warning("doors are open, no token is asked for", roles=roles, to=self.doors.open_to)

    async def stop(self) -> None:
        """Look for keys no more."""
        if self.keys is not None:
            await self.keys.stop()

    def identify(self, request: web.Request, roles: tuple[Role, ...], stream: str) -> Identity:
        """See the function of this name."""
        now_s, counts = monotonic_s(), _counts(request)
        client, token = client_key(remote_host(request)), presented_token(request)
        is_foreign = is_foreign_page(request) or is_by_strange_name(request)
        visitor = Visitor(client, is_this_machine(request), token, is_foreign)
        # This machine is exempt: it runs load tests, and proxies that nobody named, whose clients are many.
        if counts and not visitor.is_this_machine and not self._addresses.allows(visitor.client, now_s):
            self._refuse("address", "This address asks too often.")
        try:
            # Tokens are about the world's time, which may be set while the process lives.
            identity = self.doors.identify(visitor, roles, stream, unix_s())
        except AccessError as error:
            if visitor.token is not None and not _AUDITED.isdisjoint(roles):
                asked = {"stream": stream[:MAX_STREAM_CHARS], "path": _door(request), "method": request.method}
                self.audit.note_refusal(error.cause.label, visitor.client, now_s, **asked)
            raise
        if counts and identity.player is not None and not self._players.allows(identity.player, now_s):
            self._refuse("player", "This player asks too often.")
        return identity

    async def know_key_of(self, token: bytes) -> None:
        """Get the key that signed `token`, if it may have come since the last look."""
        if self.keys is not None and self.doors.verifier is not None and not self.doors.verifier.knows_key_of(token):
            await self.keys.look_early(monotonic_s())

    def samples(self) -> Iterator[Sample]:
        """For a scrape."""
        yield from self.doors.samples()
        if self.keys is not None:
            yield from self.keys.samples()
        for kind in ("address", "player"):
            yield "railbird_rate_limited_total", (kind,), self._limited[kind]

    def _refuse(self, kind: str, sentence: str) -> None:
        self._limited[kind] += 1
        raise SignallingError(429, sentence, {"Retry-After": str(RETRY_AFTER_S)})


def _door(request: web.Request) -> str:
    """Which one, without what its client filled in."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""


ACCESS = web.AppKey("access", Access)


def identify(request: web.Request, role: Role, stream: str = ANY_STREAM, *or_roles: Role) -> Identity:
    """Who asks, if they may do `role`, or one of `or_roles`, at `stream`; ANY_STREAM: at all of them.

    SignallingError 401 for a token that is missing or not good, 403 for one that does not let them do that, 429 for who
    asks too often.
    """
    return request.app[ACCESS].identify(request, (role, *or_roles), stream)


@web.middleware
async def newest_keys(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a token whose key is not known wait for one look at the key set: it may be signed by the newest."""
    token = presented_token(request)
    if token is not None:
        await request.app[ACCESS].know_key_of(token)
    return await handler(request)


def presented_token(request: web.Request) -> bytes | None:
    """The token that came with the request."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        offers = ",".join(request.headers.getall("Sec-WebSocket-Protocol", ()))
        offered = (name.strip() for name in offers.split(","))
        encoded = next((name.removeprefix(TOKEN_SUBPROTOCOL) for name in offered if _is_token(name)), "")
        return unquote_to_bytes(encoded.encode(errors="surrogateescape")) or None
    # A header may hold any bytes, which aiohttp passes on as surrogates.
    return given.strip().encode(errors="surrogateescape") or None


def _is_token(subprotocol: str) -> bool:
    return subprotocol.startswith(TOKEN_SUBPROTOCOL)


def _counts(request: web.Request) -> bool:
    """Whether it is a request that rates are about: one that makes work, or something that stays."""
    return request.method == "POST" or "Sec-WebSocket-Key" in request.headers
