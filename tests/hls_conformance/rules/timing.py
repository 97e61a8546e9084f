"""Section 6.2.1: when a server has to add to a playlist, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.hls_conformance.reader import MediaPlaylist, Playlist
from tests.hls_conformance.recording import RENDITIONS, Exchange, Stream

SLACK_S = 0.5
"""What this machine may add to an interval: studio, gateway and player share its cores with other tests."""


def new_segments_come_in_time(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST: no later than 1.5 times the Target Duration after the last one, unless EXT-X-ENDLIST."""
    for rendition in RENDITIONS:
        last_msn, at_s = -1, 0.0
        for exchange, playlist in _blocking(stream, rendition):
            if playlist.last_msn > last_msn or playlist.ended:
                waited_s = exchange.answered_s - at_s
                if last_msn >= 0 and waited_s > 1.5 * playlist.target_duration_s + SLACK_S:
                    yield f"{rendition}: segment {playlist.last_msn} came {waited_s:.2f} s after the one before"
                last_msn, at_s = playlist.last_msn, exchange.answered_s


def new_parts_come_in_time(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST: within one Part Target Duration after the last one: on average, and nine in ten of them
    within two. A single one may be late because this machine was."""
    for rendition in RENDITIONS:
        came = _arrivals(stream, rendition)
        target_s = next((p.part_target_s for _, p in stream.playlists(rendition) if p.part_target_s), 0.0)
        if len(came) < 20:
            yield f"{rendition}: {len(came)} parts came"
            continue
        mean_s = (came[-1] - came[0]) / (len(came) - 1)
        late_s = sorted(after - before for before, after in pairwise(came))[len(came) * 9 // 10 - 1]
        if mean_s > target_s or late_s > 2 * target_s:
            yield f"{rendition}: parts came every {mean_s:.3f} s, one in ten after {late_s:.3f} s, for {target_s} s"


def _arrivals(stream: Stream, rendition: str) -> list[float]:
    """When each part was first listed to a blocking reload, those of the first answer aside."""
    first_s: dict[tuple[int, int], float] = {}
    for exchange, playlist in _blocking(stream, rendition):
        for part in playlist.parts:
            first_s.setdefault((part.msn, part.index), exchange.answered_s)
    begun_s = min(first_s.values(), default=0.0)
    return sorted(at_s for at_s in first_s.values() if at_s > begun_s)


def _blocking(stream: Stream, rendition: str) -> Iterator[tuple[Exchange, MediaPlaylist]]:
    return ((e, playlist) for e, playlist in stream.playlists(rendition) if "_HLS_part" in e.directives)


def absent_media_are_gaps(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, SHOULD: while media are absent, segments with EXT-X-GAP are added, so that the 1.5 target
    durations hold in a silence, too."""
    gaps = [s.msn for _, playlist in stream.every_playlist() for s in playlist.segments if s.gap]
    if not gaps:
        yield "no EXT-X-GAP in any playlist of a stream that fell silent"
    yield from new_segments_come_in_time(stream)


def the_end_is_told(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST: EXT-X-ENDLIST with the final segment; nothing is left open or added after it (4.4.3.4)."""
    for rendition in RENDITIONS:
        ended = [playlist for _, playlist in stream.playlists(rendition) if playlist.ended]
        if not ended:
            yield f"{rendition}: no EXT-X-ENDLIST"
        if any(playlist.open.parts for playlist in ended):
            yield f"{rendition}: parts of a segment that never will be whole"
        if len({playlist.edge for playlist in ended}) > 1:
            yield f"{rendition}: it went on after EXT-X-ENDLIST"


def media_stay_after_the_end(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, MUST: when a presentation ends, what its playlist lists can still be downloaded."""
    kept = {question: e for question, e in stream.answers.items() if question.startswith("ended, media ")}
    if not kept:
        yield "nothing was asked for after the end"
    yield from (f"{question}: {exchange}" for question, exchange in kept.items() if exchange.status != 200)


def what_is_gone_is_not_found(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, SHOULD: a clear indication, 404 or 410, that it is gone; ours is at the stable address."""
    answer = stream.answers.get("ended, index")
    if answer is None or answer.status not in (404, 410):
        yield f"{answer}"


def the_end_is_final(stream: Stream) -> Iterator[str]:
    """Section 4.4.3.4: no segment is added after EXT-X-ENDLIST: who publishes later gets playlists of other URIs."""
    index, old = stream.answers.get("again, index"), stream.answers.get("again, old playlist")
    if index is None or index.status != 200 or not isinstance(index.text, Playlist):
        yield f"the stream did not come back: {index}"
        return
    now = {index.resolve(line.text) for line in index.text.lines if line.tag is None}
    if now & {exchange.url.partition("?")[0] for exchange in stream.snapshots["video"]}:
        yield f"it came back as {sorted(now)}"
    if old is not None and old.status == 200 and not (old.readable and old.playlist.ended):
        yield f"the ended playlist goes on: {old}"
