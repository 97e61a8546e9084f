"""Which doors of the gateway the front has open: all that players, pages and studios come by, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from gateway.app import Gateway
from gateway.config import HostPort, Settings
from gateway.web import WEB_ROOT
from tests.front.nginx_process import FRONT
from tests.front.stub_origin import StubOrigin

DOCS = FRONT.parents[1] / "docs"

_SESSION = {"PATCH", "DELETE", "OPTIONS"}
_MEDIA = {"GET", "OPTIONS"}
OPEN = {
    "/": {"GET"},
    "/watch/{stream}": {"GET"},
    "/studio/{stream}": {"GET"},
    "/web": {"GET"},
    "/whip/{stream}": {"POST", "OPTIONS"},
    "/whip/{stream}/{session}": _SESSION,
    "/whep/{stream}": {"POST", "OPTIONS"},
    "/whep/{stream}/{session}": _SESSION,
    "/hls/{stream}/index.m3u8": _MEDIA,
    "/hls/{stream}/{generation}/index.m3u8": _MEDIA,
    "/hls/{stream}/{generation}/{rendition}.m3u8": _MEDIA,
    "/hls/{stream}/{generation}/{rendition}/{msn}.{part}.m4s": _MEDIA,
    "/hls/{stream}/{generation}/{rendition}/{msn}.m4s": _MEDIA,
    "/hls/{stream}/{generation}/{rendition}/init-{number}.mp4": _MEDIA,
    "/hls/{stream}/{generation}/{path}": _MEDIA,
    "/signals/{stream}": {"GET"},
    "/api/v1/streams": {"GET"},
    "/api/v1/streams/{stream}": {"GET"},
    "/api/v1/streams/{stream}/rounds": {"GET", "POST", "OPTIONS"},
}
"""Path -> methods."""
SHUT = {
    "/ops": {"GET"},
    "/metrics": {"GET"},
    "/livez": {"GET"},
    "/readyz": {"GET"},
    "/api/v1/qos": {"GET"},
    "/api/v1/ops": {"GET"},
    "/api/v1/drain": {"GET", "POST", "DELETE"},
    "/api/v1/sessions": {"GET"},
    "/api/v1/sessions/{session}": {"DELETE"},
}
"""For who operates this node, or looks after it."""
FILLED_IN = {"stream": "t", "rendition": "video", "msn": "0", "part": "0", "number": "1"}


async def test_each_route_of_the_gateway_is_a_door_of_the_tables() -> None:
    """A new one is let through, or kept, on purpose."""
    loopback = HostPort(host="127.0.0.1", port=0)
    gateway = Gateway(Settings(http=loopback, udp=loopback))
    await gateway.start()
    routes: dict[str, set[str]] = {}
    for route in gateway._http._runner.app.router.routes():
        assert route.resource is not None
        routes.setdefault(route.resource.canonical, set()).add(route.method)
    await gateway.stop()
    assert {path: methods - {"HEAD"} for path, methods in routes.items()} == OPEN | SHUT


def _doors(address: str, among: dict[str, set[str]]) -> list[str]:
    """Those that an address is one of, whatever it has in the place of names."""
    address = re.sub(r"\$?\{(?:[^{}]|\{[^{}]*\})*\}|\b(?:roulette-1|demo)\b", "t", address.partition("?")[0])
    patterns = {door: re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(door)) for door in among}
    patterns |= {"/web": "/web/.+"} if "/web" in among else {}
    return [door for door, pattern in patterns.items() if re.fullmatch(pattern, address.partition("#")[0])]


def _fetched(page: Path) -> set[str]:
    """Addresses of the gateway that a script or a page asks for, at whichever edge."""
    literal = r"""(?P<quote>["'`])(?:\$\{edge\})?(?P<address>/(?:\$\{(?:[^{}]|\{[^{}]*\})*\}|[^"'`\s])*)(?P=quote)"""
    found = re.finditer(literal, page.read_text(encoding="utf-8"))
    # The front page makes its links of a word.
    return {each["address"].replace("/${page}/", "/studio/") for each in found}


PAGES = sorted(path for path in Path(WEB_ROOT).iterdir() if path.suffix in {".js", ".html"})


def test_what_pages_ask_for_is_let_through() -> None:
    # The operators' own page is opened inside.
    asked = {(page.name, each) for page in PAGES for each in _fetched(page) if not page.name.startswith("ops")}
    doors = {door for _page, address in asked for door in _doors(address, OPEN)}
    by_pages = {"/whip/{stream}", "/whep/{stream}", "/hls/{stream}/index.m3u8", "/signals/{stream}", "/api/v1/streams"}
    assert doors >= by_pages | {"/api/v1/streams/{stream}", "/api/v1/streams/{stream}/rounds", "/web"}
    assert {(page, address) for page, address in asked if not _doors(address, OPEN)} == set()


def _access() -> Iterator[tuple[str, str]]:
    """(door, role) of the table in docs/access.md."""
    table = re.findall(
        r"^\| ([^|]*`[^|]*/[^|]*) \| ([^|]+) \|$", (DOCS / "access.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    for doors, roles in table:
        yield from ((path, roles) for path in re.findall(r"[` ](/[^` ]*)`", doors))


def test_doors_that_ask_for_a_players_or_a_studios_token_are_open() -> None:
    by_token = {path: roles for path, roles in _access() if not roles.startswith("none")}
    assert {path for path, roles in by_token.items() if not roles.startswith("operate")} <= OPEN.keys()
    assert {path for path, roles in by_token.items() if roles.startswith("operate")} <= SHUT.keys()
    assert by_token.keys() >= {"/api/v1/streams/{stream}/rounds", "/api/v1/drain"}


def test_addresses_of_an_edge_in_the_documents_are_let_through() -> None:
    pages = [DOCS.parent / "README.md", *DOCS.rglob("*.md"), *FRONT.parent.rglob("*.md")]
    address = re.compile(r"https://[\w-]+\.edge\.example\.com(?::\d+)?(/[^\s`\"')]*)")
    told = {path for page in pages for path in address.findall(page.read_text(encoding="utf-8"))}
    assert told
    assert {path for path in told if not _doors(path, OPEN)} == set()


def _filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: FILLED_IN.get(name[1], "x"), path)


@pytest.mark.nginx
async def test_open_doors_lead_to_the_gateway(client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    for path, methods in OPEN.items():
        for method in sorted(methods):
            before = origin.asked.total()
            async with client.request(method, _filled(path)) as response:
                is_answered_here = method == "OPTIONS" and response.status == 204  # below a generation
            assert origin.asked.total() == before + (not is_answered_here), f"{method} {path}"


@pytest.mark.nginx
async def test_shut_doors_do_not(client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    for path in SHUT:
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            async with client.request(method, _filled(path)) as response:
                assert response.status == 404, f"{method} {path}"
    assert not origin.asked
