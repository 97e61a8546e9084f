"""Section 4.4.4: the tags of segments and parts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.hls_conformance.media import Media, media_of
from tests.hls_conformance.reader import Part
from tests.hls_conformance.recording import RENDITIONS, Stream
from tests.hls_conformance.rules.media import IDR_SLICE, nal_unit_types
from tests.hls_conformance.rules.media_playlist import ROUNDING

LEAST_SHARE = 0.85
MAX_DRIFT_S = 0.005
BEFORE_PARTS = ("EXT-X-DISCONTINUITY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME")


def every_segment_has_a_duration(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.1: EXTINF is REQUIRED for each segment."""
    if not any(playlist.segments for _, playlist in stream.every_playlist()):
        yield "no playlist lists a segment"
    for exchange, playlist in stream.every_playlist():
        yield from (f"{exchange}: segment {s.msn} has none" for s in playlist.segments if s.duration_s is None)


def durations_are_decimal(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.1, SHOULD: decimal-floating-point."""
    for exchange, playlist in stream.every_playlist():
        for line in playlist.all("EXTINF"):
            if "." not in line.value.partition(",")[0]:
                yield f"{exchange}: {line.text}"


def durations_do_not_drift(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.1, SHOULD: accurate enough that summed durations agree with the media."""
    for rendition in RENDITIONS:
        measured = media_of(stream).segments(rendition)
        if not measured:
            yield f"{rendition}: no segment was received"
        listed = {segment.msn: segment.duration_s or 0.0 for segment in stream.segments(rendition).values()}
        drift_s = sum(listed[msn] - media.duration_s for msn, media in measured.items())
        if abs(drift_s) > MAX_DRIFT_S:
            yield f"{rendition}: {len(measured)} segments sum up to {drift_s:+.4f} s beside their media"


def init_changes_are_discontinuities(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.3, MUST and SHOULD: another format, other tracks or parameters come with EXT-X-DISCONTINUITY."""
    for exchange, playlist in stream.every_playlist():
        for before, segment in pairwise(playlist.all_segments):
            if before.init_uri != segment.init_uri and not segment.discontinuity:
                yield f"{exchange}: segment {segment.msn} has another EXT-X-MAP and no EXT-X-DISCONTINUITY"


def every_segment_has_an_init_section(stream: Stream) -> Iterator[str]:
    """Sections 3.1.2 and 4.4.4.5, MUST: an EXT-X-MAP applies to every fMP4 segment."""
    for exchange, playlist in stream.every_playlist():
        for segment in playlist.all_segments:
            if segment.init_uri is None and not playlist.skipped:
                yield f"{exchange}: segment {segment.msn} has none"


def dates_have_zone_and_milliseconds(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.6, SHOULD."""
    dates = [(e, line) for e, playlist in stream.every_playlist() for line in playlist.all("EXT-X-PROGRAM-DATE-TIME")]
    if not dates:
        yield "no EXT-X-PROGRAM-DATE-TIME"
    for exchange, line in dates:
        time_of_day = line.value.partition("T")[2]
        seconds = time_of_day.partition(".")[2]
        if not any(zone in time_of_day for zone in "Z+-") or len(seconds.rstrip("Z").split("+")[0].split("-")[0]) < 3:
            yield f"{exchange}: {line.value}"


def tags_of_a_segment_stand_before_its_parts(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.9, MUST: DISCONTINUITY, MAP and PROGRAM-DATE-TIME before the first EXT-X-PART of the segment."""
    for exchange, playlist in stream.every_playlist():
        for segment in playlist.all_segments:
            first = segment.parts[0].line if segment.parts else 10**9
            for line in segment.lines:
                if line.tag in BEFORE_PARTS and line.number > first:
                    yield f"{exchange}: segment {segment.msn}: {line.tag} after its first part"


def part_durations_never_exceed_the_part_target(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.9, MUST."""
    for exchange, playlist in stream.every_playlist():
        for part in playlist.parts:
            if part.duration_s > (playlist.part_target_s or 0.0) + ROUNDING:
                yield f"{exchange}: part {part.msn}.{part.index} of {part.duration_s} s"


def part_durations_do_not_exceed_the_part_target(stream: Stream) -> Iterator[str]:
    """The same, of parts that could have been divided: a part that is one picture could not."""
    for rendition in RENDITIONS:
        one_picture = {(p.msn, p.index) for p, held in media_of(stream).parts(rendition) if len(held.samples) == 1}
        for exchange, playlist in stream.playlists(rendition):
            for part in playlist.parts:
                too_long = part.duration_s > (playlist.part_target_s or 0.0) + ROUNDING
                if too_long and (part.msn, part.index) not in one_picture:
                    yield f"{rendition} {exchange}: part {part.msn}.{part.index} of {part.duration_s} s"


def part_durations_are_85_percent_of_the_part_target(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.9, MUST, but for INDEPENDENT, GAP, one before a GAP, and the last of its segment. A part that
    with the next picture would have exceeded the target could not be longer: its studio stalls."""
    for rendition in RENDITIONS:
        target_s = next((playlist.part_target_s or 0.0 for _, playlist in stream.playlists(rendition)), 0.0)
        received = {(p.msn, p.index): held for p, held in media_of(stream).parts(rendition)}
        for part, following in pairwise(_in_order(stream, rendition)):
            if part.msn != following.msn or part.independent or part.gap or following.gap:
                continue
            held = received.get((following.msn, following.index))
            picture_s = held.samples[0].duration_ticks / held.track.timescale if held is not None else 0.0
            is_short = part.duration_s < LEAST_SHARE * target_s - ROUNDING
            if is_short and part.duration_s + picture_s <= target_s + ROUNDING:
                yield f"{rendition}: part {part.msn}.{part.index} of {part.duration_s} s, the next picture {picture_s}"


def _in_order(stream: Stream, rendition: str) -> list[Part]:
    return sorted(stream.parts(rendition).values(), key=lambda part: (part.msn, part.index))


def part_durations_are_those_of_their_samples(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.9: DURATION is the duration of the part."""
    for rendition in RENDITIONS:
        measured = media_of(stream).parts(rendition)
        if not measured:
            yield f"{rendition}: no part was received"
        for part, media in measured:
            if abs(part.duration_s - media.duration_s) > 0.001:
                yield f"{rendition}: part {part.msn}.{part.index} of {part.duration_s} s holds {media.duration_s:.5f} s"


def parts_with_an_independent_frame_say_so(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.9, SHOULD: every part that contains an independent frame carries INDEPENDENT=YES."""
    for rendition in RENDITIONS:
        for part, media in media_of(stream).parts(rendition):
            if _has_an_independent_frame(media) and not part.independent:
                yield f"{rendition}: part {part.msn}.{part.index} does not"


def parts_that_say_independent_are(stream: Stream) -> Iterator[str]:
    """Section 4.4.4.9: INDEPENDENT=YES says that the part contains an independent frame."""
    for rendition in RENDITIONS:
        for part, media in media_of(stream).parts(rendition):
            if part.independent and not _has_an_independent_frame(media):
                yield f"{rendition}: part {part.msn}.{part.index} has none"


def _has_an_independent_frame(media: Media) -> bool:
    """An IDR, whatever its flags say; of sound, a sync sample."""
    if media.track.handler == "vide":
        return any(IDR_SLICE in nal_unit_types(sample.payload) for sample in media.samples)
    return any(sample.is_sync for sample in media.samples)
