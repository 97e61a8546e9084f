"""Bearer tokens (RFC 6750) and who is asking."""

import hmac
import ipaddress

from aiohttp import web
from pydantic import SecretStr

from gateway.errors import SignallingError
from gateway.http.keys import SETTINGS


def require_bearer(request: web.Request, token: SecretStr | None) -> None:
    """SignallingError 401 unless the request carries `token`; no token configured lets everybody in."""
    if token is None:
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # A header may hold any bytes, which aiohttp passes on as surrogates.
    presented, expected = given.strip().encode(errors="surrogateescape"), token.get_secret_value().encode()
    if scheme.lower() == "bearer" and hmac.compare_digest(presented, expected):
        return
    raise SignallingError(401, "A valid bearer token is needed.", {"WWW-Authenticate": 'Bearer realm="railbird"'})


def require_control(request: web.Request) -> None:
    """The control token; without one configured, only this machine itself may change things."""
    token = request.app[SETTINGS].tokens.control
    if token is None and not _is_this_machine(request):
        raise SignallingError(403, "Without a control token only this machine may do that.")
    require_bearer(request, token)


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
