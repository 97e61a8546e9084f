"""One track as a publisher sends it: its payload types, its SSRC, what is missing of it."""

from dataclasses import dataclass

from gateway.ingest.nack import NackTracker
from gateway.ingest.reception import Reception
from gateway.wire.formats import TrackFormat


@dataclass(frozen=True, slots=True)
class PublishedMedia:
    """What WHIP negotiated for one track."""

    format: TrackFormat
    payload_type: int
    rtx_payload_type: int | None
    extensions: dict[int, str]
    """id -> URI."""
    feedback: frozenset[str]


class IncomingTrack:
    """State of one track of one publisher."""

    def __init__(self, media: PublishedMedia) -> None:
        self.media = media
        self.reception: Reception | None = None
        self.nacks = NackTracker()
        self.retransmissions = 0
        self.nacks_sent = 0
        self._retired: set[int] = set()

    @property
    def ssrc(self) -> int:
        """The SSRC that is received now; 0 before the first packet."""
        return self.reception.ssrc if self.reception is not None else 0

    def switch_to(self, ssrc: int) -> bool:
        """Follow `ssrc`; whether its numbers begin anew. An SSRC that was left is never taken up again."""
        if self.reception is not None and ssrc == self.reception.ssrc:
            return False
        if self.reception is not None:
            self._retired.add(self.reception.ssrc)
        self.reception = Reception(ssrc, self.media.format.clock_rate_hz)
        self.nacks.restart()
        return True

    def is_retired(self, ssrc: int) -> bool:
        """Whether `ssrc` has been left for another."""
        return ssrc in self._retired

    @property
    def wants_nack(self) -> bool:
        """Whether the publisher agreed to answer NACK."""
        return "nack" in self.media.feedback
