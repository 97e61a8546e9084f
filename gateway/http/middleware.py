"""What every answer has in common: CORS for the signalling, and refusals as one sentence of plain text."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from gateway.errors import SignallingError, WireError
from gateway.http.keys import SETTINGS

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ALLOW_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, ETag"
_EXPOSE_HEADERS = "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After"
_PREFLIGHT_MAX_AGE_S = 86_400


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what was refused into its status and sentence; a WireError is the peer's malformed body."""
    try:
        return await handler(request)
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
    """Let pages of the allowed origins use WHIP and WHEP (RFC 9725 section 4.1)."""
    headers = _cors_headers(request) if request.path.startswith(("/whip/", "/whep/", "/hls/")) else {}
    try:
        response = await handler(request)
    except web.HTTPException as error:  # aiohttp's own 404 and 405: a page has to be able to read these, too
        error.headers.update(headers)
        raise
    response.headers.update(headers)
    return response


def _cors_headers(request: web.Request) -> dict[str, str]:
    allowed, origin = request.app[SETTINGS].allowed_origins, request.headers.get("Origin", "")
    if "*" not in allowed and origin not in allowed:
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": "*" if "*" in allowed else origin,
        "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": _ALLOW_HEADERS,
        "Access-Control-Expose-Headers": _EXPOSE_HEADERS,
        "Access-Control-Max-Age": str(_PREFLIGHT_MAX_AGE_S),
        "Vary": "Origin",
    }
