"""Section 6.2.4: what variants and renditions have to have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from tests.hls_conformance.media import media_of
from tests.hls_conformance.reader import MediaPlaylist
from tests.hls_conformance.recording import RENDITIONS, Exchange, Stream

APART_S = 0.040
"""The draft gives no number. In the median: a single date is that of an arrival, which a busy machine delays."""
MAX_MOVE_S = 0.5
SYNC_S = 1.0
"""For a part, a change is in the playlist of one rendition and not of the other; longer on a busy machine."""


def _pairs(stream: Stream) -> Iterator[tuple[Exchange, MediaPlaylist, Exchange, MediaPlaylist]]:
    """Each video playlist with the audio playlist that came nearest to it."""
    audio = list(stream.playlists("audio"))
    for exchange, playlist in stream.playlists("video"):
        if audio:
            nearest = min(audio, key=lambda pair: abs(pair[0].answered_s - exchange.answered_s))
            yield exchange, playlist, *nearest


def codecs_name_every_format(stream: Stream) -> Iterator[str]:
    """Section 6.2.4, MUST: CODECS includes each format of each rendition, here by its sample entry."""
    codecs = [
        v.get("CODECS", "") for v in (line.attributes for line in stream.multivariant_playlist.all("EXT-X-STREAM-INF"))
    ]
    for rendition in RENDITIONS:
        for path in sorted(set(stream.init_of(rendition).values())):
            track = media_of(stream).track(path)
            if track is None:
                yield f"{rendition}: {path} can not be read"
            elif not all(f"{track.sample_entry}." in listed for listed in codecs):
                yield f"{rendition}: {track.sample_entry} is not in {codecs}"


def target_durations_agree(stream: Stream) -> Iterator[str]:
    """Section 6.2.4, MUST."""
    targets = {playlist.target_duration_s for _, playlist in stream.every_playlist()}
    if len(targets) != 1:
        yield f"target durations {sorted(targets)}"


def server_controls_agree(stream: Stream) -> Iterator[str]:
    """Section 6.2.4, MUST: EXT-X-SERVER-CONTROL in all, with the same attributes and values."""
    controls = [dict(playlist.control) for _, playlist in stream.every_playlist()]
    yield from (f"{control}, {controls[0]}" for control in controls if control != controls[0] or not control)


def timestamps_match(stream: Stream) -> Iterator[str]:
    """Section 6.2.4, MUST: matching content has matching timestamps: the renditions map dates to media time alike."""
    video, audio = (_mapping(stream, rendition) for rendition in RENDITIONS)
    apart_s = [video[msn] - audio[msn] for msn in sorted(video.keys() & audio.keys())]
    if not apart_s:
        yield "no segments of one MSN with dates were received"
    elif abs(median(apart_s)) > APART_S:
        yield f"the date of media time 0 differs by {[round(seconds, 4) for seconds in apart_s]}"


def _mapping(stream: Stream, rendition: str) -> dict[int, float]:
    """By MSN: the unix time of media time 0, as the segment's date has it."""
    media = media_of(stream).segments(rendition)
    dated = [s for s in stream.segments(rendition).values() if s.date is not None and s.msn in media]
    return {s.msn: s.date.timestamp() - media[s.msn].start_s for s in dated if s.date is not None}


def dates_follow_the_media(stream: Stream) -> Iterator[str]:
    """Section 6.2.4, MUST: consistent mappings of date to media time, which at most move with the clocks (6.2.1)."""
    for rendition in RENDITIONS:
        mapping = _mapping(stream, rendition)
        breaks = {s.msn for s in stream.segments(rendition).values() if s.discontinuity}
        going_on = [msn for msn in sorted(mapping) if msn - 1 in mapping and msn not in breaks]
        moves_s = [mapping[msn] - mapping[msn - 1] for msn in going_on]
        if moves_s and (max(map(abs, moves_s)) > MAX_MOVE_S or abs(median(moves_s)) > APART_S):
            yield f"{rendition}: the date of media time 0 moves by {[round(seconds, 4) for seconds in moves_s]}"


def discontinuity_sequences_match(stream: Stream) -> Iterator[str]:
    """Section 6.2.4, MUST: matching content, so segments of one date, have the same Discontinuity Sequence Number."""
    starts = {rendition: _break_dates(stream, rendition) for rendition in RENDITIONS}
    if starts["video"].keys() != starts["audio"].keys():
        yield f"video has {sorted(starts['video'])}, audio {sorted(starts['audio'])}"
    for number in starts["video"].keys() & starts["audio"].keys():
        apart_s = abs((starts["video"][number] - starts["audio"][number]).total_seconds())
        if apart_s > _target_s(stream):
            yield f"number {number} begins {apart_s:.2f} s apart"


def _break_dates(stream: Stream, rendition: str) -> dict[int, datetime]:
    """The first date of each Discontinuity Sequence Number."""
    found: dict[int, datetime] = {}
    for segment in stream.segments(rendition).values():
        if segment.date is not None:
            found.setdefault(segment.discontinuity_sequence, segment.date)
    return found


def _target_s(stream: Stream) -> int:
    return min((playlist.target_duration_s for _, playlist in stream.every_playlist()), default=0)


def renditions_hold_the_same_content(stream: Stream) -> Iterator[str]:
    """Section 6.2.4, MUST: what only one of them has, is at begin or end, and no longer than the Target Duration (which
    a segment may exceed by up to half a second, 4.1)."""
    since_s: dict[str, float] = {}
    for exchange, video, _, audio in _pairs(stream):
        spans = [_span(playlist) for playlist in (video, audio)]
        if spans[0] is None or spans[1] is None:
            continue
        for which, one, other in zip(("begin", "end"), spans[0], spans[1], strict=True):
            if abs((one - other).total_seconds()) <= _target_s(stream) + 0.5:
                since_s.pop(which, None)
            elif exchange.answered_s - since_s.setdefault(which, exchange.answered_s) > SYNC_S:
                yield f"{exchange}: {which} at {one.time()} and at {other.time()}"


def _span(playlist: MediaPlaylist) -> tuple[datetime, datetime] | None:
    """First and last date of what is listed, parts included."""
    dated = [segment for segment in playlist.all_segments if segment.date is not None]
    if not dated or dated[0].date is None or dated[-1].date is None:
        return None
    tail = [s for s in playlist.all_segments if s.msn >= dated[-1].msn]
    rest_s = sum(s.duration_s or sum(part.duration_s for part in s.parts) for s in tail)
    return dated[0].date, dated[-1].date + timedelta(seconds=rest_s)


def renditions_are_updated_in_sync(stream: Stream) -> Iterator[str]:
    """Section B.1: within one Part Target Duration, in the median of what a player sees."""
    apart: list[float] = []
    for video_exchange, video, audio_exchange, audio in _pairs(stream):
        spans = _span(video), _span(audio)
        if spans[0] and spans[1] and abs(video_exchange.answered_s - audio_exchange.answered_s) < 0.05:
            apart.append(abs((spans[0][1] - spans[1][1]).total_seconds()))
    target_s = max((p.part_target_s or 0.0 for _, p in stream.every_playlist()), default=0.0)
    if not apart:
        yield "no two playlists came at one time"
    elif sorted(apart)[len(apart) // 2] > target_s:
        yield f"{sorted(apart)[len(apart) // 2]:.3f} s apart, {target_s} s is allowed"


def dates_are_in_all_playlists(stream: Stream) -> Iterator[str]:
    """Section 6.2.4, MUST, and B.1: EXT-X-PROGRAM-DATE-TIME in every media playlist."""
    for exchange, playlist in stream.every_playlist():
        if playlist.all_segments and playlist.first("EXT-X-PROGRAM-DATE-TIME") is None:
            yield f"{exchange}"


def date_ranges_agree(stream: Stream) -> Iterator[str]:
    """Section 6.2.4, MUST: the same date ranges with the same attributes in each playlist; here, within a second."""
    video, audio = (_date_ranges_came(stream, rendition) for rendition in RENDITIONS)
    last_s = min(e.answered_s for kept in stream.snapshots.values() for e in kept[-1:])
    for line in video.keys() | audio.keys():
        came_s = [came[line] for came in (video, audio) if line in came]
        if max(came_s) - min(came_s) > SYNC_S or (len(came_s) == 1 and came_s[0] < last_s - SYNC_S):
            yield f"{line} came to {'both' if len(came_s) == 2 else 'one of them'} at {came_s}"


def _date_ranges_came(stream: Stream, rendition: str) -> dict[str, float]:
    """When each tag was in a playlist first."""
    came: dict[str, float] = {}
    for exchange, playlist in stream.playlists(rendition):
        for line in playlist.all("EXT-X-DATERANGE"):
            came.setdefault(line.text, exchange.answered_s)
    return came
