"""What a window of a stream measured: plain integers and one sketch, so that windows add up, and come apart, exactly.

Three legs: ingest (studio to gateway), egress (what the gateway hands on), player (what browsers report).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from qos.sketch import Sketch

LEGS = ("ingest", "egress", "player")


@dataclass(slots=True)
class Measurement:
    """See the module. Frames are video frames; times are milliseconds."""

    window_ms: int = 0
    """How long was measured."""
    viewer_ms: int = 0
    """Time watched, as the gateway sees it: one viewer for a second is 1000."""
    rtt: Sketch = field(default_factory=Sketch)
    """Round trips of bet signals, in seconds."""
    ingest_frames: int = 0
    """Frames that came from the studio."""
    ingest_dropped: int = 0
    """Frames of the studio that did not come whole, or that nobody could have decoded."""
    egress_frames: int = 0
    """Frames that were due to players: those of the studio once a WebRTC viewer, and once if LL-HLS is packaged."""
    egress_dropped: int = 0
    """Frames that the gateway left out, in the same count."""
    player_frames: int = 0
    """Frames that browsers decoded."""
    player_dropped: int = 0
    """Frames that browsers got and did not show."""
    player_dropped_ms: int = 0
    """Of `watched_ms`, in proportion to the frames that were not shown: a report weighs by its time."""
    freezes: int = 0
    frozen_ms: int = 0
    watched_ms: int = 0
    """What the browsers' reports cover; freezes are of this time."""
    attended_ms: int = 0
    """Time with at least one viewer, ..."""
    still_ms: int = 0
    """... and of it the seconds in which not one frame came from the studio."""
    ingest_packets: int = 0
    ingest_lost: int = 0
    """Given up: retransmission did not mend it."""
    egress_packets: int = 0
    egress_lost: int = 0
    """As players' receiver reports say."""
    rounds: int = 0
    """Rounds that ended."""
    aborts: int = 0
    """Of these, aborted for whatever cause."""
    network_aborts: int = 0
    """Of these, because of the network or of this edge."""

    def add(self, other: "Measurement") -> None:
        """Take `other` in."""
        for name in COUNTERS:
            if grown := getattr(other, name):
                setattr(self, name, getattr(self, name) + grown)
        self.rtt.merge(other.rtt)

    def subtract(self, other: "Measurement") -> None:
        """Take `other` out, which was added before."""
        for name in COUNTERS:
            if gone := getattr(other, name):
                setattr(self, name, getattr(self, name) - gone)
        self.rtt.subtract(other.rtt)

    # What the score is made of: None where nothing was measured

    @property
    def viewers(self) -> float:
        """On average, over the window."""
        return self.viewer_ms / self.window_ms if self.window_ms else 0.0

    @property
    def dropped_by_leg(self) -> dict[str, float | None]:
        """Leg -> share of the leg's frames that were dropped; of players' the mean over the time that they watched."""
        return {
            "ingest": _share(self.ingest_dropped, self.ingest_frames + self.ingest_dropped),
            "egress": _share(self.egress_dropped, self.egress_frames),
            "player": _share(self.player_dropped_ms, self.watched_ms),
        }

    @property
    def due_by_leg(self) -> dict[str, int]:
        """Leg -> frames that it had to pass on."""
        return {
            "ingest": self.ingest_frames + self.ingest_dropped,
            "egress": self.egress_frames,
            "player": self.player_frames + self.player_dropped,
        }

    @property
    def dropped_share(self) -> float | None:
        """Share of frames that did not make it through all legs that were measured."""
        return _through(self.dropped_by_leg.values())

    @property
    def frozen_share(self) -> float | None:
        """Share of time in which the picture stood still: as browsers say or as the studio's frames say, the worse."""
        known = (_share(self.frozen_ms, self.watched_ms), _share(self.still_ms, self.attended_ms))
        return max((share for share in known if share is not None), default=None)

    @property
    def freezes_per_minute(self) -> float | None:
        """Freezes a minute of watching, as browsers say."""
        return self.freezes * 60_000 / self.watched_ms if self.watched_ms else None

    @property
    def lost_share(self) -> float | None:
        """Share of packets lost on the way from the studio to the player."""
        ingest = _share(self.ingest_lost, self.ingest_packets + self.ingest_lost)
        return _through((ingest, _share(self.egress_lost, self.egress_packets)))

    @property
    def aborted_share(self) -> float | None:
        """Share of the rounds that ended which the network or this edge aborted."""
        return _share(self.network_aborts, self.rounds)


COUNTERS = tuple(each.name for each in fields(Measurement) if each.name != "rtt")
"""The fields that are plain integers."""


def _share(part: int, whole: int) -> float | None:
    # What is counted a moment apart may be a little more than the whole.
    return min(part / whole, 1.0) if whole > 0 else None


def _through(shares: Iterable[float | None]) -> float | None:
    """What is lost on the way through legs that lose these shares each; None where no leg was measured."""
    known = [share for share in shares if share is not None]
    return 1 - math.prod(1 - share for share in known) if known else None
