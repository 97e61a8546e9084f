"""Section 6.2.5.1: Playlist Delta Updates."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hls_conformance.reader import MediaPlaylist
from tests.hls_conformance.recording import RENDITIONS, Exchange, Stream

CLOCK_SLACK_S = 1.0
"""Between a change and the playlist that shows it."""


def _pairs(stream: Stream) -> Iterator[tuple[Exchange, MediaPlaylist, MediaPlaylist]]:
    """Each delta with the whole playlist of the same version."""
    for deltas in stream.deltas:
        for exchange in (deltas.yes, deltas.v2):
            if not exchange.readable or not deltas.whole.readable:
                continue
            playlist, whole = exchange.playlist, deltas.whole.playlist
            if _last_uri(playlist) == _last_uri(whole):
                yield exchange, playlist, whole


def _last_uri(playlist: MediaPlaylist) -> str | None:
    """Of the last part or segment: two playlists with the same are of one version."""
    segment = playlist.open if playlist.open.parts or not playlist.segments else playlist.segments[-1]
    return segment.parts[-1].uri if segment.uri is None and segment.parts else segment.uri


def _distances(playlist: MediaPlaylist) -> list[tuple[float, float]]:
    """Of the begin and of the end of each segment, from the end of the last whole one."""
    distances, from_end_s = [], 0.0
    for segment in reversed(playlist.segments):
        distances.append((from_end_s + (segment.duration_s or 0.0), from_end_s))
        from_end_s += segment.duration_s or 0.0
    return distances[::-1]


def _answers_with_deltas(stream: Stream, which: str) -> Iterator[str]:
    asked = [getattr(deltas, which) for deltas in stream.deltas]
    skipping = 0
    for exchange, playlist, whole in _pairs(stream):
        if exchange.directives.get("_HLS_skip", "").upper() != which.upper():
            continue
        least = sum(end_s > whole.control.seconds("CAN-SKIP-UNTIL") for _, end_s in _distances(whole))
        skipping += least > 0
        if least and playlist.first("EXT-X-SKIP") is None:
            yield f"{exchange}: the whole playlist"
    yield from (f"{exchange}" for exchange in asked if exchange.status != 200)
    if not skipping:
        yield "the playlist never was longer than the Skip Boundary, so that nothing was ever skipped"


def yes_gets_a_delta(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.1, MUST: _HLS_skip=YES gets a delta update where the playlist has CAN-SKIP-UNTIL."""
    return _answers_with_deltas(stream, "yes")


def v2_gets_a_delta(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.1, MUST: so does _HLS_skip=v2."""
    return _answers_with_deltas(stream, "v2")


def only_what_is_older_than_the_boundary_is_skipped(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.1: segments further from the end of the last one than the Skip Boundary, and no others."""
    for exchange, playlist, whole in _pairs(stream):
        boundary_s = whole.control.seconds("CAN-SKIP-UNTIL")
        least = sum(end_s > boundary_s for _, end_s in _distances(whole))
        most = sum(begin_s > boundary_s for begin_s, _ in _distances(whole))
        if not least <= playlist.skipped <= most:
            yield f"{exchange}: {playlist.skipped} skipped, {least} to {most} are older than {boundary_s} s"


def the_rest_remains(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.1, MUST: all that is not skipped stays as it is in the whole playlist."""
    for exchange, playlist, whole in _pairs(stream):
        expected = [line.text for segment in whole.segments[playlist.skipped :] for line in segment.lines]
        expected += [line.text for line in whole.open.lines]
        got = [line.text for segment in (*playlist.segments, playlist.open) for line in segment.lines]
        if [line for line in got if line not in expected] or not _is_complete(got, expected):
            yield f"{exchange}: {sorted(set(got) ^ set(expected))[:4]}"


def _is_complete(got: list[str], expected: list[str]) -> bool:
    """Whether all is there, in order. The EXT-X-MAP in force may be given again after the skipped segments."""
    maps = "#EXT-X-MAP:"
    return [line for line in got if not line.startswith(maps)] == [l for l in expected if not l.startswith(maps)]  # noqa: E741


def global_tags_remain(stream: Stream) -> Iterator[str]:
    """Sections 4.4.5.2 and 6.2.5.1: MEDIA-SEQUENCE, DISCONTINUITY-SEQUENCE and the others are those of the whole."""
    for exchange, playlist, whole in _pairs(stream):
        for tag in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-TARGETDURATION", "EXT-X-PART-INF",
                    "EXT-X-SERVER-CONTROL", "EXT-X-PRELOAD-HINT"):  # fmt: skip
            if [line.text for line in playlist.all(tag)] != [line.text for line in whole.all(tag)]:
                yield f"{exchange}: {tag}: {[line.text for line in playlist.all(tag)]}"


def init_section_remains(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.1, MUST: an EXT-X-MAP in the part that is not skipped is the one of the whole playlist."""
    for exchange, playlist, whole in _pairs(stream):
        inits = {segment.msn: segment.init_uri for segment in whole.all_segments}
        for segment in playlist.all_segments:
            if segment.init_uri is not None and segment.init_uri != inits.get(segment.msn):
                yield f"{exchange}: segment {segment.msn} with {segment.init_uri}"


def yes_keeps_date_ranges(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.1, MUST: all that is not skipped remains; _HLS_skip=YES does not skip date ranges."""
    for exchange, playlist, _ in _pairs(stream):
        if exchange.directives.get("_HLS_skip") != "YES":
            continue
        rendition = next(r for r in RENDITIONS if f"/{r}." in exchange.url)
        around = [(e, p) for e, p in stream.playlists(rendition) if abs(e.answered_s - exchange.answered_s) < 1.0]
        kept = [{line.text for line in p.all("EXT-X-DATERANGE")} for _, p in around]  # those that do not come or go now
        if missing := set.intersection(*kept) - {line.text for line in playlist.all("EXT-X-DATERANGE")}:
            yield f"{exchange}: {sorted(missing)}"


def _asked_for_v2(stream: Stream) -> Iterator[tuple[Exchange, MediaPlaylist, str]]:
    """Each delta update that may skip date ranges, and its rendition."""
    for deltas in stream.deltas:
        if deltas.v2.readable and deltas.v2.playlist.first("EXT-X-SKIP") is not None:
            rendition = next(r for r in RENDITIONS if deltas.whole in stream.snapshots[r])
            yield deltas.v2, deltas.v2.playlist, rendition


def v2_leaves_out_old_date_ranges(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.1, MUST NOT: tags that were added more than CAN-SKIP-UNTIL seconds before the request."""
    for exchange, playlist, rendition in _asked_for_v2(stream):
        for line in playlist.all("EXT-X-DATERANGE"):
            listed = (e.answered_s for e, p in stream.playlists(rendition) if line.text in p.text)
            age_s = exchange.asked_s - next(listed, exchange.asked_s)
            if age_s > playlist.control.seconds("CAN-SKIP-UNTIL") + CLOCK_SLACK_S:
                yield f"{rendition} {exchange}: {line.attributes['ID']} is {age_s:.1f} s old"


def v2_keeps_new_date_ranges(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.1, MUST: all that is not skipped remains: a tag that is younger than that."""
    for exchange, playlist, whole in _pairs(stream):
        rendition = next(r for r in RENDITIONS if f"/{r}." in exchange.url)
        for line in whole.all("EXT-X-DATERANGE"):
            listed = (e.answered_s for e, p in stream.playlists(rendition) if line.text in p.text)
            age_s = exchange.asked_s - next(listed, exchange.asked_s)
            if age_s < whole.control.seconds("CAN-SKIP-UNTIL") - CLOCK_SLACK_S and line.text not in playlist.text:
                yield f"{rendition} {exchange}: {line.attributes['ID']} is {age_s:.1f} s old"


def v2_lists_removed_date_ranges(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.1, MUST: RECENTLY-REMOVED-DATERANGES lists what was removed in the last CAN-SKIP-UNTIL seconds."""
    for exchange, playlist, rendition in _asked_for_v2(stream):
        skip = playlist.first("EXT-X-SKIP")
        said = skip.attributes.get("RECENTLY-REMOVED-DATERANGES", '""').strip('"').split("\t") if skip else []
        for name, last_seen_s in _last_seen(stream, rendition, exchange.asked_s).items():
            ago_s = exchange.asked_s - last_seen_s
            is_recent = CLOCK_SLACK_S < ago_s < playlist.control.seconds("CAN-SKIP-UNTIL") - CLOCK_SLACK_S
            if is_recent and name not in said:
                yield f"{rendition} {exchange}: {name} was there {ago_s:.1f} s before, removed are {said}"


def _last_seen(stream: Stream, rendition: str, before_s: float) -> dict[str, float]:
    """When each date range was last in a playlist, by ID."""
    found: dict[str, float] = {}
    for exchange, playlist in stream.playlists(rendition):
        if exchange.answered_s < before_s:
            found |= {a.text("ID"): exchange.answered_s for a in playlist.attributes_of("EXT-X-DATERANGE")}
    return found
