"""What a stream counts of the publishers that came and went."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class IngestFigures:
    """Counters of one publisher, or of several added up."""

    packets_lost: int = 0
    """Given up: asked for in vain, or too many at once."""
    packets_recovered: int = 0
    packets_nacked: int = 0
    frames_lost: int = 0
    """Video frames of which packets were given up, or of which none came."""
    frames_oversized: int = 0
    """Video frames that lack a packet as it was oversized."""
    oversized: int = 0
    """Packets with more payload than a viewer's datagram has room for."""
    video_expected: int = 0
    """Packets of video that the numbers of those that came say were sent."""
    video_missed: int = 0
    """Of them, those that were not there when a later one was."""
    video_recovered: int = 0
    """Of those, the ones that came after all."""
    video_unseen: int = 0
    """Packets of video that only the studio's reports tell of: nothing later came by which they would be missed."""

    def __add__(self, other: "IngestFigures") -> "IngestFigures":
        names = (each.name for each in fields(self))
        return IngestFigures(**{name: getattr(self, name) + getattr(other, name) for name in names})
