"""Section 6.2.5.2: Blocking Playlist Reload, from the answers to `probes.py`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hls_conformance.probes import NO_NUMBERS, OVERFLOW
from tests.hls_conformance.recording import Exchange, Stream

AT_ONCE_S = 2.0
"""A refusal that blocked would come after a deadline of six seconds."""
BLOCKED_S = 0.5
"""Less than twelve parts last."""
DEADLINE_SLACK_S = 1.5


def reload_is_offered(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2: CAN-BLOCK-RELOAD=YES."""
    yield from (f"{e}" for e, playlist in stream.every_playlist() if not playlist.control.says("CAN-BLOCK-RELOAD"))


def _playlist_answers(stream: Stream, *questions: str) -> Iterator[Exchange]:
    for question in questions:
        answer = stream.answers.get(question)
        if answer is not None and answer.readable:
            yield answer


def _unanswered(stream: Stream, *questions: str) -> Iterator[str]:
    for question in questions:
        answer = stream.answers.get(question)
        if answer is None or not answer.readable:
            yield f"{question}: {answer and (answer.status, answer.body[:80])}"


def msn_waits_for_the_whole_segment(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2, MUST: without _HLS_part, until the playlist contains that segment or a later one."""
    questions = "msn of the open segment", "msn of the last segment", "last msn plus two"
    yield from _unanswered(stream, *questions)
    for answer in _playlist_answers(stream, *questions):
        if answer.playlist.last_msn < int(answer.directives["_HLS_msn"]):
            yield f"{answer}: its last segment is {answer.playlist.last_msn}"


def part_waits_for_the_part(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2, MUST: until the playlist contains that part or a later one."""
    blocked = 0
    for rendition in ("video", "audio"):
        for exchange, playlist in stream.playlists(rendition):
            if "_HLS_part" not in exchange.directives or playlist.ended:
                continue
            blocked += 1
            asked = int(exchange.directives["_HLS_msn"]), int(exchange.directives["_HLS_part"])
            if playlist.edge <= asked:
                yield f"{exchange}: the next part is {playlist.edge}"
    if not blocked:
        yield "no blocking reload was answered"


def blocking_answers_as_soon_as_it_can(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2: a reload brings one part, not several: a server that answers late brings more (median)."""
    for rendition in ("video", "audio"):
        news = [
            len([part for part in now.parts if (part.msn, part.index) >= before.edge])
            for exchange, before, now in stream.updates(rendition)
            if "_HLS_part" in exchange.directives
        ]
        if not news or sorted(news)[len(news) // 2] > 1:
            yield f"{rendition}: {news}"


def part_beyond_its_segment_is_the_next_segments_first(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2, MUST."""
    questions = "part beyond a closed segment", "part beyond the open segment"
    yield from _unanswered(stream, *questions)
    for answer in _playlist_answers(stream, *questions):
        asked = int(answer.directives["_HLS_msn"])
        if answer.playlist.edge < (asked + 1, 1):
            yield f"{answer}: the next part is {answer.playlist.edge}"
    beyond = stream.answers.get("part beyond the open segment")
    if beyond is not None and beyond.readable and beyond.took_s < BLOCKED_S:
        yield f"{beyond}: at once, though {OVERFLOW} parts were to come"


def old_msn_gets_the_entire_playlist(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2, MUST: even if that segment is not the last one, or is no longer in the playlist."""
    questions = "old msn", "old msn and part", "msn before the window"
    yield from _unanswered(stream, *questions)
    for answer in _playlist_answers(stream, *questions):
        if answer.took_s > AT_ONCE_S or answer.playlist.skipped or len(answer.playlist.segments) < 2:
            yield f"{answer}: {len(answer.playlist.segments)} segments after {answer.took_s:.2f} s"


def _refused(stream: Stream, *questions: str) -> Iterator[str]:
    for question in questions:
        answer = stream.answers.get(question)
        if answer is None or answer.status != 400 or answer.took_s > AT_ONCE_S:
            yield f"{question}: {answer and (answer.status, round(answer.took_s, 2))}"


def msn_too_far_is_refused(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2, SHOULD: 400 at once for an msn greater than that of the last segment plus two."""
    return _refused(stream, "msn too far", "msn much too far", "msn beyond 64 bits")


def part_too_far_is_refused(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2, SHOULD: 400 at once for a part beyond the last one by the Advance Part Limit."""
    return _refused(stream, "part too far")


def part_without_msn_is_refused(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2, MUST: 400."""
    return _refused(stream, "part without msn")


def what_is_no_integer_is_refused(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2: _HLS_msn and _HLS_part are decimal-integers (4.2)."""
    return _refused(stream, *(f"{name} {text!r}" for name in ("msn", "part") for text in NO_NUMBERS))


def deadline_is_three_targets(stream: Stream) -> Iterator[str]:
    """Section 6.2.5.2, SHOULD: 503 after blocking for more than three target durations."""
    target_s = max((playlist.target_duration_s for _, playlist in stream.every_playlist()), default=0)
    for question in ("silent, next part", "silent, next segment"):
        answer = stream.answers.get(question)
        if answer is None or answer.status != 503:
            yield f"{question}: {answer and (answer.status, round(answer.took_s, 2))}"
        elif not 3 * target_s - DEADLINE_SLACK_S < answer.took_s < 3 * target_s + DEADLINE_SLACK_S:
            yield f"{question}: 503 after {answer.took_s:.2f} s"


def directives_are_ignored_after_the_end(stream: Stream) -> Iterator[str]:
    """Sections 6.2.5.1 and 6.2.5.2, MUST: with EXT-X-ENDLIST, the whole playlist at once."""
    questions = "ended, next segment", "ended, next part", "ended, msn too far", "ended, skip"
    yield from _unanswered(stream, *questions)
    for answer in _playlist_answers(stream, *questions):
        if not answer.playlist.ended or answer.took_s > AT_ONCE_S or answer.playlist.first("EXT-X-SKIP"):
            yield f"{answer}: after {answer.took_s:.2f} s, ENDLIST {answer.playlist.ended}"
