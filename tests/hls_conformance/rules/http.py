"""What the draft leaves open, and railbird promises."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hls_conformance.recording import RENDITIONS, Stream

REFUSED = "msn much too far", "part too far", "part without msn", "unknown stream", "segment far beyond the edge"


def gzip_is_only_for_those_who_ask(stream: Stream) -> Iterator[str]:
    """RFC 9110 section 12.5.3: identity for who asks for it; and Vary tells caches."""
    for question in ("without gzip", "multivariant without gzip"):
        answer = stream.answers.get(question)
        if answer is None or answer.status != 200 or "content-encoding" in answer.headers:
            yield f"{question}: {answer and (answer.status, answer.headers.get('content-encoding'))}"
        elif "accept-encoding" not in answer.headers.get("vary", "").lower():
            yield f"{question}: Vary: {answer.headers.get('vary')}"


def unchanged_playlists_are_not_sent_again(stream: Stream) -> Iterator[str]:
    """RFC 9110 section 13.1.2: ETag, and 304 without a body for If-None-Match."""
    first, again = stream.answers.get("with a tag"), stream.answers.get("with the same tag")
    if first is None or "etag" not in first.headers:
        yield f"no ETag: {first and sorted(first.headers)}"
    elif again is None or again.status != 304 or again.wire_body:
        yield f"with If-None-Match: {again and (again.status, len(again.wire_body))}"


def pages_of_other_origins_may_read(stream: Stream) -> Iterator[str]:
    """CORS, with the default setting that allows every origin."""
    for question in ("from another origin", "segment from another origin"):
        answer = stream.answers.get(question)
        if answer is None or answer.headers.get("access-control-allow-origin") != "*":
            yield f"{question}: {answer and (answer.status, answer.headers.get('access-control-allow-origin'))}"


def refusals_are_a_sentence(stream: Stream) -> Iterator[str]:
    """Errors are text/plain, one sentence."""
    for question in REFUSED:
        answer = stream.answers.get(question)
        text = answer.body.decode() if answer is not None else ""
        is_plain = answer is not None and answer.headers.get("content-type", "").startswith("text/plain")
        if not is_plain or not text.endswith(".\n") or len(text.splitlines()) != 1:
            yield f"{question}: {answer and (answer.status, answer.headers.get('content-type'))} {text!r}"


def renditions_share_media_sequence_numbers(stream: Stream) -> Iterator[str]:
    """Segments of one MSN hold the same second of the table in both renditions, to half a segment."""
    dates = [{s.msn: s.date for s in stream.segments(r).values() if s.date is not None} for r in RENDITIONS]
    if not dates[0].keys() & dates[1].keys():
        yield f"no MSN in both: {sorted(dates[0])} and {sorted(dates[1])}"
    for msn in dates[0].keys() & dates[1].keys():
        if abs((dates[0][msn] - dates[1][msn]).total_seconds()) > 1.0:
            yield f"segment {msn}: video from {dates[0][msn].time()}, audio from {dates[1][msn].time()}"
