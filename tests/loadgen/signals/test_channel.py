"""A data channel as carrier: what is told, and when nothing is."""

import asyncio
from collections.abc import Callable

import pytest

from loadgen.errors import SignallingError
from loadgen.peer.peer import ChannelReceiver
from loadgen.signals import channel as channel_module
from loadgen.signals.carrier import Carrier, Listener
from loadgen.signals.channel import connect_channel


class FakeChannel:
    """In the place of the transport's."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closes = 0

    def send(self, text: str) -> bool:
        self.sent.append(text)
        return True

    def close(self) -> None:
        self.closes += 1


class FakePeer:
    """Opens its channel when a test says so."""

    def __init__(self, has_channels: bool = True) -> None:
        self.channel = FakeChannel()
        self.receiver: ChannelReceiver | None = None
        self.on_open: Callable[[], None] = lambda: None
        self._has_channels = has_channels

    def open_channel(self, receiver: ChannelReceiver, on_open: Callable[[], None]) -> FakeChannel:
        if not self._has_channels:
            raise SignallingError("no_channel", "none")
        self.receiver, self.on_open = receiver, on_open
        return self.channel


class Heard:
    """What a listener was told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.carrier: Carrier | None = None
        self.listener = Listener(self._on_open, lambda text, at_s: self.told.append((text, at_s)), self._on_closed)

    def _on_open(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.told.append("open")

    def _on_closed(self) -> None:
        self.told.append("closed")


async def _connected(peer: FakePeer, heard: Heard) -> Carrier:
    connecting = asyncio.create_task(connect_channel(peer, heard.listener))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    peer.on_open()
    await connecting
    assert heard.carrier is not None
    return heard.carrier


async def test_messages_are_handed_on_with_the_kernels_time() -> None:
    peer, heard = FakePeer(), Heard()
    carrier = await _connected(peer, heard)
    assert peer.receiver is not None
    peer.receiver.on_text("hello", 12.5)
    carrier.send("hi")
    peer.receiver.on_closed()
    assert heard.told == ["open", ("hello", 12.5), "closed"]
    assert (peer.channel.sent, carrier.is_reliable) == (["hi"], False)


async def test_welcome_in_the_packet_that_opens_the_channel_comes_after_it() -> None:
    peer, heard = FakePeer(), Heard()
    connecting = asyncio.create_task(connect_channel(peer, heard.listener))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    peer.on_open()
    assert peer.receiver is not None
    peer.receiver.on_text("welcome", 1.0)
    await connecting
    assert heard.told == ["open", ("welcome", 1.0)]


async def test_nothing_is_told_after_our_own_close() -> None:
    peer, heard = FakePeer(), Heard()
    carrier = await _connected(peer, heard)
    await carrier.close()
    assert peer.receiver is not None
    peer.receiver.on_text("late", 1.0)
    peer.receiver.on_closed()
    assert (heard.told, peer.channel.closes) == (["open"], 1)


async def test_server_that_has_no_channels_is_a_cause() -> None:
    with pytest.raises(SignallingError) as caught:
        await connect_channel(FakePeer(has_channels=False), Heard().listener)  # type: ignore[arg-type]
    assert caught.value.cause == "no_channel"


async def test_channel_that_nobody_opens_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "OPEN_WITHIN_S", 0.02)
    peer, heard = FakePeer(), Heard()
    with pytest.raises(SignallingError) as caught:
        await connect_channel(peer, heard.listener)  # type: ignore[arg-type]
    assert (caught.value.cause, peer.channel.closes, heard.told) == ("channel_timeout", 1, [])


async def test_attempt_that_is_cancelled_leaves_nothing_open() -> None:
    peer = FakePeer()
    connecting = asyncio.create_task(connect_channel(peer, Heard().listener))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    assert peer.channel.closes == 1
