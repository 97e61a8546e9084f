"""What carries signals: a data channel or a WebSocket. Text messages, whole or not at all."""

from typing import Literal, Protocol

CarrierKind = Literal["data_channel", "websocket"]


class Carrier(Protocol):
    """The gateway's end."""

    @property
    def kind(self) -> CarrierKind:
        """The label of what is counted by it."""

    def send(self, text: str) -> bool:
        """Send a message; False when it was dropped, as too much waits already. Never blocks, never raises."""

    def close(self) -> None:
        """Say goodbye. Again: nothing. `Receiver.on_closed` is not called for it."""


class Receiver(Protocol):
    """Who gets what a carrier brings: a connection."""

    def on_text(self, text: str, arrival_s: float) -> None:
        """A message that arrived at that monotonic time: of the kernel for a data channel. Never raises."""

    def on_closed(self) -> None:
        """The player's end is gone. Called once at most."""
