"""Section 6.2.2: what leaves a live playlist, and how long it stays behind it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hls_conformance.recording import RENDITIONS, Stream


def media_sequence_counts_what_was_removed(stream: Stream) -> Iterator[str]:
    """Section 6.2.2, MUST: one more for each removed segment, never less; EXT-X-MEDIA-SEQUENCE is there."""
    removed = 0
    for rendition in RENDITIONS:
        for exchange, before, now in stream.updates(rendition):
            gone = now.media_sequence - before.media_sequence
            removed += max(0, gone)
            stays = [segment.uri for segment in before.segments[max(0, gone) :]]
            if gone < 0 or stays != [segment.uri for segment in now.segments[: len(stays)]]:
                yield f"{rendition} {exchange}: MEDIA-SEQUENCE {now.media_sequence} after {before.media_sequence}"
            if now.media_sequence and now.first("EXT-X-MEDIA-SEQUENCE") is None:
                yield f"{rendition} {exchange}: no EXT-X-MEDIA-SEQUENCE"
    if not removed:
        yield "nothing was removed while it was recorded"


def parts_leave_after_three_targets(stream: Stream) -> Iterator[str]:
    """Section 6.2.2, SHOULD: no EXT-X-PART that is more than three target durations from the end of the playlist. The
    parts of one segment may leave together, so up to a target duration later."""
    for exchange, playlist in stream.every_playlist():
        from_end_s = 0.0
        for segment in reversed(playlist.all_segments):
            if segment.parts and from_end_s > 3 * playlist.target_duration_s + 1e-6:
                yield f"{exchange}: segment {segment.msn} ends {from_end_s:.2f} s from the end and has parts"
            from_end_s += segment.duration_s or sum(part.duration_s for part in segment.parts)


def parts_leave_in_order(stream: Stream) -> Iterator[str]:
    """Section 6.2.2, MUST: in the order of the playlist."""
    for exchange, playlist in stream.every_playlist():
        with_parts = [bool(segment.parts) for segment in playlist.all_segments]
        if with_parts != sorted(with_parts):
            yield f"{exchange}: {[segment.msn for segment in playlist.all_segments if segment.parts]}"


def _late(stream: Stream, of_parts: bool) -> Iterator[str]:
    paths = {
        path
        for rendition in RENDITIONS
        for path in (stream.parts(rendition) if of_parts else stream.segments(rendition))
    }
    asked = [exchange for path, exchange in stream.late.items() if path in paths]
    if not asked:
        yield "none left while it was recorded"
    yield from (f"{exchange}" for exchange in asked if exchange.status != 200 or not exchange.body)


def parts_stay_available_for_three_targets(stream: Stream) -> Iterator[str]:
    """Section 6.2.2, MUST: a part can be downloaded for three target durations after its EXT-X-PART was removed."""
    return _late(stream, of_parts=True)


def segments_stay_available(stream: Stream) -> Iterator[str]:
    """Section 6.2.2, MUST: from when it was listed, for its duration and that of the longest playlist that held it."""
    return _late(stream, of_parts=False)


def three_targets_remain(stream: Stream) -> Iterator[str]:
    """Section 6.2.2, MUST NOT: remove a segment if the rest is shorter than three target durations."""
    for rendition in RENDITIONS:
        for exchange, before, now in stream.updates(rendition):
            is_short = now.duration_s < 3 * now.target_duration_s
            if now.media_sequence > before.media_sequence and is_short and not now.ended:
                yield f"{rendition} {exchange}: {now.duration_s:.2f} s remain"


def discontinuity_sequence_is_there(stream: Stream) -> Iterator[str]:
    """Section 6.2.2, MUST: in a playlist with EXT-X-DISCONTINUITY from which segments are removed."""
    for exchange, playlist in stream.every_playlist():
        breaks = playlist.first("EXT-X-DISCONTINUITY")
        if breaks is not None and playlist.first("EXT-X-DISCONTINUITY-SEQUENCE") is None:
            yield f"{exchange}: {breaks.text} without it"


def discontinuity_sequence_counts_what_was_removed(stream: Stream) -> Iterator[str]:
    """Section 6.2.2, MUST: each segment keeps its Discontinuity Sequence Number; the value never decreases."""
    for rendition in RENDITIONS:
        numbers: dict[int, int] = {}
        for exchange, playlist in stream.playlists(rendition):
            for segment in playlist.all_segments:
                number = segment.discontinuity_sequence
                if numbers.setdefault(segment.msn, number) != number:
                    yield f"{rendition} {exchange}: segment {segment.msn} was {numbers[segment.msn]}, is {number}"
        for exchange, before, now in stream.updates(rendition):
            if now.discontinuity_sequence < before.discontinuity_sequence:
                yield f"{rendition} {exchange}: {now.discontinuity_sequence} after {before.discontinuity_sequence}"


def a_discontinuity_was_counted(stream: Stream) -> Iterator[str]:
    """Section 6.2.2: the break of the recording left the window of both renditions, and the sequence rose by one."""
    for rendition in RENDITIONS:
        playlists = [playlist for _, playlist in stream.playlists(rendition)]
        if not any(playlist.first("EXT-X-DISCONTINUITY") for playlist in playlists):
            yield f"{rendition}: no EXT-X-DISCONTINUITY"
        values = {playlist.discontinuity_sequence for playlist in playlists}
        if values != {min(values, default=0), min(values, default=0) + 1}:
            yield f"{rendition}: the values were {sorted(values)}"


def segments_say_when_they_expire(stream: Stream) -> Iterator[str]:
    """Section 6.2.2, SHOULD: an Expires header with the planned time to live of a segment that will be removed."""
    for rendition in RENDITIONS:
        for path in stream.segments(rendition):
            exchange = stream.listed.get(path)
            if exchange is not None and exchange.status == 200 and "expires" not in exchange.headers:
                yield f"{rendition} {exchange}: Cache-Control: {exchange.headers.get('cache-control')}"


def live_playlists_have_no_type(stream: Stream) -> Iterator[str]:
    """Section 6.2.2, MUST NOT: EXT-X-PLAYLIST-TYPE."""
    for exchange, playlist in stream.every_playlist():
        if playlist.first("EXT-X-PLAYLIST-TYPE") is not None:
            yield f"{exchange}"
