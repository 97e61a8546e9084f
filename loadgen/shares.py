"""What is made of sums by dividing: each None where there is nothing to divide by."""

from loadgen.counts import BET_STATES
from loadgen.figures import Generator, HlsCounts, MediaCounts, SignalCounts


def divided(part: float, whole: float) -> float | None:
    """None unless `whole` is positive."""
    return part / whole if whole > 0 else None


def loss(media: MediaCounts) -> float | None:
    """Share of the packets that did not come in the first place."""
    return divided(media.lost, media.expected)


def residual_loss(media: MediaCounts) -> float | None:
    """Share of the packets that never came."""
    return divided(media.lost - media.recovered, media.expected)


def freeze_ratio(media: MediaCounts) -> float | None:
    """Share of the time watched in which the picture stood."""
    return divided(media.frozen_s, media.watched_s)


def frames(media: MediaCounts) -> int:
    """All video frames that began to come."""
    return media.frames_complete + media.frames_incomplete + media.frames_undecodable


def frames_incomplete(media: MediaCounts) -> float | None:
    """Share of the frames of which a packet never came."""
    return divided(media.frames_incomplete, frames(media))


def frames_undecodable(media: MediaCounts) -> float | None:
    """Share of the frames that came whole, after one that did not."""
    return divided(media.frames_undecodable, frames(media))


def frames_not_shown(media: MediaCounts) -> float | None:
    """Share of the frames that no decoder could show: incomplete, or after one that was."""
    return divided(media.frames_incomplete + media.frames_undecodable, frames(media))


def frames_late(media: MediaCounts) -> float | None:
    """Share of the frames that were complete, but too late."""
    return divided(media.frames_late, frames(media))


def stall_ratio(hls: HlsCounts) -> float | None:
    """Share of the time watched in which an LL-HLS player had nothing to show."""
    return divided(hls.stalled_s, hls.watched_s)


def requests_failed(hls: HlsCounts) -> float | None:
    """Share of the requests of LL-HLS players."""
    return divided(hls.failures, hls.requests)


def bets_accepted(signals: SignalCounts) -> float | None:
    """Share of the bets that were sent, answered or not."""
    return divided(signals.accepted, signals.bets)


def bets_refused(signals: SignalCounts) -> int:
    """Bets that were not taken, for another cause than that they were late."""
    known: int = sum(getattr(signals, state) for state in BET_STATES if state not in ("accepted", "late"))
    return known + signals.other_answers


def cpu_a_packet_s(generator: Generator) -> float | None:
    """The players' CPU time for a packet that they received; None where LL-HLS players had a part in it."""
    return None if generator.hls_requests else divided(generator.cpu_s, generator.received_packets)


def cpu_a_request_s(generator: Generator) -> float | None:
    """The players' CPU time for a request of LL-HLS; None where WHEP players had a part in it."""
    return None if generator.received_packets else divided(generator.cpu_s, generator.hls_requests)
