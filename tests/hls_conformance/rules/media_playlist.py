"""Section 4.4.3: the tags of a Media Playlist as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hls_conformance.reader import Line, MediaPlaylist
from tests.hls_conformance.recording import Stream
from tests.hls_conformance.tags import Kind

ROUNDING = 1e-6
"""Of seconds in decimal notation."""


def tags_are_there_once(stream: Stream) -> Iterator[str]:
    """Section 4.4.3, MUST: one of each type at most."""
    for exchange, playlist in stream.every_playlist():
        tags = [line.tag for line in playlist.lines if line.kind is Kind.MEDIA_PLAYLIST]
        yield from (f"{exchange}: {tag} twice" for tag in set(tags) if tags.count(tag) > 1)


def target_duration_is_there(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.1: REQUIRED, MUST be at least 1."""
    for exchange, playlist in stream.every_playlist():
        if playlist.target_duration_s < 1:
            yield f"{exchange}: {playlist.target_duration_s}"


def segments_are_not_longer_than_the_target(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.1, MUST: EXTINF, rounded to the nearest integer, is at most the Target Duration."""
    for exchange, playlist in stream.every_playlist():
        for segment in playlist.segments:
            if int((segment.duration_s or 0.0) + 0.5) > playlist.target_duration_s:
                yield f"{exchange}: segment {segment.msn} of {segment.duration_s} s, {playlist.target_duration_s} s"


def _first_of_a_segment(playlist: MediaPlaylist) -> int:
    """Number of the first line that is a segment's."""
    return min((line.number for line in playlist.lines if _is_of_a_segment(line)), default=10**9)


def _is_of_a_segment(line: Line) -> bool:
    return line.tag is None or line.kind is Kind.MEDIA_SEGMENT


def _stands_before_segments(stream: Stream, tag: str) -> Iterator[str]:
    for exchange, playlist in stream.every_playlist():
        for line in playlist.all(tag):
            if line.number < _first_of_a_segment(playlist):
                continue
            yield f"{exchange}: line {line.number} is {tag}, line {_first_of_a_segment(playlist)} is of a segment"


def media_sequence_stands_before_segments(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.2, MUST."""
    return _stands_before_segments(stream, "EXT-X-MEDIA-SEQUENCE")


def discontinuity_sequence_stands_before_segments(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.3, MUST: before the first segment and before any EXT-X-DISCONTINUITY."""
    return _stands_before_segments(stream, "EXT-X-DISCONTINUITY-SEQUENCE")


def part_inf_goes_with_parts(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.7: REQUIRED where there is an EXT-X-PART."""
    if not any(playlist.parts for _, playlist in stream.every_playlist()):
        yield "no playlist lists a part"
    for exchange, playlist in stream.every_playlist():
        if playlist.parts and playlist.part_target_s is None:
            yield f"{exchange}: parts, but no EXT-X-PART-INF"


def skip_boundary_is_six_targets(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.8, MUST: CAN-SKIP-UNTIL is at least six times the Target Duration."""
    for exchange, playlist in stream.every_playlist():
        least_s = 6 * playlist.target_duration_s
        if "CAN-SKIP-UNTIL" in playlist.control and playlist.control.seconds("CAN-SKIP-UNTIL") < least_s - ROUNDING:
            yield f"{exchange}: {playlist.control['CAN-SKIP-UNTIL']} s, least is {least_s} s"


def skipping_dateranges_needs_a_skip_boundary(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.8: CAN-SKIP-DATERANGES REQUIRES CAN-SKIP-UNTIL."""
    for exchange, playlist in stream.every_playlist():
        if "CAN-SKIP-DATERANGES" in playlist.control and "CAN-SKIP-UNTIL" not in playlist.control:
            yield f"{exchange}: {playlist.control}"


def hold_back_is_three_targets(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.8, MUST: HOLD-BACK, where given, is at least three times the Target Duration."""
    for exchange, playlist in stream.every_playlist():
        least_s = 3 * playlist.target_duration_s
        if "HOLD-BACK" in playlist.control and playlist.control.seconds("HOLD-BACK") < least_s - ROUNDING:
            yield f"{exchange}: {playlist.control['HOLD-BACK']} s, least is {least_s} s"


def part_hold_back_is_there(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.8: PART-HOLD-BACK is REQUIRED with EXT-X-PART-INF."""
    for exchange, playlist in stream.every_playlist():
        if playlist.part_target_s is not None and "PART-HOLD-BACK" not in playlist.control:
            yield f"{exchange}: none"


def _part_hold_back(stream: Stream, times: int) -> Iterator[str]:
    for exchange, playlist in stream.every_playlist():
        if playlist.part_target_s is None or "PART-HOLD-BACK" not in playlist.control:
            continue
        if playlist.control.seconds("PART-HOLD-BACK") < times * playlist.part_target_s - ROUNDING:
            yield f"{exchange}: {playlist.control['PART-HOLD-BACK']} s for parts of {playlist.part_target_s} s"


def part_hold_back_is_two_part_targets(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.8, MUST."""
    return _part_hold_back(stream, 2)


def part_hold_back_should_be_three_part_targets(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.8, SHOULD: three times the largest Part Target Duration of any rendition."""
    yield from _part_hold_back(stream, 3)
    targets = [playlist.part_target_s for _, playlist in stream.every_playlist() if playlist.part_target_s]
    held = [p.control.seconds("PART-HOLD-BACK") for _, p in stream.every_playlist() if "PART-HOLD-BACK" in p.control]
    if targets and held and min(held) < 3 * max(targets) - ROUNDING:
        yield f"{min(held)} s, the largest Part Target Duration is {max(targets)} s"
