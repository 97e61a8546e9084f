"""Bearer tokens (RFC 6750) and who is asking."""

import hmac
import ipaddress

from aiohttp import web

from gateway.auth.identity import ANY_STREAM, Identity, Role
from gateway.config import Tokens
from gateway.errors import SignallingError
from gateway.http.keys import SETTINGS
from gateway.hub.admission import client_key

_CHALLENGE = 'Bearer realm="railbird"'
_SUBPROTOCOL = "bearer."
"""A page cannot give a WebSocket an Authorization header: it offers its token as a subprotocol of this prefix."""


def identify(request: web.Request, role: Role, stream: str = ANY_STREAM) -> Identity:
    """Who is asking, if they may do `role` at `stream`; ANY_STREAM: at all of them.

    SignallingError 401 for a token that is missing or wrong, 403 for one that does not let them do that.
    """
    identity = _identity(request)
    if identity.may(role, stream):
        return identity
    if role is Role.OPERATE and request.app[SETTINGS].tokens.control is None:
        raise SignallingError(403, "Without a control token only this machine may do that.")
    raise SignallingError(401, "A valid bearer token is needed.", {"WWW-Authenticate": _CHALLENGE})


def _identity(request: web.Request) -> Identity:
    tokens, presented = request.app[SETTINGS].tokens, _presented(request)
    roles: set[Role] = set()
    for name, opens in _STATIC.items():
        token = getattr(tokens, name)
        if token is None:
            roles |= opens if name != "control" or _is_this_machine(request) else frozenset()
        elif hmac.compare_digest(presented, token.get_secret_value().encode()):
            roles |= opens
    return Identity(client_key(remote_host(request)), frozenset(roles), frozenset({ANY_STREAM}))


_STATIC = {
    "publish": frozenset({Role.PUBLISH}),
    "watch": frozenset({Role.WATCH, Role.BET}),
    "control": frozenset({Role.OPERATE}),
}
assert set(_STATIC) == set(Tokens.model_fields)


def _presented(request: web.Request) -> bytes:
    """The token that came with the request; empty without one."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        # A header may hold any bytes, which aiohttp passes on as surrogates.
        return given.strip().encode(errors="surrogateescape")
    offered = (name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(","))
    token = next((name.removeprefix(_SUBPROTOCOL) for name in offered if name.startswith(_SUBPROTOCOL)), "")
    return token.encode(errors="surrogateescape")


def remote_host(request: web.Request) -> str:
    """The client's address: the last hop of X-Forwarded-For that is no trusted proxy, if the request came by one."""
    host = request.remote or ""
    trusted = _trusted_proxies(request)
    # A proxy may append its hop as a header of its own, behind one that the client made up.
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    while host in trusted and hops:
        host = hops.pop()
    return host


def _is_this_machine(request: web.Request) -> bool:
    """Whether the request came from here, and not through a proxy here that `trusted_proxies` does not know."""
    by_unknown_proxy = "X-Forwarded-For" in request.headers and request.remote not in _trusted_proxies(request)
    return _is_loopback(remote_host(request)) and not by_unknown_proxy


def _trusted_proxies(request: web.Request) -> set[str]:
    return {str(address) for address in request.app[SETTINGS].trusted_proxies}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
