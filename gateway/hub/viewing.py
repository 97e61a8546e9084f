"""The viewers of one stream, and their figures together."""

from dataclasses import dataclass, field

from gateway.signals.connection import Connection
from gateway.viewers.retransmission import RetransmissionFigures
from gateway.viewers.viewer import Viewer, ViewerFigures


@dataclass(slots=True)
class Seat:
    """Who sits where a viewer watches."""

    player: str | None
    """As the token says; None without one."""
    signals: Connection | None = None
    """By the data channel that was accepted last, be it over."""


@dataclass(slots=True)
class Viewing:
    """What the hub keeps for each stream that has, or had, viewers."""

    viewers: dict[Viewer, Seat] = field(default_factory=dict)
    figures: ViewerFigures = field(default_factory=ViewerFigures)
    retransmissions: RetransmissionFigures = field(default_factory=RetransmissionFigures)
