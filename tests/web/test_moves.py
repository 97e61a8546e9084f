"""RoamingPlayer in a real browser, between two gateways: it moves without a gap, and is never left with nothing."""

import asyncio
import functools
import itertools
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page, Route, WebSocketRoute, expect

from gateway.web import WEB_ROOT
from tests.web.conftest import served
from tests.web.stub_gateway import StubGateway, until
from tests.web.stub_hls import presentation

pytestmark = pytest.mark.browser

WATCHED = """() => {
    window.states = new Set();
    window.ways = new Set();
    window.bare = 0;
    window.stale = 0;
    const look = () => {
        states.add(railbird.state);
        ways.add(document.querySelector("#way").textContent);
        const still = document.querySelector("#still");
        if (still.hidden && !(document.querySelector("video.shown")?.readyState >= 2)) bare += 1;
        const isOnHls = railbird.state === "live" && railbird.transport === "hls";
        if (isOnHls && !document.querySelector("video.shown")?.id.includes("hls")) stale += 1;
        requestAnimationFrame(look);
    };
    look();
}"""
"""From now on: each state, each word of the way, the animation frames with nothing on the screen, and those that are
live by HLS with another picture on it."""
LATE_FRAMES = """
const { requestVideoFrameCallback } = HTMLVideoElement.prototype;
HTMLVideoElement.prototype.requestVideoFrameCallback = function (then) {
    const late = (...frame) => setTimeout(() => then(...frame), 1000);
    return requestVideoFrameCallback.call(this, this.id === "picture-2" ? late : then);
};
"""
"""The edge that a page moves to has sent frames for a while when the first one is presented."""
WITH_A_PICTURE = {"live", "frozen"}
"""A busy machine may be two seconds without a frame: "frozen". A page that left before it arrived were "connecting"."""


@pytest.fixture
async def other() -> AsyncIterator[StubGateway]:
    """The gateway at the other edge."""
    other = StubGateway()
    yield other
    await other.close()


@pytest.fixture
async def elsewhere(other: StubGateway) -> AsyncIterator[str]:
    """Where it is served."""
    async with served(other) as origin:
        yield origin


async def _watching(page: Page, stub: StubGateway, origin: str) -> None:
    """The page plays from `stub` by WebRTC, has a data channel, and is looked at."""
    await page.goto(f"{origin}/watch/demo?transport=webrtc#token=t0ken")
    await expect(page.locator("#state")).to_have_text("Live")
    await until(lambda: bool(stub.channels))
    await page.evaluate(WATCHED)


def _tell(stub: StubGateway, to: Any, after_ms: object = 0) -> None:
    move = {"type": "move", "sentence": "The table goes on elsewhere.", "afterMs": after_ms, "to": to}
    stub.channels[-1].send(json.dumps(move))


async def _at(page: Page, edge: str, moves: int, within_s: float = 15) -> None:
    """Wait until the page plays from that edge, after so many moves."""
    await page.wait_for_function(
        "([edge, moves]) => railbird.edge === edge && railbird.moves === moves && railbird.state === 'live'",
        arg=[edge, moves],
        timeout=within_s * 1000,
    )


async def _states(page: Page) -> set[str]:
    return set(await page.evaluate("[...states]"))


async def _silent(stub: StubGateway, within_s: float = 15) -> None:
    """Wait until nobody plays HLS from it: three parts long no request comes."""
    async with asyncio.timeout(within_s):
        asked = -1
        while asked != len(stub.hls.requests):
            asked = len(stub.hls.requests)
            await asyncio.sleep(1)


def _origin_of(socket: WebSocketRoute) -> str:
    return "http" + socket.url.removeprefix("ws").removesuffix("/signals/demo")


def _refusal(link: str | None = None, after_s: int = 5) -> web.Response:
    headers = {"Retry-After": str(after_s)} | ({"Link": f'<{link}>; rel="alternate"'} if link else {})
    return web.Response(status=503, headers=headers, text="This gateway is draining.")


async def test_page_moves_without_a_moment_that_is_not_live(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    await _watching(page, stub, origin)
    _tell(stub, elsewhere, 500)
    await expect(page.locator("#way")).to_have_text("Changing servers")
    assert other.asked("POST") == [], "it waits for its turn"
    await _at(page, elsewhere, 1)
    await expect(page.locator("#way")).to_have_text("WebRTC")
    await until(lambda: len(stub.asked("DELETE")) == 1)
    assert await _states(page) <= WITH_A_PICTURE
    assert await page.evaluate("bare") == 0
    (post,) = other.asked("POST")
    assert post.headers["Authorization"] == "Bearer t0ken"
    assert stub.asked("DELETE")[0].at_s > post.at_s
    assert len(stub.asked("POST")) == 1
    await page.wait_for_function("railbird.signals.carrier === 'data_channel'")


async def test_page_moves_when_the_new_picture_is_presented(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    await page.add_init_script(LATE_FRAMES)
    await _watching(page, stub, origin)
    _tell(stub, elsewhere)
    await _at(page, elsewhere, 1)
    assert await page.evaluate("bare") == 0
    assert await _states(page) <= WITH_A_PICTURE
    assert len(other.asked("POST")) == 1


async def test_page_ends_the_old_session_only_when_there_is_another_picture(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    other.mute = True
    await _watching(page, stub, origin)
    _tell(stub, elsewhere)
    await until(lambda: len(other.asked("POST")) == 1)
    stub.refusals.extend(_refusal() for _ in range(3))
    await until(lambda: len(other.asked("DELETE")) == 1, within_s=12)
    assert stub.asked("DELETE") == []
    other.mute = False
    await _at(page, elsewhere, 1)
    assert len(stub.asked("POST")) >= 2, "the page's own address had its turn"
    assert await _states(page) <= WITH_A_PICTURE
    assert await page.evaluate("bare") == 0


@pytest.mark.parametrize("to", [None, 5, "ftp://edge", "javascript:alert(1)", "http://[", "path", "user"])
async def test_page_that_is_not_told_where_to_comes_again_by_its_own_address(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str, to: Any
) -> None:
    named = {"path": f"{elsewhere}/deeper", "user": elsewhere.replace("//", "//a:b@")}
    await _watching(page, stub, origin)
    _tell(stub, named.get(to, to))
    await _at(page, origin, 1)
    await until(lambda: [request.path for request in stub.asked("DELETE")] == ["/whep/demo/1"])
    assert len(stub.asked("POST")) == 2
    assert other.requests == []
    assert await _states(page) <= WITH_A_PICTURE


async def test_page_told_again_moves_once(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    await _watching(page, stub, origin)
    for after_ms in (600, 400, 0):
        _tell(stub, elsewhere, after_ms)
    await _at(page, elsewhere, 1)
    await page.wait_for_timeout(1500)
    assert len(other.asked("POST")) == 1
    assert await page.evaluate("railbird.moves") == 1


async def test_page_moves_on_after_a_pause_when_the_other_edge_drains_too(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    await _watching(page, stub, origin)
    await page.get_by_role("button", name="Tap for sound").click()
    _tell(stub, elsewhere)
    await _at(page, elsewhere, 1)
    await until(lambda: bool(other.channels) and len(stub.asked("DELETE")) == 1)
    told_s = other.asked("POST")[0].at_s
    _tell(other, origin)
    await _at(page, origin, 2)
    assert stub.asked("POST")[1].at_s - told_s > 0.4
    await until(lambda: len(other.asked("DELETE")) == 1)
    assert await _states(page) <= WITH_A_PICTURE
    shown = (
        "[...document.querySelectorAll('video')].map(({ muted, classList }) => [muted, classList.contains('shown')])"
    )
    assert await page.evaluate(shown) == [[False, True], [True, False], [True, False], [True, False]]
    assert await page.evaluate("document.querySelector('#picture-2').srcObject") is None


async def test_two_edges_that_send_their_players_to_one_another_are_no_storm(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    other.move = {"type": "move", "afterMs": 0, "to": origin}
    await _watching(page, stub, origin)
    stub.move = {"type": "move", "afterMs": 0, "to": elsewhere}
    _tell(stub, elsewhere)
    await page.wait_for_function("railbird.moves === 4", timeout=30_000)
    posts_s = sorted(request.at_s for gateway in (stub, other) for request in gateway.asked("POST"))
    assert len(posts_s) == 5, "each move takes one"
    # The pauses are 0, 0.5, 1, 2, 4, 8 s, give or take a fifth.
    between_s = [later - earlier for earlier, later in itertools.pairwise(posts_s[1:])]
    assert all(waited_s > 0.8 * pause_s for waited_s, pause_s in zip(between_s, [0.5, 1, 2], strict=True)), between_s
    assert await _states(page) <= WITH_A_PICTURE


async def test_page_whose_old_edge_dies_meanwhile_finds_the_other_when_it_is_there(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    other.refusals.append(_refusal())
    await _watching(page, stub, origin)
    stub.refusals.extend(_refusal() for _ in range(20))
    _tell(stub, elsewhere)
    await until(lambda: len(other.asked("POST")) == 1)
    other.refusals.extend(_refusal() for _ in range(2))
    await stub.peers[0].close()
    await page.wait_for_function("railbird.state === 'retrying'")
    await _at(page, elsewhere, 1, within_s=30)
    assert len(other.asked("POST")) == 4


async def test_page_whose_old_edge_plays_again_stays_there(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    other.refusals.extend(_refusal(after_s=1) for _ in range(20))
    await _watching(page, stub, origin)
    stub.refusals.extend(_refusal(after_s=1) for _ in range(2))
    _tell(stub, elsewhere)
    await until(lambda: len(other.asked("POST")) == 1)
    await stub.peers[0].close()
    await page.wait_for_function("railbird.state === 'retrying'")
    await page.wait_for_function("railbird.state === 'live'")
    await expect(page.locator("#way")).to_have_text("WebRTC")
    asked = len(other.asked("POST"))
    await page.wait_for_timeout(3000)
    assert len(other.asked("POST")) == asked
    assert await page.evaluate("railbird.moves") in {0, 1}, "1 where its own address had its turn just then"
    assert await page.evaluate("railbird.edge") == origin


async def test_page_whose_new_edge_dies_comes_back_by_its_own_address(
    page: Page, stub: StubGateway, origin: str
) -> None:
    """Nobody is left there who would name another."""
    dying = StubGateway()
    async with served(dying) as elsewhere:
        await _watching(page, stub, origin)
        _tell(stub, elsewhere)
        await _at(page, elsewhere, 1)
        await until(lambda: len(stub.asked("DELETE")) == 1)
    await dying.close()
    await _at(page, origin, 2, within_s=60)
    assert len(stub.asked("POST")) == 2
    await page.wait_for_function("railbird.signals.carrier === 'data_channel'")


async def test_page_waits_at_its_new_edge_for_what_passes(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    await _watching(page, stub, origin)
    _tell(stub, elsewhere)
    await _at(page, elsewhere, 1)
    await other.peers[0].close()
    await until(lambda: len(other.asked("POST")) == 2)
    await _at(page, elsewhere, 1)
    await page.wait_for_timeout(4000)
    assert len(stub.asked("POST")) == 1
    assert await page.evaluate("railbird.edge") == elsewhere


async def test_page_goes_on_to_the_other_edge_when_the_old_one_will_have_none_of_it(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    """Behind a balancer without a gateway its own address answers 404 for a while."""
    other.refusals.append(_refusal())
    await _watching(page, stub, origin)
    stub.refusals.append(_refusal())
    _tell(stub, elsewhere)
    await until(lambda: len(other.asked("POST")) == 1)
    other.refusals.append(_refusal())
    stub.refusals.clear()
    stub.refusals.extend(web.Response(status=404, text="default backend - 404") for _ in range(50))
    await stub.peers[0].close()
    await _at(page, elsewhere, 1, within_s=30)
    assert "refused" not in await _states(page)


async def test_page_that_two_edges_refuse_has_its_own_address_left(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    third = StubGateway()
    async with served(third) as named:
        await _watching(page, stub, origin)
        _tell(stub, elsewhere)
        await _at(page, elsewhere, 1)
        await until(lambda: bool(other.channels))
        stub.refusals.append(_refusal())
        for gone in (other, third):
            gone.refusals.extend(web.Response(status=404, text="default backend - 404") for _ in range(50))
        _tell(other, named)
        await until(lambda: len(third.asked("POST")) == 1)
        await other.peers[0].close()
        await _at(page, origin, 2, within_s=30)
    assert "refused" not in await _states(page)


async def test_page_whose_old_edge_names_another_meanwhile_goes_there(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    """The one that it was told of is gone by then; the old one names its edges by turns."""
    third = StubGateway()
    async with served(third) as named:
        other.refusals.extend(_refusal(after_s=1) for _ in range(50))
        await _watching(page, stub, origin)
        stub.refusals.append(_refusal(after_s=1))
        _tell(stub, elsewhere)
        await until(lambda: len(other.asked("POST")) == 1)
        await stub.peers[0].close()
        stub.refusals.extend(_refusal(f"{named}/whep/demo", after_s=1) for _ in range(50))
        await _at(page, named, 1, within_s=30)
        await page.goto("about:blank")
    await third.close()


async def test_page_that_both_edges_refuse_says_so(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    """Its token has expired, and was good for the session that it had."""
    expired = [web.Response(status=401, text="This token has expired.") for _ in range(100)]
    await _watching(page, stub, origin)
    stub.refusals.extend(expired[:50])
    other.refusals.extend(expired[50:])
    _tell(stub, elsewhere)
    await until(lambda: len(other.asked("POST")) >= 1)
    await stub.peers[0].close()
    await expect(page.locator("#sentence")).to_have_text("This token has expired.")
    await page.wait_for_timeout(5000)
    asked = len(other.asked("POST"))
    assert await page.evaluate("railbird.state") == "refused"
    await page.wait_for_timeout(6000)
    assert len(other.asked("POST")) == asked


@pytest.mark.parametrize("transport", ["webrtc", "hls", ""])
async def test_join_that_is_refused_goes_to_the_edge_that_is_named(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str, transport: str
) -> None:
    presentation()
    other.hls.start()
    stub.refusals.append(_refusal(f"{elsewhere}/whep/demo"))
    stub.hls.refusal = _refusal(f"{elsewhere}/hls/demo/index.m3u8")
    await page.goto(f"{origin}/watch/demo?transport={transport}")
    await _at(page, elsewhere, 1)
    assert await page.evaluate("railbird.transport") == (transport or "webrtc")
    assert len(stub.asked("POST")) == (transport != "hls")
    assert stub.asked("DELETE") == []


async def test_join_that_is_refused_everywhere_is_tried_at_a_walk(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    stub.refusals.extend(_refusal(f"{elsewhere}/whep/demo") for _ in range(20))
    other.refusals.extend(_refusal(f"{origin}/whep/demo") for _ in range(20))
    await page.goto(f"{origin}/watch/demo?transport=webrtc")
    await expect(page.locator("#state")).to_have_text(re.compile("Reconnecting"))
    await page.wait_for_timeout(8000)
    assert len(other.asked("POST")) <= 6
    assert len(stub.asked("POST")) <= 3
    other.refusals.clear()
    await _at(page, elsewhere, 1)


async def test_page_on_hls_moves_with_its_signals_and_shows_no_gap(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    presentation()
    stub.hls.start()
    other.hls.start()
    sockets: dict[str, list[WebSocketRoute]] = {origin: [], elsewhere: []}
    await page.route_web_socket("**/signals/demo", lambda socket: sockets[_origin_of(socket)].append(socket))
    await page.goto(f"{origin}/watch/demo?transport=hls#token=t0ken")
    await expect(page.locator("#state")).to_have_text("Live")
    await page.evaluate(WATCHED)
    sockets[origin][0].send(json.dumps({"type": "move", "afterMs": 0, "to": elsewhere}))
    await _at(page, elsewhere, 1)
    await until(lambda: len(sockets[elsewhere]) == 1)
    await page.wait_for_function("railbird.signals.carrier === 'websocket'")
    assert len(sockets[origin]) == 1
    assert await _states(page) <= WITH_A_PICTURE
    assert await page.evaluate("bare") == 0
    index = [request for request in other.hls.requests if request.path == "/hls/demo/index.m3u8"]
    assert [request.headers["Authorization"] for request in index] == ["Bearer t0ken"]
    await _silent(stub)
    await expect(page.locator("#way")).to_have_text(re.compile("^HLS, "))


async def test_page_that_is_sent_away_before_its_first_picture_does_not_stay_for_it(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    """It was let in just before: a WebSocket says so once, and nobody says it again."""
    presentation()
    stub.hls.start()
    other.hls.start()
    other.hls.refusal = _refusal()
    let_in, told = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        answer = await route.fetch()
        stub.hls.refusal = _refusal()
        let_in.set()
        await told.wait()
        await route.fulfill(response=answer)

    async def send_away(socket: WebSocketRoute) -> None:
        await let_in.wait()
        socket.send(json.dumps({"type": "move", "afterMs": 0, "to": elsewhere}))
        told.set()

    await page.route_web_socket(f"{origin.replace('http', 'ws')}/signals/demo", send_away)
    await page.route(f"{origin}/hls/demo/index.m3u8", hold, times=1)
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#way")).to_have_text("Changing servers")
    assert await page.evaluate("railbird.edge") == origin, "it plays there, and is to go on elsewhere"
    await page.evaluate(WATCHED)
    other.hls.refusal = None
    await _at(page, elsewhere, 1, within_s=30)
    assert await _states(page) <= WITH_A_PICTURE


async def test_page_on_hls_without_signals_goes_to_the_edge_that_a_playlist_s_no_names(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    """In the three seconds in which it is said: then nobody is there."""
    presentation()
    stub.hls.start()
    other.hls.start()
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#state")).to_have_text("Live")
    await page.evaluate(WATCHED)
    stub.hls.refusal = _refusal()
    stub.hls.playlist_refusal = functools.partial(_refusal, f"{elsewhere}/hls/demo/index.m3u8")
    await expect(page.locator("#way")).to_have_text("Changing servers")
    await _at(page, elsewhere, 1)
    assert await _states(page) <= WITH_A_PICTURE
    assert await page.evaluate("bare") == 0
    await _silent(stub)


async def test_page_on_hls_stays_where_a_playlist_s_no_names_nobody(page: Page, stub: StubGateway, origin: str) -> None:
    """A server that is busy for a moment."""
    presentation()
    stub.hls.start()
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#state")).to_have_text("Live")
    await page.evaluate(WATCHED)
    stub.hls.playlist_refusal = _refusal
    await page.wait_for_timeout(1000)
    stub.hls.playlist_refusal = None
    await page.wait_for_timeout(1000)
    await expect(page.locator("#way")).to_have_text(re.compile("^HLS, "))
    assert await _states(page) <= WITH_A_PICTURE
    asked = [request.path for request in stub.hls.requests]
    assert asked.count("/hls/demo/index.m3u8") == 1


async def _on_its_way_to_hls(page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str) -> None:
    """The page plays from `stub` by WebRTC, and waits for that at `other`, where HLS plays already."""
    presentation()
    other.hls.start()
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#way")).to_have_text("WebRTC")
    await until(lambda: bool(stub.channels))
    await page.evaluate(WATCHED)
    _tell(stub, elsewhere)
    frames = "document.querySelector('#picture-hls-2').getVideoPlaybackQuality().totalVideoFrames"
    await page.wait_for_function(f"{frames} > 30")
    stub.refusals.extend(_refusal() for _ in range(50))


async def test_page_whose_old_edge_ends_first_takes_the_hls_that_is_there(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    other.refusals.extend(_refusal() for _ in range(50))
    await _on_its_way_to_hls(page, stub, origin, other, elsewhere)
    await stub.peers[0].close()
    await _at(page, elsewhere, 1)
    assert await page.evaluate("stale") == 0, "live over a dead picture"
    assert await _states(page) <= WITH_A_PICTURE


async def test_page_whose_old_edge_ends_first_begins_nothing_there(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    """Its signals are at the new edge at once, so that the old player is left while it begins a new attempt."""
    other.frames_a_session = 0
    await _on_its_way_to_hls(page, stub, origin, other, elsewhere)
    await until(lambda: bool(other.channels))
    await stub.peers[0].close()
    await _at(page, elsewhere, 1)
    await until(lambda: len(stub.asked("DELETE")) == 1)
    await page.wait_for_timeout(1000)
    assert len(stub.asked("POST")) == 1
    assert await page.evaluate("stale") == 0


async def test_refused_page_that_is_told_to_move_to_where_it_is_asks_again(
    page: Page, stub: StubGateway, origin: str
) -> None:
    sockets: list[WebSocketRoute] = []
    await page.route_web_socket("**/signals/demo", lambda socket: sockets.append(socket))
    stub.refusals.extend(web.Response(status=404, text="default backend - 404") for _ in range(2))
    await page.goto(f"{origin}/watch/demo?transport=webrtc")
    await expect(page.locator("#again")).to_be_visible()
    await until(lambda: len(sockets) == 1)
    move = json.dumps({"type": "move", "afterMs": 300, "to": None})
    sockets[0].send(move)
    await until(lambda: len(stub.asked("POST")) == 2)
    await page.wait_for_function("railbird.state === 'refused'")
    await expect(page.locator("#again")).to_be_visible()
    sockets[0].send(move)
    await expect(page.locator("#state")).to_have_text("Live")
    assert len(stub.asked("POST")) == 3


async def test_page_that_closes_while_it_moves_ends_both_sessions(
    page: Page, stub: StubGateway, origin: str, other: StubGateway, elsewhere: str
) -> None:
    other.mute = True
    await _watching(page, stub, origin)
    async with page.expect_response(
        lambda response: response.url.startswith(elsewhere) and response.request.method == "POST"
    ):
        _tell(stub, elsewhere)
    await page.wait_for_timeout(500)
    await page.goto("about:blank")
    await until(lambda: len(stub.asked("DELETE")) == len(other.asked("DELETE")) == 1)


@pytest.mark.parametrize(
    ("link", "edge"),
    [
        ("", None),
        ('<https://b.example/whep/t>; rel="alternate"', "https://b.example"),
        ("<https://b.example:8443/whep/t>;rel=alternate", "https://b.example:8443"),
        ('<https://a.example/>; rel="ice-server", <http://b.example/>; foo=1; rel="x Alternate"', "http://b.example"),
        ('</whep/t>; rel="alternate"', "https://base.example"),
        ('<https://b.example/>; rel="canonical"', None),
        ('<data:text/plain,x>; rel="alternate"', None),
        ('<https://[>; rel="alternate"', None),
    ],
)
async def test_edge_is_read_from_a_link(page: Page, origin: str, link: str, edge: str | None) -> None:
    await page.goto(origin)
    reading = "async (link) => (await import('/web/edges.js')).alternateEdge(link, 'https://base.example/whep/t')"
    assert await page.evaluate(reading, link) == edge


@pytest.mark.parametrize(("to", "edge"), [("https://b.example/", "https://b.example"), ("http://b.example", None)])
async def test_page_of_a_secure_address_takes_no_other(page: Page, to: str, edge: str | None) -> None:
    script = (WEB_ROOT / "edges.js").read_text()
    await page.route("https://a.example/", lambda route: route.fulfill(content_type="text/html", body="<p>A page"))
    await page.route("**/edges.js", lambda route: route.fulfill(content_type="text/javascript", body=script))
    await page.goto("https://a.example/")
    assert await page.evaluate("async (to) => (await import('/web/edges.js')).edgeOf(to)", to) == edge
