"""The data channel `signals` beside the media on one 5-tuple: aiortc and Chromium, whose words come back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiortc import RTCDataChannel
from playwright.async_api import Browser

from gateway.app import Gateway
from gateway.config import HostPort, Settings
from gateway.transport.data_channel import Channel
from tests.e2e.aiortc_peer import AiortcStudio, AiortcViewer
from tests.e2e.waiting import eventually, until

MAX_MESSAGE_BYTES = 4096


@dataclass
class Echo:
    """A `Receiver` that greets, and says everything again."""

    channel: Channel
    arrivals_s: list[float] = field(default_factory=list)
    closed: int = 0

    def __post_init__(self) -> None:
        assert self.channel.send("welcome")

    def on_text(self, text: str, arrival_s: float) -> None:
        self.arrivals_s.append(arrival_s)
        self.channel.send(text)

    def on_closed(self) -> None:
        self.closed += 1


@dataclass
class Place:
    """A gateway in this process whose signals are echoes, with a studio that publishes `card`."""

    gateway: Gateway
    url: str
    echoes: list[Echo]

    def dropped(self, cause: str) -> int:
        return self.gateway.port.dropped[cause]


@pytest.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    anywhere, loopback = HostPort(host="::", port=0), HostPort(host="127.0.0.1", port=0)
    gateway = Gateway(Settings.model_validate({"http": loopback, "udp": anywhere}))
    echoes: list[Echo] = []

    def accept(_stream: str, channel: Channel, *_: object) -> Echo:
        echoes.append(Echo(channel))
        return echoes[-1]

    monkeypatch.setattr(gateway.hub.play.signals, "accept", accept)
    url = f"http://{await gateway.start()}"
    async with contextlib.AsyncExitStack() as ends:
        ends.push_async_callback(gateway.stop)
        studio = AiortcStudio(f"{url}/whip/card", "VP8")
        ends.push_async_callback(studio.close)
        await studio.connect()
        await until(lambda: _has_a_keyframe(gateway), 15)
        yield Place(gateway, url, echoes)


def _has_a_keyframe(gateway: Gateway) -> bool:
    stream = gateway.registry.stream("card")
    return stream is not None and "video" in stream.tracks and stream.tracks["video"].forwarded > 30


async def _returned(channel: RTCDataChannel, texts: list[str], text: str) -> None:
    """Say it until it comes back: such a channel may lose it."""
    async with asyncio.timeout(5):
        while text not in texts:
            channel.send(text)
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "reliability",
    [{"ordered": False, "maxRetransmits": 0}, {}, {"ordered": False, "maxPacketLifeTime": 500}],
    ids=["as players open it", "reliable", "for a while"],
)
async def test_aiortc_player_hears_what_it_said_while_it_watches(place: Place, reliability: dict[str, Any]) -> None:
    viewer = AiortcViewer(f"{place.url}/whep/card")
    channel = viewer.connection.createDataChannel("signals", **reliability)
    texts: list[str] = []
    channel.on("message", texts.append)
    began_s = time.monotonic()
    async with contextlib.AsyncExitStack() as ends:
        ends.push_async_callback(viewer.close)
        await viewer.connect()
        assert f"a=max-message-size:{MAX_MESSAGE_BYTES}\r\n" in viewer.answer
        await until(lambda: channel.readyState == "open", 5)
        for text in ("hello", "", "é" * (MAX_MESSAGE_BYTES // 2)):
            await _returned(channel, texts, text)
        assert texts[0] == "welcome"
        await viewer.until_frames(10)
        with pytest.raises(ValueError, match="4096"):
            channel.send("x" * (MAX_MESSAGE_BYTES + 1))
        channel.send(b"binary")
        await until(lambda: place.dropped("signal_not_text") == 1, 5)
    (echo,) = place.echoes
    assert all(began_s < arrival_s <= time.monotonic() for arrival_s in echo.arrivals_s)
    await until(lambda: echo.closed == 1, 5)
    await until(lambda: not place.gateway.hub.viewing["card"].viewers, 5)
    assert not echo.channel.send("nobody is there")


async def test_aiortc_player_that_closes_its_channel_goes_on_watching(place: Place) -> None:
    viewer = AiortcViewer(f"{place.url}/whep/card")
    channel = viewer.connection.createDataChannel("signals")
    other = viewer.connection.createDataChannel("chat")
    async with contextlib.AsyncExitStack() as ends:
        ends.push_async_callback(viewer.close)
        await viewer.connect()
        await until(lambda: channel.readyState == "open" and other.readyState == "closed", 5)
        channel.close()
        await until(lambda: channel.readyState == "closed" and place.echoes[0].closed == 1, 5)
        await viewer.until_frames(10)
    assert len(place.echoes) == 1
    assert place.dropped("data_channel_refused") == 1


PLAYER = """async (url) => {
    const peer = window.player = new RTCPeerConnection();
    const channel = window.channel = peer.createDataChannel("signals", { ordered: false, maxRetransmits: 0 });
    window.texts = [];
    window.failures = [];
    window.states = [];
    channel.onopen = () => { channel.send("from onopen"); window.states.push("open"); };
    channel.onclose = () => window.states.push("closed");
    channel.onmessage = ({ data }) => window.texts.push(data);
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.addTransceiver("audio", { direction: "recvonly" });
    const video = document.createElement("video");
    video.muted = video.autoplay = true;
    video.srcObject = new MediaStream();
    document.body.append(video);
    peer.ontrack = ({ track }) => video.srcObject.addTrack(track);
    await peer.setLocalDescription();
    const answer = await fetch(url, {
        method: "POST", body: peer.localDescription.sdp, headers: { "Content-Type": "application/sdp" } });
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
}"""

INBOUND = """async () => {
    const reports = [...(await window.player.getStats()).values()];
    const video = reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
    const transports = reports.filter(({ type }) => type === "transport");
    return { frames: video?.framesDecoded ?? 0, transports: transports.length };
}"""


@pytest.mark.browser
async def test_chromium_hears_what_it_said_while_video_plays(place: Place, browser: Browser) -> None:
    page = await browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{place.url}/livez")
    await page.evaluate(PLAYER, f"{place.url}/whep/card")

    async def texts() -> list[str]:
        heard: list[str] = await page.evaluate("window.texts")
        return heard

    heard = await eventually(texts, lambda heard: {"welcome", "from onopen"} <= set(heard), 10)
    assert heard[0] == "welcome"
    before = await page.evaluate(INBOUND)
    await eventually(lambda: page.evaluate(INBOUND), lambda now: now["frames"] > before["frames"] + 10, 10)
    assert (await page.evaluate(INBOUND))["transports"] == 1
    await page.evaluate("window.channel.send('é'.repeat(2048))")
    await eventually(texts, lambda heard: "é" * 2048 in heard, 5)

    (echo,) = place.echoes
    assert echo.channel.opening.label == "signals"
    assert (echo.channel.opening.ordered, echo.channel.opening.max_retransmits) == (False, 0)
    assert echo.channel.send("goodbye")
    echo.channel.close()
    await eventually(lambda: page.evaluate("window.states"), lambda states: states == ["open", "closed"], 5)
    assert (await texts())[-1] == "goodbye"
    frames = (await page.evaluate(INBOUND))["frames"]
    await eventually(lambda: page.evaluate(INBOUND), lambda now: now["frames"] > frames + 10, 10)
    assert echo.closed == 0
    await page.close()
    assert errors == []


@pytest.mark.browser
async def test_chromium_that_closes_its_page_is_told(place: Place, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(f"{place.url}/livez")
    await page.evaluate(PLAYER, f"{place.url}/whep/card")
    await until(lambda: bool(place.echoes) and bool(place.echoes[0].arrivals_s), 10)
    await page.evaluate("window.player.close()")
    await until(lambda: place.echoes[0].closed == 1, 5)
    await page.close()
