"""Section 6.2.1: what a server may change in a playlist."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from tests.hls_conformance.reader import MediaPlaylist, Segment
from tests.hls_conformance.recording import RENDITIONS, Exchange, Stream
from tests.hls_conformance.rules.metadata import date_of, end_of

CONSTANT_TAGS = ("EXT-X-TARGETDURATION", "EXT-X-PART-INF", "EXT-X-SERVER-CONTROL", "EXT-X-VERSION")


def listed_media_are_available(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST: segments and parts can be downloaded when they are listed."""
    if not stream.listed:
        yield "nothing was listed"
    yield from (f"{exchange}" for exchange in stream.listed.values() if exchange.status != 200 or not exchange.body)


def playlists_are_compressed(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, SHOULD, and B.1: gzip for clients that accept it."""
    for name, exchange in stream.bodies():
        if exchange.headers.get("content-encoding") != "gzip":
            yield f"{name}: {exchange.headers.get('content-encoding')}"


def _all_updates(stream: Stream) -> Iterator[tuple[str, Exchange, MediaPlaylist, MediaPlaylist]]:
    for rendition in RENDITIONS:
        for exchange, before, now in stream.updates(rendition):
            yield f"{rendition} {exchange}", exchange, before, now


def target_duration_does_not_change(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST NOT."""
    for name, _, before, now in _all_updates(stream):
        if now.target_duration_s != before.target_duration_s:
            yield f"{name}: from {before.target_duration_s} to {now.target_duration_s} s"


def other_playlist_tags_do_not_change(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST NOT: PART-INF, SERVER-CONTROL and VERSION are not among what may change."""
    for name, _, before, now in _all_updates(stream):
        for tag in CONSTANT_TAGS[1:]:
            if [line.text for line in before.all(tag)] != [line.text for line in now.all(tag)]:
                yield f"{name}: {tag}"


def _description(segment: Segment) -> tuple[object, ...]:
    return (
        segment.uri,
        segment.duration_s,
        segment.date,
        segment.init_uri,
        segment.discontinuity,
        segment.discontinuity_sequence,
        segment.gap,
    )


def segments_do_not_change(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST NOT: what is said of a listed segment stays as it is."""
    for name, _, before, now in _all_updates(stream):
        known = {segment.msn: _description(segment) for segment in before.segments}
        for segment in now.segments:
            # An EXT-X-DISCONTINUITY of the first segment is counted, and may stand or not (6.2.2).
            if known.get(segment.msn, _description(segment)) != _description(segment):
                yield f"{name}: segment {segment.msn}: {known[segment.msn]} became {_description(segment)}"


def parts_do_not_change(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST NOT: what is said of a listed part stays as it is, and none is put before it."""
    for name, _, before, now in _all_updates(stream):
        known = {(p.msn, p.index): (p.uri, p.duration_s, p.independent, p.gap) for p in before.parts}
        for part in now.parts:
            said = part.uri, part.duration_s, part.independent, part.gap
            if known.get((part.msn, part.index), said) != said:
                yield f"{name}: part {part.msn}.{part.index}: {known[part.msn, part.index]} became {said}"


def open_segments_keep_their_tags(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST NOT: nothing is put before the parts of a segment that is not whole yet."""
    for name, _, before, now in _all_updates(stream):
        later = next((s for s in now.all_segments if s.msn == before.open.msn), None)
        if later is None or not before.open.parts:
            continue
        was = before.open.date, before.open.init_uri, before.open.discontinuity
        if was != (later.date, later.init_uri, later.discontinuity):
            yield f"{name}: segment {later.msn} had {was}"


def playlists_do_not_go_back(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST NOT: what was listed at the end is there, whole and in its place, until it is removed."""
    for name, _, before, now in _all_updates(stream):
        if now.edge < before.edge:
            yield f"{name}: from {before.edge} back to {now.edge}"


def updates_have_something_new(stream: Stream) -> Iterator[str]:
    """That the recording has updates at all: without them no rule about them means anything."""
    for rendition in RENDITIONS:
        if len(list(stream.updates(rendition))) < 2:
            yield f"{rendition}: fewer than two updates"


def dates_are_not_ambiguous(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST NOT: dates overlap by less than a second, and only in part over the segment before."""
    for rendition in RENDITIONS:
        for exchange, playlist in stream.playlists(rendition):
            dated = [segment for segment in playlist.all_segments if segment.date is not None]
            for before, now in pairwise(dated):
                assert before.date is not None and now.date is not None  # noqa: PT018 - for mypy
                if now.msn != before.msn + 1:
                    continue
                overlap_s = (before.date - now.date).total_seconds() + (before.duration_s or 0.0)
                if overlap_s >= 1.0 or now.date <= before.date:
                    yield f"{rendition} {exchange}: segment {now.msn} overlaps the one before by {overlap_s:.3f} s"


def discontinuities_have_a_date(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, SHOULD: EXT-X-PROGRAM-DATE-TIME on every segment with EXT-X-DISCONTINUITY."""
    for exchange, playlist in stream.every_playlist():
        for segment in playlist.all_segments:
            if segment.discontinuity and segment.date is None:
                yield f"{exchange}: segment {segment.msn}"


def date_ranges_stay_while_they_apply(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST NOT: remove a date range while any of its dates is in the playlist."""
    for name, _, before, now in _all_updates(stream):
        kept = {attributes["ID"] for attributes in now.attributes_of("EXT-X-DATERANGE")}
        start = next((segment.date for segment in now.segments if segment.date), None)
        for attributes in before.attributes_of("EXT-X-DATERANGE"):
            if attributes["ID"] in kept or start is None or "START-DATE" not in attributes:
                continue
            end = end_of(attributes)
            if end is None or end > start:
                yield f"{name}: {attributes['ID']} went, it ends at {end}, the playlist begins at {start}"


def date_range_ids_are_not_used_again(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST NOT: one ID for two date ranges."""
    starts: dict[str, str] = {}
    for exchange, playlist in stream.every_playlist():
        for attributes in playlist.attributes_of("EXT-X-DATERANGE"):
            start = attributes.get("START-DATE")
            if start is not None and starts.setdefault(attributes["ID"], start) != start:
                yield f"{exchange}: {attributes['ID']} begins at {start} and at {starts[attributes['ID']]}"


def planned_date_ranges_are_ended(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, SHOULD: the actual end of a range with PLANNED-DURATION, once it is over (here by a second)."""
    for exchange, playlist in stream.every_playlist():
        now = max((segment.date for segment in playlist.segments if segment.date), default=None)
        for attributes in playlist.attributes_of("EXT-X-DATERANGE"):
            if now is None or not {"PLANNED-DURATION", "START-DATE"} <= attributes.keys():
                continue
            planned = timedelta(seconds=attributes.seconds("PLANNED-DURATION") + 1)
            if end_of(attributes) is None and date_of(attributes, "START-DATE") + planned < now:
                yield f"{exchange}: {attributes['ID']} has no end at {now}"
