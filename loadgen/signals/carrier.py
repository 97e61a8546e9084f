"""What carries signals, as a player has it: a WebSocket or a data channel. Text messages, whole or not at all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


class Carrier(Protocol):
    """The player's end of a connection that is up."""

    is_reliable: bool
    """Whether all that is sent arrives, in order, or the connection ends."""

    def send(self, text: str) -> None:
        """Send a message. Never blocks, never raises: that the connection is gone is told by `on_closed`."""

    async def close(self) -> None:
        """Say goodbye; `on_closed` is not called any more. Again: nothing."""

    def abandon(self) -> None:
        """The same, where nobody can wait for it."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what a carrier brings. None of them raises."""

    on_open: "Callable[[Carrier], None]"
    """It is there; before all else."""
    on_text: Callable[[str, float], None]
    """A message, and when it arrived, unix seconds: by the kernel where it can be known."""
    on_closed: Callable[[], None]
    """The server, or the path to it, has ended the connection. Once at most."""


Connect = Callable[[Listener], Awaitable[None]]
"""Open a connection. SignallingError with its cause when it does not come about; nothing is left open then."""
