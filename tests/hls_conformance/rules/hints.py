"""Section 6.2.6: preload hints."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.hls_conformance.recording import RENDITIONS, Stream
from tests.hls_conformance.rules.blocking import AT_ONCE_S


def hinted_parts_are_answered(stream: Stream) -> Iterator[str]:
    """Section 6.2.6, MUST: a hinted resource can be asked for; when it is there, it is what is listed."""
    answered = 0
    listed = {path for rendition in RENDITIONS for path in stream.parts(rendition)}
    for path, exchange in stream.hinted.items():
        if path not in listed:
            continue
        answered += 1
        if exchange.status != 200 or exchange.body != stream.listed[path].body:
            yield f"{exchange}: {len(exchange.body)} bytes, listed {len(stream.listed[path].body)}"
    if not answered:
        yield "no hinted part was listed later"


def hinted_parts_come_whole(stream: Stream) -> Iterator[str]:
    """Section 6.2.6, MUST: no byte of a part before all of them: the answer's headers come when it is ready, and its
    body at once (median, beside the duration of a part)."""
    waits = [e for e in stream.hinted.values() if e.status == 200]
    target_s = max((p.part_target_s or 0.0 for _, p in stream.every_playlist()), default=0.0)
    if not waits:
        yield "no hint was answered"
        return
    body_s = statistics.median(e.answered_s - e.headers_s for e in waits)
    blocked_s = statistics.median(e.headers_s - e.asked_s for e in waits)
    if body_s > target_s / 4 or blocked_s < target_s / 4:
        yield f"the headers came after {blocked_s:.3f} s, the body took {body_s:.3f} s more"


def _not_found(stream: Stream, *questions: str) -> Iterator[str]:
    for question in questions:
        answer = stream.answers.get(question)
        if answer is None or answer.status != 404 or answer.took_s > AT_ONCE_S:
            yield f"{question}: {answer and (answer.url, answer.status, round(answer.took_s, 2))}"


def unknown_resources_are_not_found(stream: Stream) -> Iterator[str]:
    """Section 6.2.6, SHOULD: 404 for what it can not find and did not hint, and at once."""
    return _not_found(
        stream,
        "part far beyond the hint",
        "segment far beyond the edge",
        "unknown playlist",
        "unknown stream",
        "unknown stream, blocking",
    )


def dropped_hints_are_not_found(stream: Stream) -> Iterator[str]:
    """Section 6.2.6, SHOULD: 404 for hinted resources that were not published in the end."""
    for rendition in RENDITIONS:
        parts = stream.parts(rendition)
        last = max(((part.msn, part.index) for part in parts.values()), default=(0, 0))
        for exchange, playlist in stream.playlists(rendition):
            for hint in playlist.attributes_of("EXT-X-PRELOAD-HINT"):
                answer = stream.hinted.get(exchange.resolve(hint.text("URI")))
                was_dropped = hint["TYPE"] == "PART" and playlist.edge <= last
                if answer is None or not was_dropped or answer.url in parts:
                    continue
                if answer.status not in (404, 503):  # 503: it was not yet decided at the deadline
                    yield f"{rendition} {answer}"


def one_hint_of_each_type(stream: Stream) -> Iterator[str]:
    """Section 6.2.6, SHOULD NOT: more than one EXT-X-PRELOAD-HINT with the same TYPE."""
    for exchange, playlist in stream.every_playlist():
        types = [hint["TYPE"] for hint in playlist.attributes_of("EXT-X-PRELOAD-HINT")]
        if len(set(types)) != len(types):
            yield f"{exchange}: {types}"
