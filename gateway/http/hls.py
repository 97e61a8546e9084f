"""LL-HLS over HTTP: playlists, parts, segments (draft-pantos-hls-rfc8216bis sections 6.2.5, 6.2.6 and B.1).

`/hls/{stream}/index.m3u8` asks who may watch. What lies below a generation asks for none: whoever knows the
generation was let in, and a cache may keep and hand out what it has fetched once.
"""

import re
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from aiohttp import web

from gateway.auth.identity import Role
from gateway.clock import monotonic_s
from gateway.errors import SignallingError
from gateway.hls.playlist import Skip, Text, zipped
from gateway.hls.presentation import PartWish, Presentation
from gateway.hls.presentations import Presentations
from gateway.http.access import identify
from gateway.http.keys import HUB, SETTINGS
from gateway.http.middleware import Handler

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
MEDIA_TYPES = {"video": "video/mp4", "audio": "audio/mp4"}

_BLOCKED_TARGET_DURATIONS = 6
"""How long a cache may keep a playlist or a part that was waited for: nobody asks for it later (section B.1)."""
_REFUSED_TARGET_DURATIONS = 4
"""How long a cache may keep the refusal of a playlist that must not be asked for (section B.1)."""
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,15}")


def routes() -> list[web.RouteDef]:
    """What the server is to serve."""
    below = "/hls/{stream}/{generation}"
    media = f"{below}/{{rendition:video|audio}}"
    # They are tried in this order: first what is asked for most.
    handlers = [
        (f"{media}.m3u8", "playlist", playlist),
        (f"{media}/{{msn:[0-9]{{1,15}}}}.{{part:[0-9]{{1,15}}}}.m4s", "part", part),
        (f"{media}/{{msn:[0-9]{{1,15}}}}.m4s", "segment", segment),
        (f"{media}/init-{{number:[0-9]{{1,15}}}}.mp4", "init_section", init_section),
        ("/hls/{stream}/index.m3u8", "multivariant", index),
        (f"{below}/index.m3u8", "multivariant", index_of_generation),
        (f"{below}/{{path:.*}}", "unknown", unknown),
    ]
    gets = [web.get(path, _counted(kind, handler)) for path, kind, handler in handlers]
    return gets + [web.options(path, preflight) for path, _kind, _handler in handlers]


def _counted(kind: str, handler: Handler) -> Handler:
    """The handler, its answers counted by their status."""

    async def counted(request: web.Request) -> web.StreamResponse:
        status = 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except SignallingError as error:
            status = error.status
            raise
        finally:
            request.app[HUB].presentations.requests[kind, str(status)] += 1

    return counted


async def preflight(request: web.Request) -> web.Response:
    """For pages of other origins that send the token."""
    return web.Response(status=204, headers={"Allow": "GET, HEAD, OPTIONS"})


async def index(request: web.Request) -> web.Response:
    """The multivariant playlist at the address that players are given; this is what begins the packaging."""
    identify(request, Role.WATCH, request.match_info["stream"])
    request.app[HUB].admission.refuse_if_draining()
    presentations = request.app[HUB].presentations
    presentation = presentations.open(request.match_info["stream"], monotonic_s())
    cache = "no-cache" if "watch" in request.app[SETTINGS].open_doors else "private, no-store"
    return await _multivariant(request, presentations, presentation, f"{presentation.generation}/", cache)


async def index_of_generation(request: web.Request) -> web.Response:
    """The same playlist below its generation."""
    _refuse_if_left(request)
    return await _multivariant(request, request.app[HUB].presentations, _presentation(request), "", "public, max-age=1")


async def playlist(request: web.Request) -> web.Response:
    """A media playlist; with _HLS_msn it waits for what it names (section 6.2.5.2)."""
    _refuse_if_left(request)
    presentations, presentation = request.app[HUB].presentations, _presentation(request)
    name = request.match_info["rendition"]
    target_s = presentation.packager.targets.target_duration_s
    try:
        msn, part_index, skip = _directives(request.query)
        is_there = presentation.playlist_wish(name, msn, part_index)
    except SignallingError as error:
        error.headers["Cache-Control"] = f"public, max-age={_REFUSED_TARGET_DURATIONS * target_s}"
        raise
    if not await presentations.wait_until(presentation, is_there):
        _refuse_if_left(request)
        raise _too_late()
    max_age_s = max(target_s // 2, 1) if msn is None else _BLOCKED_TARGET_DURATIONS * target_s
    return _text(request, presentation.playlist(name, skip, monotonic_s()), f"public, max-age={max_age_s}")


async def part(request: web.Request) -> web.Response:
    """A part; the one that comes next is waited for (section 6.2.6)."""
    presentations, presentation = request.app[HUB].presentations, _presentation(request)
    name, msn, number = request.match_info["rendition"], _number(request, "msn"), _number(request, "part")
    if presentation.is_hinted(name, msn, number):
        is_decided = await presentations.wait_until(presentation, PartWish(presentation.rendition(name), msn, number))
        if not is_decided:
            raise _too_late()
    payload = presentation.part(name, msn, number)
    if payload is None:
        raise SignallingError(404, "This part is not there (any more).", _error_cache(presentation))
    return _media(presentation, payload, MEDIA_TYPES[name])


async def segment(request: web.Request) -> web.Response:
    """A whole segment: its parts, one after the other."""
    presentation = _presentation(request)
    name = request.match_info["rendition"]
    found = presentation.segment(name, _number(request, "msn"))
    if found is None:
        raise SignallingError(404, "This segment is not there (any more).", _error_cache(presentation))
    return _media(presentation, b"".join(part.payload for part in found.parts), MEDIA_TYPES[name])


async def init_section(request: web.Request) -> web.Response:
    """A media initialization section."""
    presentation = _presentation(request)
    name = request.match_info["rendition"]
    payload = presentation.rendition(name).init_section(_number(request, "number"))
    if payload is None:
        raise SignallingError(404, "This init section is not there (any more).", _error_cache(presentation))
    return _media(presentation, payload, MEDIA_TYPES[name])


async def unknown(request: web.Request) -> web.Response:
    """What no presentation has."""
    raise SignallingError(404, "A presentation has no such resource.", _error_cache(_presentation(request)))


async def _multivariant(
    request: web.Request, presentations: Presentations, presentation: Presentation, directory: str, cache: str
) -> web.Response:
    is_ready = await presentations.wait_until(
        presentation, lambda: presentation.is_ready or presentation.packager.is_over
    )
    if not is_ready or not presentation.is_ready:
        raise SignallingError(503, "The stream has not sent a keyframe yet.", {"Retry-After": "1"})
    plain = presentation.multivariant(directory).encode()
    stream = presentation.packager.stream.name
    location = f"/hls/{stream}/{presentation.generation}/index.m3u8"
    headers = {"Cache-Control": cache, "Content-Location": location, "Vary": "Accept-Encoding"}
    return _playlist(request, plain, zipped(plain), headers)


def _refuse_if_left(request: web.Request) -> None:
    """LeavingError where the players of the stream are sent away: parts that they know of they may still get."""
    hub = request.app[HUB]
    if hub.draining.has_left(request.match_info["stream"]):
        hub.admission.refuse_if_draining()


def _presentation(request: web.Request) -> Presentation:
    match = request.match_info
    return request.app[HUB].presentations.of_generation(match["stream"], match["generation"], monotonic_s())


def _number(request: web.Request, name: str) -> int:
    return int(request.match_info[name])


def _directives(query: Mapping[str, str]) -> tuple[int | None, int | None, Skip]:
    """_HLS_msn, _HLS_part and _HLS_skip. SignallingError 400 for what they cannot be."""
    try:
        skip = Skip(query.get("_HLS_skip", ""))
    except ValueError:
        raise SignallingError(400, "_HLS_skip is YES or v2.") from None
    return _directive(query, "_HLS_msn"), _directive(query, "_HLS_part"), skip


def _directive(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value):
        raise SignallingError(400, f"{name} is not a decimal number of at most 15 digits.")
    return int(value)


def _text(request: web.Request, text: Text, cache: str) -> web.Response:
    headers = {"Cache-Control": cache, "ETag": text.etag, "Vary": "Accept-Encoding"}
    if text.etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return _playlist(request, text.plain, text.gzipped, headers)


def _playlist(request: web.Request, plain: bytes, gzipped: bytes, headers: dict[str, str]) -> web.Response:
    if not _TAKES_GZIP.search(request.headers.get("Accept-Encoding", "")):
        return web.Response(body=plain, content_type=PLAYLIST_TYPE, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return web.Response(body=gzipped, content_type=PLAYLIST_TYPE, headers=headers)


@lru_cache(8)
def _http_date(unix_s: int) -> str:
    return formatdate(unix_s, usegmt=True)


def _media(presentation: Presentation, payload: bytes, content_type: str) -> web.Response:
    """What never changes. It is here as long as a playlist lasts at least (section 6.2.2)."""
    lifetime_s = round(presentation.window_s)
    headers = {
        "Cache-Control": f"public, max-age={lifetime_s}, immutable",
        "Expires": _http_date(int(time.time()) + lifetime_s),
    }
    return web.Response(body=payload, content_type=content_type, headers=headers)


def _error_cache(presentation: Presentation) -> dict[str, str]:
    return {"Cache-Control": f"public, max-age={presentation.packager.targets.target_duration_s}"}


def _too_late() -> SignallingError:
    return SignallingError(503, "The studio sends nothing now.", {"Retry-After": "1", "Cache-Control": "no-store"})
