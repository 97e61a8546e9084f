"""The viewers of one stream, and their figures together."""

from dataclasses import dataclass, field

from gateway.viewers.retransmission import RetransmissionFigures
from gateway.viewers.viewer import Viewer, ViewerFigures


@dataclass(slots=True)
class Viewing:
    """What the hub keeps for each stream that has, or had, viewers."""

    viewers: dict[Viewer, None] = field(default_factory=dict)
    figures: ViewerFigures = field(default_factory=ViewerFigures)
    retransmissions: RetransmissionFigures = field(default_factory=RetransmissionFigures)
