"""A real gateway on loopback, asked over HTTP as its clients do. No media flows: a stream's source is a stand-in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiohttp
import pytest
from multidict import CIMultiDictProxy

from gateway.app import Gateway
from gateway.clock import monotonic_s
from gateway.config import HostPort, Settings
from gateway.stream.stream import Stream
from gateway.wire.formats import TrackFormat
from gateway.wire.h264 import H264Profile
from tests.offers import read_offer

Body = str | bytes | AsyncIterator[bytes]
SDP = {"Content-Type": "application/sdp"}
H264 = TrackFormat("video", "video/h264", 90_000, H264Profile.CONSTRAINED_BASELINE)
OPUS = TrackFormat("audio", "audio/opus", 48_000)

PUBLISH_OFFER = read_offer("chromium_publish_h264")
WATCH_OFFER = read_offer("chromium_watch")


@dataclass(eq=False)
class StandIn:
    """A `Source` that sends nothing, and does not count as silent for it, however long a busy machine takes."""

    session_id: str = "stand-in"
    silent_s: float = 0.0

    @property
    def last_media_s(self) -> float:
        """See `Source`."""
        return monotonic_s() - self.silent_s

    def request_keyframe(self, now_s: float) -> None:
        """Nobody is there to send one."""

    def close(self, cause: str) -> None:
        """Nothing to end."""


@dataclass
class Answer:
    """What came back, read."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str

    def __getitem__(self, header: str) -> str:
        """The value of a header; KeyError without it."""
        return self.headers[header]

    def __contains__(self, header: str) -> bool:
        return header in self.headers


class Api:
    """The HTTP side of one gateway."""

    def __init__(self, gateway: Gateway, bound: HostPort, client: aiohttp.ClientSession) -> None:
        self.gateway = gateway
        self.port = bound.port
        self._root = f"http://{bound}"
        self._client = client

    async def request(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Any request; `path` begins with a slash."""
        async with self._client.request(method, self._root + path, data=body, headers=headers) as response:
            return Answer(response.status, response.headers, await response.text())

    async def media(self, path: str) -> tuple[int, bytes]:
        """GET: status and body, as it is."""
        async with self._client.get(self._root + path) as response:
            return response.status, await response.read()

    async def publish(self, stream: str = "table", offer: str = PUBLISH_OFFER, **headers: str) -> Answer:
        """WHIP."""
        return await self.request("POST", f"/whip/{stream}", offer, SDP | headers)

    async def watch(self, stream: str = "table", offer: str = WATCH_OFFER, **headers: str) -> Answer:
        """WHEP."""
        return await self.request("POST", f"/whep/{stream}", offer, SDP | headers)

    def go_live(self, name: str = "table", formats: tuple[TrackFormat, ...] = (H264, OPUS)) -> Stream:
        """Let somebody publish `name`."""
        stream = self.gateway.registry.open(name)
        stream.attach(StandIn(), list(formats), monotonic_s())
        return stream


Serve = Callable[..., Awaitable[Api]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a gateway with the settings given by name."""
    gateways: list[Gateway] = []
    async with aiohttp.ClientSession() as client:

        async def started(**settings: object) -> Api:
            loopback = HostPort(host="127.0.0.1", port=0)
            gateway = Gateway(Settings.model_validate({"http": loopback, "udp": loopback, **settings}))
            gateways.append(gateway)
            return Api(gateway, await gateway.start(), client)

        yield started
    for gateway in gateways:
        await gateway.stop()


@pytest.fixture
def still_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes for the rates: what was asked stays counted, however long a busy machine takes to answer."""
    monkeypatch.setattr("gateway.http.access.monotonic_s", lambda: 100.0)


@pytest.fixture
async def api(serve: Serve) -> Api:
    """A gateway with the default settings."""
    return await serve()
