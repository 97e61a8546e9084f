"""The newest whole picture of a track, found in its packet cache: nothing is counted on the packets' own road. Pure."""

from gateway.stream.packet import MediaPacket
from gateway.stream.track import Track

MAX_SCANNED = 2048
"""Packets that one look goes back over: ten seconds of a stream of which no picture is whole."""


def newest_picture_s(video: Track, known_s: float | None) -> float | None:
    """When the last packet of the newest whole picture arrived that players were sent; `known_s` when none came since.

    A picture is whole when all its packets are there, up to the one with the marker, and so is the one before its
    first: a hole there may have been its beginning. What retransmission mends is whole from then on.
    """
    index = video.forwarded - 1
    oldest = max(video.cache.oldest, video.epoch_start, index - MAX_SCANNED)
    while index >= oldest:
        last = video.cache.packet(index)
        if last is not None and known_s is not None and last.arrival_s <= known_s:
            return known_s
        if last is None or not last.marker:
            index -= 1
            continue
        first = _first_of(video, last, oldest)
        if first == oldest or first - 1 in video.cache:
            return last.arrival_s
        index = first - 1
    return known_s


def _first_of(video: Track, last: MediaPacket, oldest: int) -> int:
    """Index of the first packet of the picture that `last` ends, as far as it is here without a hole."""
    first = last.index
    while first > oldest:
        earlier = video.cache.packet(first - 1)
        if earlier is None or earlier.timestamp != last.timestamp:
            break
        first -= 1
    return first
