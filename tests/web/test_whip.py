"""The studio page in a real browser: it publishes, says what arrives, and takes no for an answer."""

import re

import pytest
from aiohttp import web
from playwright.async_api import Page, expect

from tests.web.stub_gateway import StubGateway, until

pytestmark = pytest.mark.browser

CAMERA_THAT_WAITS = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
const leave = new Promise((resolve) => { window.allowCamera = resolve; });
window.captured = [];
navigator.mediaDevices.getUserMedia = async (constraints) => {
    const mediaStream = await open(constraints);
    captured.push(...mediaStream.getTracks());
    await leave;
    return mediaStream;
};"""
PAUSE_S = """() => Number(/Reconnecting in (\\d+) s/.exec(document.querySelector("#state").textContent)?.[1])"""


def offered_codecs(sdp: str) -> set[str]:
    video = sdp.split("m=video")[1].split("m=audio")[0]
    return set(re.findall(r"a=rtpmap:\d+ (\w+)/90000", video))


@pytest.mark.parametrize(("codec", "name"), [("vp8", "VP8"), ("h264", "H264")])
async def test_table_is_published_with_the_chosen_codec(
    page: Page, stub: StubGateway, origin: str, codec: str, name: str
) -> None:
    await page.goto(f"{origin}/studio/demo?source=table&codec={codec}&autostart=1")
    await expect(page.locator("#state")).to_have_text("Live")
    (offer,) = stub.asked("POST", "/whip/")
    assert offered_codecs(offer.body) == {name, "rtx"}
    assert offer.body.count("a=sendonly") == 2
    assert "Authorization" not in offer.headers
    await until(lambda: stub.frames_received > 5, within_s=15)
    assert {track.kind for track in stub.received} == {"video", "audio"}


@pytest.mark.parametrize("source", ["camera", "screen"])
async def test_captured_source_is_published_and_stopped(
    page: Page, stub: StubGateway, origin: str, source: str
) -> None:
    await page.goto(f"{origin}/studio/demo?source={source}&codec=vp8")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator("#state")).to_have_text("Live")
    await until(lambda: stub.frames_received > 0, within_s=15)
    await page.get_by_role("button", name="Stop").click()
    await expect(page.locator("#state")).to_have_text("Not publishing")
    await until(lambda: [request.path for request in stub.asked("DELETE", "/whip/")] == ["/whip/demo/1"])


async def test_second_click_while_the_camera_opens_leaves_none_on(page: Page, stub: StubGateway, origin: str) -> None:
    await page.add_init_script(CAMERA_THAT_WAITS)
    await page.goto(f"{origin}/studio/demo?codec=vp8")
    await page.get_by_role("button", name="Publish").dblclick()
    await expect(page.locator("#publish")).to_be_disabled()
    await page.evaluate("allowCamera()")
    await expect(page.locator("#state")).to_have_text("Live")
    await page.get_by_role("button", name="Stop").click()
    await expect(page.locator("#state")).to_have_text("Not publishing")
    assert await page.evaluate("captured.map(({ readyState }) => readyState)") == ["ended"] * 2


async def test_token_is_sent_as_bearer_with_each_request(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/studio/demo?source=table&codec=vp8")
    await page.get_by_label("Token").fill("s3cret")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator("#state")).to_have_text("Live")
    await page.get_by_role("button", name="Stop").click()
    await until(lambda: bool(stub.asked("DELETE", "/whip/")))
    assert [request.headers.get("Authorization") for request in stub.requests] == ["Bearer s3cret"] * 2
    assert await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


async def test_live_stream_is_refused_with_the_servers_sentence(page: Page, stub: StubGateway, origin: str) -> None:
    stub.refusals.append(web.Response(status=409, text="The table demo is live already."))
    await page.goto(f"{origin}/studio/demo?source=table&autostart=1")
    await expect(page.locator("#verdict")).to_have_text("The table demo is live already.")
    assert await page.evaluate("railbird.state") == "refused"
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator("#state")).to_have_text("Live")


async def test_studio_publishes_again_when_its_session_is_lost(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/studio/demo?source=table&codec=vp8&autostart=1")
    await expect(page.locator("#state")).to_have_text("Live")
    stub.refusals.append(web.Response(status=409, headers={"Retry-After": "1"}, text="Live already."))
    await stub.peers[0].close()
    await until(lambda: len(stub.asked("POST", "/whip/")) == 3, within_s=15)
    await expect(page.locator("#state")).to_have_text("Live")


async def _lose(page: Page, stub: StubGateway, number: int) -> int:
    """End the session of that number once it is live. For how many seconds, rounded up, the page says it will pause."""
    await until(lambda: len(stub.peers) >= number, within_s=15)
    await expect(page.locator("#state")).to_have_text("Live")
    await stub.peers[-1].close()
    pause_s: int = await (await page.wait_for_function(PAUSE_S)).json_value()
    return pause_s


async def test_studios_that_take_a_table_from_one_another_do_so_ever_more_slowly(
    page: Page, stub: StubGateway, origin: str
) -> None:
    """This one is live for a moment each time."""
    await page.goto(f"{origin}/studio/demo?source=table&codec=vp8&autostart=1")
    pauses_s = [await _lose(page, stub, number) for number in (1, 2, 3)]
    assert pauses_s[0] <= 2, "the first time it comes back quickly"
    assert pauses_s[2] >= 3


@pytest.mark.parametrize("makes_steady", ["time", "person"])
async def test_studio_that_was_steady_or_is_started_anew_comes_back_quickly(
    page: Page, stub: StubGateway, origin: str, makes_steady: str
) -> None:
    await page.clock.install()
    await page.goto(f"{origin}/studio/demo?source=table&codec=vp8&autostart=1")
    for number in (1, 2):
        await _lose(page, stub, number)
    await until(lambda: len(stub.peers) >= 3, within_s=15)
    await expect(page.locator("#state")).to_have_text("Live")
    if makes_steady == "time":
        await page.clock.fast_forward(31_000)
    else:
        await page.get_by_role("button", name="Stop").click()
        await page.get_by_role("button", name="Publish").click()
    assert await _lose(page, stub, 3 + (makes_steady == "person")) <= 2


async def test_studio_says_what_the_gateway_receives(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/studio/demo")
    await expect(page.locator("#reception")).to_contain_text("The gateway does not know this table yet.")
    stub.streams.append(live_stream())
    await expect(page.locator("#reception")).to_contain_text("Picture: H264, 1.50 Mb/s, 30 frames a second")
    for words in ["last keyframe 0.4 s ago", "3 of 1,003 packets lost, 2 recovered", "over IPv4, round trip 10 ms"]:
        await expect(page.locator("#reception")).to_contain_text(words)
    await expect(page.locator("#reception")).to_contain_text("12 players watch.")
    stub.streams[0] = {"stream": "demo", "state": "waiting", "viewers": 1, "tracks": []}
    await expect(page.locator("#reception")).to_have_text("The gateway receives nothing.One player watches.")


def live_stream() -> dict[str, object]:
    video = {"kind": "video", "codec": "H264", "bitrate_bps": 1_500_000, "packets": 900, "lost": 3, "recovered": 2}
    audio = {"kind": "audio", "codec": "opus", "bitrate_bps": 64_000, "packets": 100, "lost": 0, "recovered": 0}
    video |= {"frames": 300, "frame_rate": 29.97, "keyframe_age_s": 0.41, "keyframe_requests": 2}
    publisher = {"session": "a1", "address_family": "ipv4", "rtt_s": 0.01}
    return {
        "stream": "demo",
        "state": "live",
        "viewers": 12,
        "since_s": 33.1,
        "publisher": publisher,
        "tracks": [video, audio],
    }
