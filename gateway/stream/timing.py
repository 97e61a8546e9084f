"""The studio's capture time, told in the gateway's clock.

A publisher's sender reports tie its RTP timestamps to its own NTP clock, which may be wrong by hours. The gateway
estimates one offset a publisher, from the report that travelled fastest, and so keeps audio and video of a publisher
aligned.
"""

from collections import deque

from gateway.clock import ntp_difference_s

OFFSET_SAMPLES = 30
"""Sender reports that the offset is estimated from: 30 to 60 s, long enough to catch one that did not queue."""

ARRIVAL_KEPT_S = 10.0
"""How long the fastest packet stands for the publisher's clock: long enough for one that did not queue, and clocks part
by no more than a millisecond in it."""

_UQ32 = 1 << 32
_HALF_RTP = 1 << 31
_U64 = 0xFFFFFFFFFFFFFFFF


class PublisherClock:
    """The offset of one publisher's NTP clock against the gateway's, shared by its tracks."""

    def __init__(self) -> None:
        self._samples: deque[int] = deque(maxlen=OFFSET_SAMPLES)
        self._origin: int | None = None

    def on_sender_report(self, publisher_ntp: int, gateway_ntp: int) -> None:
        """A report stamped `publisher_ntp` arrived at `gateway_ntp` (both UQ32.32)."""
        difference = (gateway_ntp - publisher_ntp) & _U64
        if self._origin is None:
            self._origin = difference
        self._samples.append(_signed(difference - self._origin))

    @property
    def offset(self) -> int | None:
        """Gateway's NTP minus publisher's NTP, modulo 2**64; it includes the fastest report's way. None before the
        first."""
        if self._origin is None:
            return None
        return (self._origin + min(self._samples)) & _U64

    def to_gateway(self, publisher_ntp: int) -> int | None:
        """`publisher_ntp` as the gateway's clock would have said it."""
        offset = self.offset
        return None if offset is None else (publisher_ntp + offset) & _U64


def _signed(difference: int) -> int:
    difference &= _U64
    return difference - (1 << 64) if difference >= 1 << 63 else difference


class TrackClock:
    """Ties a track's outgoing RTP timestamps to the gateway's NTP clock."""

    __slots__ = ("_clock", "_clock_rate_hz", "_has_packet", "_is_reported", "_ntp", "_timestamp")

    def __init__(self, clock_rate_hz: int) -> None:
        self._clock_rate_hz = clock_rate_hz
        self._clock: PublisherClock | None = None
        self._is_reported = self._has_packet = False
        self._ntp = 0
        self._timestamp: int | None = None

    def on_packet(self, timestamp: int, gateway_ntp: int) -> None:
        """Until the publisher's first sender report arrival is the best that is known: that of the packet that
        travelled fastest, so that neither jitter nor a large frame moves the clock."""
        if not self._is_reported and (not self._has_packet or self._is_faster(timestamp, gateway_ntp)):
            self._timestamp, self._ntp, self._has_packet = timestamp, gateway_ntp, True

    def _is_faster(self, timestamp: int, gateway_ntp: int) -> bool:
        """Whether the packet took less time than the one that is gone by, or that one is too long ago."""
        if ntp_difference_s(gateway_ntp, self._ntp) > ARRIVAL_KEPT_S:
            return True
        expected_ntp = self.ntp_at(timestamp)
        return expected_ntp is None or ntp_difference_s(gateway_ntp, expected_ntp) < 0

    def on_sender_report(self, publisher_ntp: int, timestamp: int, clock: PublisherClock) -> None:
        """The publisher said that outgoing `timestamp` was captured at `publisher_ntp`."""
        self._clock, self._ntp, self._timestamp, self._is_reported = clock, publisher_ntp, timestamp, True

    def begin_epoch(self) -> None:
        """Another publisher: its first report is still to come. Until its first packet the last one's line goes on."""
        if self._clock is not None:
            self._ntp = self._clock.to_gateway(self._ntp) or self._ntp
        self._clock, self._is_reported, self._has_packet = None, False, False

    def timestamp_at(self, gateway_ntp: int) -> int | None:
        """The RTP timestamp that corresponds to the instant `gateway_ntp`, for a sender report; None before any
        packet."""
        if self._timestamp is None:
            return None
        reference = self._clock.to_gateway(self._ntp) if self._clock is not None else self._ntp
        if reference is None:
            return None
        elapsed_ticks = round(ntp_difference_s(gateway_ntp, reference) * self._clock_rate_hz)
        return (self._timestamp + elapsed_ticks) & 0xFFFFFFFF

    def ntp_at(self, timestamp: int) -> int | None:
        """When, in the gateway's NTP clock, the sample with RTP `timestamp` was captured: the inverse of
        `timestamp_at`."""
        if self._timestamp is None:
            return None
        reference = self._clock.to_gateway(self._ntp) if self._clock is not None else self._ntp
        if reference is None:
            return None
        elapsed_ticks = (timestamp - self._timestamp + _HALF_RTP) % (2 * _HALF_RTP) - _HALF_RTP
        return (reference + (elapsed_ticks * _UQ32) // self._clock_rate_hz) & _U64


def capture_clock_offset(clock: PublisherClock) -> int | None:
    """Publisher's NTP minus gateway's, signed Q32.32: what abs-capture-time calls the estimated capture clock
    offset."""
    offset = clock.offset
    return None if offset is None else _signed(-offset)
