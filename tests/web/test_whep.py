"""WhepClient in a real browser: it plays, waits, retries, restarts and leaves."""

import asyncio
import re

import pytest
from aiohttp import web
from playwright.async_api import Page, Route, WebSocketRoute, expect

from tests.e2e.chromium import LOSE_CONNECTION
from tests.e2e.waiting import eventually
from tests.web.stub_gateway import StubGateway, until

pytestmark = pytest.mark.browser

KEEP_PEER = """
window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...parameters) { super(...parameters); window.peer = this; }
};
"""
CLOSE_CHANNELS_IN_SILENCE = """
const { createDataChannel } = RTCPeerConnection.prototype;
RTCPeerConnection.prototype.createDataChannel = function (...parameters) {
    const channel = createDataChannel.apply(this, parameters);
    channel.addEventListener("close", (event) => event.isTrusted && event.stopImmediatePropagation());
    return channel;
};
"""
"""As Safari does when its connection is closed."""


async def test_player_goes_live_and_reads_the_time_code(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    assert await page.evaluate("railbird.state") == "live"
    figures = await eventually(
        lambda: page.evaluate("railbird.stats()"), lambda figures: (figures["bitrateBps"] or 0) > 0
    )
    assert figures["framesDecoded"] > 0
    assert (figures["width"], figures["height"]) == (640, 96)
    assert 0 <= figures["timecodeDelayMs"] < 1500


async def test_offer_receives_both_kinds_has_a_channel_and_does_not_wait_for_candidates(
    page: Page, stub: StubGateway, origin: str
) -> None:
    await page.goto(f"{origin}/watch/demo")
    await until(lambda: bool(stub.asked("POST")))
    offer = stub.asked("POST")[0]
    assert offer.headers["Content-Type"] == "application/sdp"
    assert re.findall(r"^m=(\w+)", offer.body, re.MULTILINE) == ["video", "audio", "application"]
    assert offer.body.count("a=recvonly") == 2
    assert "a=candidate" not in offer.body


async def test_player_waits_for_the_studio_and_asks_again_when_told(page: Page, stub: StubGateway, origin: str) -> None:
    stub.refusals.extend(web.Response(status=409, headers={"Retry-After": "1"}, text="Nobody.") for _ in range(2))
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Waiting for the studio")
    await expect(page.locator("#state")).to_have_text("Live")
    first, second, _third = stub.asked("POST")
    assert 0.9 < second.at_s - first.at_s < 2.5


@pytest.mark.parametrize("status", [404, 406])
async def test_player_shows_the_sentence_of_a_refusal_until_asked_again(
    page: Page, stub: StubGateway, origin: str, status: int
) -> None:
    stub.refusals.append(web.Response(status=status, text="This table speaks AV1 only."))
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#sentence")).to_have_text("This table speaks AV1 only.")
    assert await page.evaluate("railbird.state") == "refused"
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#state")).to_have_text("Live")


async def test_player_comes_back_after_503_when_told(page: Page, stub: StubGateway, origin: str) -> None:
    stub.refusals.append(web.Response(status=503, headers={"Retry-After": "3"}, text="This gateway is full."))
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text(re.compile(r"Reconnecting in \d s"))
    await expect(page.locator("#sentence")).to_have_text("This gateway is full.")
    await expect(page.locator("#state")).to_have_text("Live")
    first, second = stub.asked("POST")
    assert 2.9 < second.at_s - first.at_s < 5


async def test_player_restarts_ice_when_the_picture_freezes_then_joins_anew(
    page: Page, stub: StubGateway, origin: str
) -> None:
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    stub.strips[0].freeze()
    await expect(page.locator("#state")).to_have_text(re.compile("Picture frozen . reconnecting"))
    await expect(page.locator("#state")).to_have_text("Live")
    (patch,) = stub.asked("PATCH")
    assert patch.headers["If-Match"] == "*"
    assert patch.headers["Content-Type"] == "application/trickle-ice-sdpfrag"
    assert re.search(r"^a=ice-ufrag:\S{4,}\r\na=ice-pwd:\S{22,}\r\n", patch.body, re.MULTILINE)
    assert patch.body.split("a=ice-ufrag:")[1].split()[0] not in stub.asked("POST")[0].body, "new credentials"
    assert len(stub.asked("POST")) == 2
    assert [request.path for request in stub.asked("DELETE")] == ["/whep/demo/1"]


async def test_player_is_not_live_of_a_session_that_the_gateway_forgot_while_its_picture_went_on(
    page: Page, stub: StubGateway, origin: str
) -> None:
    restart = await _restarting_while_the_picture_goes_on(page, origin)
    stub.mute = True
    await restart.continue_()
    await until(lambda: len(stub.asked("POST")) == 2)
    assert await page.evaluate("railbird.state") in {"frozen", "connecting"}


async def test_player_joins_anew_when_its_path_fails_before_the_restart_is_answered(
    page: Page, stub: StubGateway, origin: str
) -> None:
    restart = await _restarting_while_the_picture_goes_on(page, origin)
    await page.evaluate(LOSE_CONNECTION.format("peer"))
    await until(lambda: len(stub.asked("POST")) == 2)
    await restart.continue_()
    await expect(page.locator("#state")).to_have_text("Live")
    assert len(stub.asked("POST")) == 2
    assert len(stub.asked("PATCH")) <= 1


async def _restarting_while_the_picture_goes_on(page: Page, origin: str) -> Route:
    """A player that is live, with its PATCH held back on the way."""
    held: asyncio.Future[Route] = asyncio.get_running_loop().create_future()

    async def hold(route: Route) -> None:
        if route.request.method == "PATCH" and not held.done():
            held.set_result(route)
        else:
            await route.continue_()

    await page.add_init_script(KEEP_PEER)
    await page.route("**/whep/demo/*", hold)
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    await page.evaluate(LOSE_CONNECTION.format("peer"))
    await held
    await eventually(lambda: page.evaluate("railbird.state"), lambda state: state == "live")
    return held.result()


async def test_signals_take_a_websocket_when_a_session_ends_whose_channel_is_told_nothing(
    page: Page, stub: StubGateway, origin: str
) -> None:
    sockets: list[WebSocketRoute] = []
    await page.add_init_script(CLOSE_CHANNELS_IN_SILENCE)
    await page.route_web_socket("**/signals/demo", lambda socket: sockets.append(socket))
    await page.goto(f"{origin}/watch/demo?transport=webrtc")
    await page.wait_for_function("railbird.signals.carrier === 'data_channel'")
    stub.mute = True
    stub.strips[0].freeze()
    await page.wait_for_function("railbird.signals.carrier === 'websocket'")
    assert len(sockets) == 1


async def test_player_does_not_call_the_replay_of_a_hanging_studio_live(
    page: Page, stub: StubGateway, origin: str
) -> None:
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    stub.frames_a_session = 8
    stub.strips[0].freeze()
    await until(lambda: len(stub.asked("POST")) == 2)
    states = set()
    for _ in range(30):
        await page.wait_for_timeout(100)
        states.add(await page.evaluate("railbird.state"))
    assert states <= {"frozen", "connecting", "retrying"}
    stub.frames_a_session = None
    await expect(page.locator("#state")).to_have_text("Live")


async def test_player_joins_anew_when_the_session_is_ended(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    await stub.peers[0].close()
    await until(lambda: len(stub.asked("POST")) == 2)
    await expect(page.locator("#state")).to_have_text("Live")


async def test_player_deletes_its_session_when_the_page_goes(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    await page.goto("about:blank")
    await until(lambda: [request.path for request in stub.asked("DELETE")] == ["/whep/demo/1"])


async def test_player_shows_the_token_of_its_link_with_every_request(
    page: Page, stub: StubGateway, origin: str
) -> None:
    await page.goto(f"{origin}/watch/demo#token=let-me%20in")
    await expect(page.locator("#state")).to_have_text("Live")
    await page.goto("about:blank")
    await until(lambda: bool(stub.asked("DELETE")))
    for request in (*stub.asked("POST"), *stub.asked("DELETE")):
        assert request.headers["Authorization"] == "Bearer let-me in"
        assert "let-me" not in request.path
