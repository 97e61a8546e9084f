"""What breaks the rules of draft-pantos-hls-rfc8216bis, though it can be played: each rule by a word, which is counted.

Durations are written with a few decimals: sums may differ by ROUNDING_S.
"""

from collections.abc import Iterator

from loadgen.hls.playlist import MediaPlaylist, Segment

ROUNDING_S = 0.005
MIN_PART_SHARE = 0.85
"""Of PART-TARGET, of every part but the last of a segment (section 4.4.4.9)."""
MIN_PART_HOLD_BACK = 2
"""Times PART-TARGET (section 4.4.3.8)."""
MIN_HOLD_BACK = 3
"""Times the target duration (section 4.4.3.8)."""
MIN_SKIP_BOUNDARY = 6
"""Times the target duration (section 4.4.3.8)."""
LATENCY_VERSION = 9
"""EXT-X-SKIP needs it (section 8)."""


def violations(playlist: MediaPlaylist) -> frozenset[str]:
    """Rules that one playlist breaks, seen by itself."""
    return frozenset((*_of_control(playlist), *_of_durations(playlist)))


def _of_control(playlist: MediaPlaylist) -> Iterator[str]:
    target_s = playlist.target_duration_s
    part_target_s = playlist.part_target_s
    if playlist.hold_back_s is not None and playlist.hold_back_s < MIN_HOLD_BACK * target_s - ROUNDING_S:
        yield "hold_back_too_short"
    if playlist.can_skip_until_s is not None and playlist.can_skip_until_s < MIN_SKIP_BOUNDARY * target_s - ROUNDING_S:
        yield "skip_boundary_too_short"
    if playlist.skipped and playlist.version < LATENCY_VERSION:
        yield "version_too_low"
    if part_target_s is None:
        if any(segment.parts for segment in playlist.segments):
            yield "part_without_part_target"
        return
    if playlist.part_hold_back_s is None:
        yield "part_hold_back_missing"
    elif playlist.part_hold_back_s < MIN_PART_HOLD_BACK * part_target_s - ROUNDING_S:
        yield "part_hold_back_too_short"


def _of_durations(playlist: MediaPlaylist) -> Iterator[str]:
    for segment in playlist.segments:
        if segment.uri is not None and round(segment.duration_s) > playlist.target_duration_s:
            yield "segment_too_long"
        if segment.map_uri is None and not playlist.skipped:
            yield "map_missing"
        if segment.parts and playlist.part_target_s is not None:
            yield from _of_parts(segment, playlist.part_target_s)


def _of_parts(segment: Segment, part_target_s: float) -> Iterator[str]:
    durations_s = [part.duration_s for part in segment.parts]
    if max(durations_s) > part_target_s + ROUNDING_S:
        yield "part_too_long"
    if any(each < MIN_PART_SHARE * part_target_s - ROUNDING_S for each in durations_s[:-1]):
        yield "part_too_short"
    if segment.uri is not None and abs(sum(durations_s) - segment.duration_s) > ROUNDING_S * (1 + len(durations_s)):
        yield "parts_do_not_make_segment"


def contradictions(playlist: MediaPlaylist, before: MediaPlaylist) -> Iterator[str]:
    """Rules that a whole playlist breaks after the one `before` it (section 6.2.1)."""
    if playlist.media_sequence < before.media_sequence:
        yield "media_sequence_went_back"
    if playlist.target_duration_s != before.target_duration_s:
        yield "target_duration_changed"
    if playlist.next_position < before.next_position:
        yield "part_vanished"
    if before.has_ended and not playlist.has_ended:
        yield "endlist_vanished"
    last = before.segments[-1] if before.segments else None
    if last is None:
        return
    index = last.msn - playlist.media_sequence
    if 0 <= index < len(playlist.segments) and _has_changed(playlist.segments[index], last):
        yield "part_changed"


def _has_changed(segment: Segment, before: Segment) -> bool:
    """Whether what was listed of it is no longer so: parts may be added, or all be taken away."""
    return bool(segment.parts) and segment.parts[: len(before.parts)] != before.parts
