"""Bodies of requests, read in bounded time and size."""

import asyncio

from aiohttp import web

from gateway.errors import SignallingError

BODY_TIMEOUT_S = 10.0
"""A body of 64 kB takes less on the slowest path that could then carry video."""


async def read_text(request: web.Request, content_type: str, max_bytes: int, accept_header: str) -> str:
    """The body, if it is of that type; `accept_header` says so to who sent another.

    SignallingError 408, 413, 415, or 400 for what is not UTF-8, or not compressed as it says.
    """
    if request.content_type != content_type:
        raise SignallingError(415, f"The body has to be {content_type}.", {accept_header: content_type})
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            body = await _read(request, max_bytes + 1)
    except TimeoutError:
        raise SignallingError(408, "The body did not come in time.") from None
    except web.RequestPayloadError:  # gzip that is none, say
        raise SignallingError(400, "The body is not encoded as its headers say.") from None
    if len(body) > max_bytes:
        raise SignallingError(413, f"The body is longer than {max_bytes} bytes.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise SignallingError(400, "The body is not UTF-8.") from None


async def _read(request: web.Request, max_bytes: int) -> bytes:
    """At most `max_bytes` of the body."""
    body = b""
    while len(body) < max_bytes and not request.content.at_eof():
        body += await request.content.read(max_bytes - len(body))
    return body
