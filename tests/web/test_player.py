"""Player in a real browser: WebRTC first, LL-HLS where it does not get through, and back without a black picture."""

import asyncio
import re
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Page, expect

from gateway.web import WEB_ROOT
from tests.web.stub_gateway import StubGateway, until
from tests.web.stub_hls import presentation

pytestmark = pytest.mark.browser

APPENDS = {
    "nothing": "throw new Error('No.')",
    "garbage": r"return appendBuffer.call(this, new TextEncoder().encode('\0\0\0\x10moofgarbage!'))",
}
FAIL_ONCE = """
const { appendBuffer } = SourceBuffer.prototype;
SourceBuffer.prototype.appendBuffer = function () {
    SourceBuffer.prototype.appendBuffer = appendBuffer;
    FAILS;
};
document.querySelector("#picture-hls").addEventListener("emptied", () => (window.wasEmptied = true));
"""
"""Of a video, the next piece."""
LEFT_AT = """async ([address, connecting]) => {
    const { HlsClient } = await import("/web/llhls.js");
    window.hls = new HlsClient(address, "", document.createElement("video"));
    let left = connecting;
    hls.addEventListener("state", () => hls.state === "connecting" && (left -= 1) === 0 && hls.leave());
    hls.join();
}"""
"""A client that is left by who hears that it connects, for the first time or a later one."""
HLS_WORDS = re.compile(r"^HLS, \d\.\d s behind$")
BACK_WITHIN_MS = 20_000
"""The first pause is 2.5 s at the least, an attempt counts after 2 s of frames."""
SHORTEST_PAUSES = "Math.random = () => 0"
"""Pauses between attempts are half of 5, 10, 20 s, and not up to one and a half."""

WHAT_IT_SAID = """addEventListener("DOMContentLoaded", () => {
    const sentence = document.querySelector("#sentence");
    window.said = [sentence.textContent];
    new MutationObserver(() => said.push(sentence.textContent)).observe(sentence, { childList: true });
});"""
"""Every sentence, also those that are there for a moment."""


@pytest.fixture(autouse=True)
def hls(stub: StubGateway) -> None:
    assert Path(WEB_ROOT, "vendor", "hls.min.mjs").exists(), "hls.js is missing (make setup)"
    presentation()
    stub.hls.start()


async def _transport(page: Page) -> str:
    transport: str = await page.evaluate("railbird.transport")
    return transport


async def _fallen_back(page: Page, stub: StubGateway, origin: str) -> None:
    """Where UDP does not get through: a page that plays by HLS, and soon tries WebRTC again."""
    stub.mute = True
    await page.add_init_script(SHORTEST_PAUSES)
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)


async def _shown(page: Page) -> list[str]:
    """Ids of the layers that are on top, the last frame of what was included."""
    on_top = ".shown, #still:not([hidden])"
    shown: list[str] = await page.evaluate("of => [...document.querySelectorAll(of)].map(({ id }) => id)", on_top)
    return shown


async def test_player_without_a_path_shows_hls_and_says_so(page: Page, stub: StubGateway, origin: str) -> None:
    stub.mute = True
    await page.add_init_script(WHAT_IT_SAID)
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    await expect(page.locator("#announcement")).to_have_text("Live by HLS, about a second behind")
    assert await page.evaluate("said") == ["", "WebRTC does not get through. Changing to HLS.", ""]
    assert await _transport(page) == "hls"
    assert await _shown(page) == ["picture-hls"]
    # The half-open session does not stay.
    await until(lambda: len(stub.asked("DELETE")) == 1)


@pytest.mark.parametrize("status", [406, 500, 503])
async def test_player_shows_hls_at_once_when_webrtc_is_refused(
    page: Page, stub: StubGateway, origin: str, status: int
) -> None:
    stub.refusals.append(web.Response(status=status, text="Not here."))
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    assert len(stub.asked("POST")) == 1


@pytest.mark.parametrize(("status", "state"), [(401, "refused"), (403, "refused"), (404, "refused"), (409, "waiting")])
async def test_player_does_not_ask_for_hls_what_webrtc_was_rightly_refused(
    page: Page, stub: StubGateway, origin: str, status: int, state: str
) -> None:
    stub.refusals.extend(web.Response(status=status, text="No.") for _ in range(9))
    await page.goto(f"{origin}/watch/demo")
    await page.wait_for_function("state => railbird.state === state", arg=state)
    await page.wait_for_timeout(2500)
    assert await page.evaluate("railbird.state") == state
    assert stub.hls.requests == []


async def test_player_goes_back_to_webrtc_with_its_sound_and_stops_hls(
    page: Page, stub: StubGateway, origin: str
) -> None:
    await _fallen_back(page, stub, origin)
    await page.get_by_role("button", name="Tap for sound").click()
    muted = "[...document.querySelectorAll('video')].map(({ muted }) => muted).slice(0, 2)"
    assert await page.evaluate(muted) == [True, False]
    stub.mute = False
    await expect(page.locator("#way")).to_have_text("WebRTC", timeout=BACK_WITHIN_MS)
    assert await _shown(page) == ["picture"]
    assert await page.evaluate(muted) == [False, True]
    assert await page.evaluate("document.querySelector('#picture-hls').readyState") == 0
    asked = len(stub.hls.requests)
    await page.wait_for_timeout(700)
    assert len(stub.hls.requests) == asked


async def test_player_keeps_the_last_frame_when_webrtc_freezes_until_hls_has_one(
    page: Page, stub: StubGateway, origin: str
) -> None:
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#way")).to_have_text("WebRTC")
    stub.mute = True
    stub.strips[0].freeze()
    await page.evaluate(
        """() => {
            window.bare = 0;
            const look = () => {
                const still = document.querySelector("#still");
                const shown = document.querySelector("video.shown");
                if (still.hidden && !(shown?.readyState >= 2)) window.bare += 1;
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    assert await _shown(page) == ["picture-hls"]
    assert await page.evaluate("bare") == 0


async def test_player_tries_webrtc_with_growing_pauses(page: Page, stub: StubGateway, origin: str) -> None:
    await _fallen_back(page, stub, origin)
    await until(lambda: len(stub.asked("DELETE")) == 3, within_s=40)
    first, second, third = (request.at_s for request in stub.asked("DELETE"))
    posts = [request.at_s for request in stub.asked("POST")]
    assert 2.4 < posts[1] - first < 6
    assert 4.9 < posts[2] - second < 9.9
    assert third - posts[2] < 3.5, "an attempt without a path holds a half-open session"
    assert await page.evaluate("railbird.state") == "live"


async def test_webrtc_that_is_dismissed_beside_hls_before_its_first_frame_is_tried_later(
    page: Page, stub: StubGateway, origin: str
) -> None:
    await _fallen_back(page, stub, origin)
    stub.mute, stub.frames_a_session = False, 0
    await until(lambda: bool(stub.channels))
    await stub.peers[-1].close()
    await until(lambda: len(stub.asked("DELETE")) == 2)
    await page.wait_for_timeout(1500)
    assert len(stub.asked("POST")) == 2
    assert await page.evaluate("railbird.state") == "live"


@pytest.mark.parametrize("connecting", [1, 2], ids=["asks", "plays"])
async def test_hls_that_is_left_as_it_begins_begins_nothing(
    page: Page, stub: StubGateway, origin: str, connecting: int
) -> None:
    if connecting > 1:
        stub.hls.stop()
    await page.goto(origin)
    await page.evaluate(LEFT_AT, [f"{origin}/hls/demo/index.m3u8", connecting])
    if connecting > 1:
        await page.wait_for_function("hls.state === 'waiting'")
        stub.hls.start()
    await page.wait_for_function("hls.state === 'idle'")
    await page.wait_for_timeout(1000)
    assert await page.evaluate("hls.playback") is None
    assert {request.path for request in stub.hls.requests} <= {"/hls/demo/index.m3u8"}


@pytest.mark.parametrize("appended", APPENDS)
async def test_player_on_hls_goes_on_after_an_error_of_the_decoder(
    page: Page, stub: StubGateway, origin: str, appended: str
) -> None:
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    await page.evaluate(FAIL_ONCE.replace("FAILS", APPENDS[appended]))
    await page.wait_for_function("window.wasEmptied")
    for _ in range(2):
        await page.wait_for_function("railbird.state === 'live' && !document.querySelector('#picture-hls').paused")
        await page.wait_for_timeout(2500)
    assert await page.evaluate("railbird.state") == "live"
    assert [request.path for request in stub.hls.requests].count("/hls/demo/index.m3u8") == 1, "it goes on by itself"


async def test_player_finds_a_packager_that_started_anew(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    stub.hls.start()
    await until(lambda: any("/hls/demo/2/video.m3u8" in request.path for request in stub.hls.requests))
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    assert await page.evaluate("railbird.state") == "live"


@pytest.mark.parametrize("leaves", ["ends", "goes"])
async def test_player_waits_for_a_studio_that_left_and_plays_the_next(
    page: Page, stub: StubGateway, origin: str, leaves: str
) -> None:
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    if leaves == "ends":
        stub.hls.end()
        await expect(page.locator("#state")).to_have_text("Waiting for the studio")
    stub.hls.stop()
    await expect(page.locator("#sentence")).to_have_text("Nobody.")
    await expect(page.locator("#state")).to_have_text("Waiting for the studio")
    assert await _shown(page) == ["picture-hls", "still"]
    stub.hls.start()
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    assert await _shown(page) == ["picture-hls"]


async def test_player_does_not_call_a_hanging_studio_live(page: Page, stub: StubGateway, origin: str) -> None:
    stub.hls.hang()
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await page.wait_for_function("document.querySelector('#picture-hls').videoWidth > 0")
    await page.wait_for_timeout(2000)
    assert await page.evaluate("railbird.state") == "connecting"


async def test_player_on_hls_says_that_the_picture_froze(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    before = await page.evaluate("railbird.stats()")
    stub.hls.hang()
    await expect(page.locator("#state")).to_have_text(re.compile("Picture frozen"))
    figures = await page.evaluate("railbird.stats()")
    assert figures["stallCount"] - before["stallCount"] == 1
    assert figures["stallsS"] - before["stallsS"] > 1


async def test_player_shows_the_sentence_of_hls(page: Page, stub: StubGateway, origin: str) -> None:
    stub.hls.refusal = web.Response(status=406, text="This stream has no H264 video.")
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#sentence")).to_have_text("This stream has no H264 video.")
    assert await page.evaluate("railbird.state") == "refused"


async def test_player_shows_the_token_only_where_the_stream_is_asked_for(
    page: Page, stub: StubGateway, origin: str
) -> None:
    await page.goto(f"{origin}/watch/demo?transport=hls#token=let-me%20in")
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    shown = {request.path: request.headers.get("Authorization") for request in stub.hls.requests}
    assert shown.pop("/hls/demo/index.m3u8") == "Bearer let-me in"
    assert {"/hls/demo/1/video.m3u8", "/hls/demo/1/init.mp4"} <= set(shown)
    assert set(shown.values()) == {None}
    assert not any("let-me" in str(request.rel_url) for request in stub.hls.requests)


async def test_forced_transport_leaves_the_other_alone(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    assert stub.asked("POST") == []
    asked = len(stub.hls.requests)
    stub.mute = True
    await page.goto(f"{origin}/watch/demo?transport=webrtc")
    await until(lambda: len(stub.asked("POST")) == 1)
    await asyncio.sleep(2.5)
    assert await _transport(page) == "webrtc"
    assert len([request for request in stub.hls.requests[asked:] if request.path.endswith("index.m3u8")]) == 0


@pytest.mark.parametrize("why", ["asked for", "no hls.js"])
async def test_browsers_own_player_is_given_the_address_that_needs_no_token(
    page: Page, stub: StubGateway, origin: str, why: str
) -> None:
    """Whether it plays is the browser's affair: Chromium's cannot parse every playlist that it meets."""
    if not await page.evaluate("document.createElement('video').canPlayType('application/vnd.apple.mpegurl')"):
        pytest.skip("this Chromium plays no HLS by itself")
    if why == "no hls.js":
        await page.route("**/web/vendor/**", lambda route: route.abort())
    transport = "native" if why == "asked for" else "hls"
    await page.goto(f"{origin}/watch/demo?transport={transport}#token=s3cret")
    src = f"{origin}/hls/demo/1/index.m3u8"
    await page.wait_for_function("src => document.querySelector('#picture-hls').src === src", arg=src)
    await until(lambda: any(request.path == "/hls/demo/1/init.mp4" for request in stub.hls.requests))


async def test_player_that_cannot_play_hls_says_so(page: Page, stub: StubGateway, origin: str) -> None:
    await page.route("**/web/vendor/**", lambda route: route.abort())
    await page.add_init_script("HTMLMediaElement.prototype.canPlayType = () => ''")
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#sentence")).to_have_text(re.compile("can play HLS"))
    assert await page.evaluate("railbird.state") == "refused"


async def test_statistics_on_hls(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await expect(page.locator("#way")).to_have_text(HLS_WORDS)
    await page.get_by_role("button", name="Statistics").click()
    panel = page.locator("#statistics")
    for figure in (r"Behind the live edge\d\.\d\d s", r"Aimed at0\.70 s", r"Buffer\d\.\d\d s", r"Bitrate0\.0\d Mb/s"):
        await expect(panel).to_contain_text(re.compile(figure))
    for words in ("TransportLow-latency HLS", "640×96 H264", "Stallsnone", "Playback rate1"):  # noqa: RUF001
        await expect(panel).to_contain_text(words)
    await page.wait_for_timeout(1000)
    figures = await page.evaluate("railbird.stats()")
    assert 200 < figures["latencyMs"] < 3000
    assert figures["framesDecoded"] > 0
