"""The pages for people: player, studio, operators, and the list of tables."""

from pathlib import Path

from aiohttp import web

from gateway.stream.registry import check_name
from gateway.web import WEB_ROOT

_CACHE = {"Cache-Control": "no-cache"}


def _page(name: str) -> web.FileResponse:
    return web.FileResponse(Path(WEB_ROOT) / name, headers=_CACHE)


async def index(request: web.Request) -> web.StreamResponse:
    """The live tables."""
    return _page("index.html")


async def watch(request: web.Request) -> web.StreamResponse:
    """The player of one stream."""
    check_name(request.match_info["stream"])
    return _page("watch.html")


async def studio(request: web.Request) -> web.StreamResponse:
    """The studio of one stream."""
    check_name(request.match_info["stream"])
    return _page("studio.html")


async def ops(request: web.Request) -> web.StreamResponse:
    """The operators' page; what it shows asks for a token where there is one."""
    return _page("ops.html")


ROUTES = [
    web.get("/", index),
    web.get("/ops", ops),
    web.get("/watch/{stream}", watch),
    web.get("/studio/{stream}", studio),
    web.static("/web", WEB_ROOT, append_version=False),
]
