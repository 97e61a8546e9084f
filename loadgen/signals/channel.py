"""Signals over a data channel, beside a player's media."""

import asyncio
from typing import Protocol

from gateway.transport.data_channel import Channel
from loadgen.errors import SignallingError
from loadgen.peer.peer import ChannelReceiver
from loadgen.signals.carrier import Listener

OPEN_WITHIN_S = 10.0
"""For the association and the channel on it: two round trips, and whatever of them gets lost."""


class ChannelPeer(Protocol):
    """As much of a `loadgen.peer.peer.Peer` as is used here."""

    def open_channel(self, receiver: ChannelReceiver, on_open: "OnOpen") -> Channel: ...


class OnOpen(Protocol):
    """Called when the server has taken the channel."""

    def __call__(self) -> None: ...


class ChannelCarrier:
    """See `Carrier`. Messages may get lost, and overtake one another."""

    is_reliable = False

    def __init__(self, peer: ChannelPeer, listener: Listener) -> None:
        self.has_opened = asyncio.Event()
        self._listener = listener
        self._is_closing = False
        self._channel = peer.open_channel(self, self._on_open)

    def _on_open(self) -> None:
        self._listener.on_open(self)
        self.has_opened.set()

    def send(self, text: str) -> None:
        """See `Carrier`. What finds too much waiting is lost, as on the way."""
        self._channel.send(text)

    async def close(self) -> None:
        """See `Carrier`."""
        self.abandon()

    def abandon(self) -> None:
        """See `Carrier`."""
        self._is_closing = True
        self._channel.close()

    # As receiver

    def on_text(self, text: str, arrival_s: float) -> None:
        """See `ChannelReceiver`."""
        if not self._is_closing:
            self._listener.on_text(text, arrival_s)

    def on_closed(self) -> None:
        """See `ChannelReceiver`."""
        if not self._is_closing:
            self._listener.on_closed()


async def connect_channel(peer: ChannelPeer, listener: Listener) -> None:
    """Open the channel. SignallingError: `no_channel` when the server has none, `channel_timeout`."""
    carrier = ChannelCarrier(peer, listener)
    try:
        async with asyncio.timeout(OPEN_WITHIN_S):
            await carrier.has_opened.wait()
    except BaseException as error:
        carrier.abandon()
        if isinstance(error, TimeoutError):
            raise SignallingError("channel_timeout", "The data channel was not opened in time.") from None
        raise
