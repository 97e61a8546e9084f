"""WHIP and WHEP over HTTP, as a browser does it: POST the offer, PATCH to restart ICE, DELETE to leave. And JSON, which
the API of rounds speaks.

Whatever goes wrong is a SignallingError: `http_503` for a status that refuses, `http_timeout`, `http_error` when the
server cannot be talked to, `http_redirect`, `http_location` and `http_body` when it answers what may not be followed.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from loadgen.errors import SignallingError
from loadgen.signalling.fragment import FRAGMENT_TYPE
from loadgen.signalling.links import alternate_in

SDP_TYPE = "application/sdp"
JSON_TYPE = "application/json"

MAX_BODY_BYTES = 64 * 1024
"""An answer to our offers is below 10 kB."""

MAX_REDIRECTS = 3
"""One leads to the node with the least load; a chain is a loop or a trap."""

MAX_EXCERPT_CHARS = 200
"""Of what a server says, for people."""

TIMEOUT_S = 10.0
"""For a whole exchange, the body with it. Who joins has closed the page by then."""

_OPENED = (200, 201)
_REDIRECTS = (307, 308)
"""Those that keep the method and the body (RFC 9725 section 4.6)."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What the server made of an offer."""

    answer_text: str
    session_url: str
    etag: str | None
    """Of the ICE session (RFC 9725 section 4.3.1); None when the server names none."""


def http_client(resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """A client for any number of players: a connection for each exchange, as browsers of different people have.
    `resolver` says where a name may lead."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0, resolver=resolver),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
    )


class Signalling:
    """The requests. `endpoint_allowed` is asked about every host that the server sends us to."""

    def __init__(
        self, http: aiohttp.ClientSession, endpoint_allowed: Callable[[str], bool], token: str | None = None
    ) -> None:
        """`token` is sent as bearer token (RFC 6750) to every host that is allowed, and appears in no message."""
        self._http = http
        self._is_allowed = endpoint_allowed
        self._token = token

    async def post(self, url: str, sdp: str) -> Opened:
        """Offer. The session's URL is absolute."""
        target = _parsed(url)
        for _ in range(MAX_REDIRECTS + 1):
            async with self._exchange("POST", target, sdp, {"Content-Type": SDP_TYPE}) as response:
                if response.status not in _REDIRECTS:
                    return await self._opened(response)
                target = self._followed(response, "http_redirect")
        raise SignallingError("http_redirect", f"POST {url}: more than {MAX_REDIRECTS} redirects.")

    async def patch(self, session_url: str, fragment: str, etag: str | None) -> tuple[int, str, str | None]:
        """Restart ICE: `(status, body, new etag)`, whatever the status."""
        # A weak ETag matches nothing in If-Match (RFC 9110 section 13.1.1).
        expected = etag if etag and not etag.startswith("W/") else "*"
        headers = {"Content-Type": FRAGMENT_TYPE, "If-Match": expected}
        async with self._exchange("PATCH", _parsed(session_url), fragment, headers) as response:
            return response.status, await _text(response), response.headers.get("ETag")

    async def delete(self, session_url: str) -> int:
        """Leave; the status, whatever it is."""
        async with self._exchange("DELETE", _parsed(session_url), None, {}) as response:
            return response.status

    async def exchange_json(self, method: str, url: str, body: object = None) -> tuple[int, object]:
        """`(status, answer)`, whatever the status; None for what a refusal says that is no JSON.
        SignallingError("http_body") for any other answer that is none."""
        text = None if body is None else json.dumps(body)
        async with self._exchange(method, _parsed(url), text, {"Content-Type": JSON_TYPE}) as response:
            told = await _text(response)
            try:
                return response.status, json.loads(told)
            except (json.JSONDecodeError, RecursionError):
                if response.status >= 400:
                    return response.status, None
                raise SignallingError("http_body", f"{method} {url}: {response.status}, and no JSON.") from None

    @asynccontextmanager
    async def _exchange(
        self, method: str, url: URL, body: str | None, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        authorization = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            async with self._http.request(
                method, url, data=body, headers={**headers, **authorization}, allow_redirects=False
            ) as response:
                yield response
        except SignallingError as error:  # of what was made of the answer: a server can echo the token anywhere in it
            raise SignallingError(error.cause, self._redacted(str(error)), error.alternate) from None
        except TimeoutError:
            sentence = self._redacted(f"{method} {url}: no whole answer in time.")
            raise SignallingError("http_timeout", sentence) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            sentence = self._redacted(f"{method} {url}: {type(error).__name__}: {error}")
            raise SignallingError("http_error", sentence) from None

    async def _opened(self, response: aiohttp.ClientResponse) -> Opened:
        if response.status not in _OPENED:
            excerpt = await self._excerpt(response)
            alternate = alternate_in(response.headers, str(response.url)) if response.status == 503 else None
            raise SignallingError(
                f"http_{response.status}", f"POST {response.url}: {response.status} {excerpt}", alternate
            )
        session_url = self._followed(response, "http_location")
        return Opened(await _text(response), str(session_url), response.headers.get("ETag"))

    async def _excerpt(self, response: aiohttp.ClientResponse) -> str:
        """What the server says of its refusal, fit for a terminal."""
        try:
            text = await _text(response)
        except SignallingError as error:
            return str(error)
        # Before it is cut: half a token is no longer known for one.
        excerpt = self._redacted(text)[:MAX_EXCERPT_CHARS]
        return "".join(c if c.isprintable() else " " for c in excerpt).strip()

    def _redacted(self, text: str) -> str:
        return text.replace(self._token, "***") if self._token else text

    def _followed(self, response: aiohttp.ClientResponse, cause: str) -> URL:
        """Where Location leads, relative to what was asked (RFC 9110 section 10.2.2)."""
        location = response.headers.get("Location")
        if not location:
            raise SignallingError(cause, f"{response.url}: {response.status} without a Location.")
        try:
            target = response.url.join(URL(location))
            host = target.host
        except ValueError:
            host = None
        if not host or target.scheme not in ("http", "https"):
            told = self._redacted(location)[:MAX_EXCERPT_CHARS]
            raise SignallingError(cause, f"{response.url}: its Location is no HTTP address: {told!r}.")
        if response.url.scheme == "https" and target.scheme == "http":
            raise SignallingError(cause, f"{response.url}: its Location leads out of TLS.")
        if not self._is_allowed(host):
            raise SignallingError(cause, f"{response.url}: its Location leads to {host}, which may not be loaded.")
        return target


def _parsed(url: str) -> URL:
    try:
        return URL(url)
    except ValueError as error:
        raise SignallingError("http_error", f"{url!r} is no address: {error}") from None


async def _text(response: aiohttp.ClientResponse) -> str:
    """The body. SignallingError("http_body") when it is too large or no UTF-8."""
    body = b""
    while len(body) <= MAX_BODY_BYTES and not response.content.at_eof():
        body += await response.content.read(MAX_BODY_BYTES + 1 - len(body))
    if len(body) > MAX_BODY_BYTES:
        raise SignallingError("http_body", f"{response.url}: the body is longer than {MAX_BODY_BYTES} bytes.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise SignallingError("http_body", f"{response.url}: the body is not UTF-8.") from None
