"""One player's requests: a pool of keep-alive connections of its own, as each browser has. HTTP/1.1 alone, for aiohttp
knows no HTTP/2."""

import asyncio
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from gateway.errors import WireError
from loadgen.errors import SignallingError
from loadgen.signalling.links import alternate_in

MAX_CONNECTIONS = 6
"""To one server, as browsers have with HTTP/1.1. A player has four requests under way at the most: two renditions, each
with a reload and a part."""

MAX_BODY_BYTES = 64 << 20
"""A segment of ten seconds at 50 Mb/s."""

MAX_PLAYLIST_BYTES = 4 << 20
"""Unpacked."""

MAX_REDIRECTS = 3

MAX_ADDRESSES_KEPT = 4_096
"""Hundreds of players ask for the same parts at the same time: an address is worked out once."""

MAX_RETRY_AFTER_S = 10.0
"""A player waits no longer, whatever it is told: who watches would have left."""

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Answer:
    """To one request, whatever its status. Instants are unix seconds."""

    url: str
    """That was asked last, redirects followed: what relative URIs are relative to."""
    status: int
    body: bytes
    """As it came: perhaps packed."""
    is_gzip: bool
    retry_after_s: float | None
    """At most MAX_RETRY_AFTER_S."""
    sent_s: float
    arrived_s: float
    """The last byte."""
    alternate: str | None = None
    """Of a 503: where it says that the same is to be had, which nobody has judged yet."""

    @property
    def is_good(self) -> bool:
        """Whether it brought what was asked for."""
        return self.status == 200

    def text(self) -> str:
        """A playlist. WireError when it is packed wrongly, too long, or no UTF-8."""
        body = self.body
        try:
            if self.is_gzip:
                unpacking = zlib.decompressobj(_GZIP_WINDOW)
                body = unpacking.decompress(body, MAX_PLAYLIST_BYTES)
                if not unpacking.eof:
                    raise WireError("A packed playlist is too long, or cut off.")
            return body.decode()
        except (zlib.error, UnicodeDecodeError) as error:
            raise WireError(f"A playlist cannot be unpacked: {error}") from None


class Fetcher:
    """See the module. Whatever keeps a request from being answered is a SignallingError: `http_timeout`, `http_error`,
    `http_redirect`, `http_body`."""

    def __init__(self, resolver: AbstractResolver | None, is_allowed: Callable[[str], bool]) -> None:
        """`is_allowed` is asked about every host that the server sends us to."""
        self._is_allowed = is_allowed
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=MAX_CONNECTIONS, resolver=resolver),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"Accept-Encoding": "gzip"},
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    def abandon(self) -> None:
        """The same, where nobody can wait for it."""
        if not self._http.closed:
            self._closing = asyncio.ensure_future(self._http.close())

    async def enter(self, url: str, token: str | None, timeout_s: float) -> Answer:
        """The first request of all: the only one with the bearer token, and that follows redirects."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        for _ in range(MAX_REDIRECTS + 1):
            answer, location = await self._get(url, timeout_s, headers)
            if answer.status not in _REDIRECTS:
                return answer
            url = self.joined(answer.url, location or "")
        raise SignallingError("http_redirect", f"{url}: more than {MAX_REDIRECTS} redirects.")

    async def get(self, url: str, timeout_s: float) -> Answer:
        """GET."""
        answer, _ = await self._get(url, timeout_s, {})
        return answer

    async def _get(self, url: str, timeout_s: float, headers: dict[str, str]) -> tuple[Answer, str | None]:
        """The answer, and its Location."""
        sent_s = time.time()
        try:
            async with self._http.get(
                _address(url), headers=headers, allow_redirects=False, timeout=_timeout(timeout_s)
            ) as response:
                body = await _body(response)
                answer = Answer(
                    url,
                    response.status,
                    body,
                    response.headers.get("Content-Encoding") == "gzip",
                    _retry_after_s(response.headers.get("Retry-After")),
                    sent_s,
                    time.time(),
                    alternate_in(response.headers, url) if response.status == 503 else None,
                )
                return answer, response.headers.get("Location")
        except TimeoutError:
            raise SignallingError("http_timeout", f"{url}: no whole answer in {timeout_s:.0f} s.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SignallingError("http_error", f"{url}: {type(error).__name__}: {error}") from None

    def joined(self, base: str, uri: str) -> str:
        """`uri`, relative to `base` (RFC 3986 section 5). SignallingError("http_redirect") when it leads to a host that
        may not be loaded."""
        target, foreign_host = _resolved(base, uri)
        if foreign_host is not None and not self._is_allowed(foreign_host):
            raise SignallingError("http_redirect", f"{uri[:200]!r} leads to {foreign_host}, which may not be loaded.")
        return target


@lru_cache(MAX_ADDRESSES_KEPT)
def _resolved(base: str, uri: str) -> tuple[str, str | None]:
    """The address, and its host where that is another one than the base's."""
    try:
        origin = URL(base)
        target = origin.join(URL(uri))
        host = target.host
    except ValueError:
        host = None
    if not host or target.scheme not in ("http", "https") or (origin.scheme, target.scheme) == ("https", "http"):
        raise SignallingError("http_redirect", f"{uri[:200]!r} is no HTTP address, or leads out of TLS.")
    return str(target), host if host != origin.host else None


@lru_cache(MAX_ADDRESSES_KEPT)
def _address(url: str) -> URL:
    """As a player's whole process asks for it, many times."""
    return URL(url)


@lru_cache(64)
def _timeout(total_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_s)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Whole. SignallingError("http_body") when it is longer than MAX_BODY_BYTES."""
    if response.content_length is not None and response.content_length <= MAX_BODY_BYTES:
        return await response.read()
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise SignallingError("http_body", f"{response.url}: the body is longer than {MAX_BODY_BYTES} bytes.")
    return b"".join(chunks)


def _retry_after_s(value: str | None) -> float | None:
    """Seconds alone (RFC 9110 section 10.2.3): no media server gives a date."""
    return min(float(value), MAX_RETRY_AFTER_S) if value and value.isascii() and value.isdigit() else None
