"""What every answer has in common: CORS for the signalling, and refusals as one sentence of plain text."""

import re
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from gateway.errors import LeavingError, SignallingError, WireError
from gateway.http.keys import HUB, SETTINGS

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ALLOW_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, ETag, traceparent"
_SIGNALLING = ("POST, PATCH, DELETE, OPTIONS", "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After")
_MEDIA = ("GET, HEAD, OPTIONS", "Content-Location, ETag, Link, Age, Date, Retry-After")
_ROUNDS = ("GET, HEAD, POST, OPTIONS", "Accept-Post, Link, Retry-After")
_SHARED = (
    (re.compile(r"/(whip|whep)/"), _SIGNALLING),
    (re.compile(r"/hls/"), _MEDIA),
    (re.compile(r"/api/v1/streams/[^/]+/rounds$"), _ROUNDS),
)
"""What pages of other origins may use: where it lies, by which methods, and which headers they may read. Of the API
that is the rounds alone, where a page of another origin operates by a token only (`auth/doors.py`)."""
_PREFLIGHT_MAX_AGE_S = 86_400


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what was refused into its status and sentence; a WireError is the peer's malformed body."""
    try:
        return await handler(request)
    except LeavingError as error:
        link = request.app[HUB].elsewhere.link(request.rel_url.raw_path)
        headers = error.headers if link is None else error.headers | {"Link": link}
        refused = web.Response(status=error.status, text=_line(error.sentence), headers=headers)
        refused.force_close()  # A load balancer finds another gateway for the next connection, not for this one.
        return refused
    except SignallingError as error:
        return web.Response(status=error.status, text=_line(error.sentence), headers=error.headers)
    except WireError as error:
        return web.Response(status=400, text=_line(str(error)))
    except web.HTTPRequestEntityTooLarge:
        return web.Response(status=413, text="The body is too large.\n")
    except web.HTTPException:
        raise
    except Exception:
        log.exception("request failed", method=request.method, path=request.path)
        return web.Response(status=500, text="The gateway failed to answer; its log says why.\n")


def _line(sentence: str) -> str:
    return sentence.removesuffix(".") + ".\n"


@web.middleware
async def cors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let pages of the allowed origins use WHIP, WHEP (RFC 9725 section 4.1), LL-HLS and rounds."""
    shared = next((terms for path, terms in _SHARED if path.match(request.path)), None)
    if shared is None:
        return await handler(request)
    headers = _cors_headers(request, *shared)
    try:
        response = await handler(request)
    except web.HTTPException as error:  # aiohttp's own 404 and 405: a page has to be able to read these, too
        error.headers.update(headers)
        raise
    if "Vary" in headers and "Vary" in response.headers:
        headers["Vary"] += ", " + response.headers["Vary"]
    response.headers.update(headers)
    return response


def _cors_headers(request: web.Request, methods: str, exposed: str) -> dict[str, str]:
    allowed, origin = request.app[SETTINGS].allowed_origins, request.headers.get("Origin", "")
    is_open = "*" in allowed
    # Where all origins may, the answer is the same for each, and a cache needs to keep it only once.
    headers = {} if is_open else {"Vary": "Origin"}
    if is_open or origin in allowed:
        headers["Access-Control-Allow-Origin"] = "*" if is_open else origin
        headers["Access-Control-Expose-Headers"] = exposed
        if request.method == "OPTIONS":
            headers["Access-Control-Allow-Methods"] = methods
            headers["Access-Control-Allow-Headers"] = _ALLOW_HEADERS
            headers["Access-Control-Max-Age"] = str(_PREFLIGHT_MAX_AGE_S)
    return headers
