"""From where a request came, through proxies that are known and ones that are not."""

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp import web

from gateway.http.keys import SETTINGS


def remote_host(request: web.Request) -> str:
    """The client's address: the last hop of X-Forwarded-For that is no trusted proxy, if the request came by one."""
    host = _peer(request)
    trusted = _trusted_proxies(request)
    # A proxy may append its hop as a header of its own, behind one that the client made up.
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    while host in trusted and hops:
        host = _plain(hops.pop())
    return host


def is_this_machine(request: web.Request) -> bool:
    """Whether the request came from here, and not through a proxy here that `trusted_proxies` does not know."""
    by_unknown_proxy = "X-Forwarded-For" in request.headers and _peer(request) not in _trusted_proxies(request)
    return not by_unknown_proxy and _is_loopback(remote_host(request))


def is_foreign_page(request: web.Request) -> bool:
    """Whether a browser sent it for a page of another origin. Schemes are not compared: a proxy may end TLS."""
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.host


def is_by_strange_name(request: web.Request) -> bool:
    """Whether it was asked for by a name that is not this machine's: a page of anybody's may let its own name lead here
    (DNS rebinding), and is of the same origin then. Addresses are nobody's to lead."""
    try:
        name = (urlsplit(f"//{request.host}").hostname or "").rstrip(".")
    except ValueError:
        return True
    own = socket.gethostname().lower()
    if name in ("localhost", own, own.partition(".")[0]) or name.endswith(".localhost"):
        return False
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return True
    return False


def _peer(request: web.Request) -> str:
    """Who connected."""
    return _plain(request.remote or "")


def _trusted_proxies(request: web.Request) -> set[str]:
    return {_plain(str(address)) for address in request.app[SETTINGS].trusted_proxies}


def _plain(host: str) -> str:
    """An IPv4 address as itself, where a socket of both families has it as an IPv6 one (RFC 4291 section 2.5.5.2)."""
    try:
        mapped = ipaddress.IPv6Address(host).ipv4_mapped
    except ValueError:
        return host
    return str(mapped) if mapped is not None else host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
