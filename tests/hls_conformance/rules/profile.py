"""Section B.1: the Low-Latency Server Configuration Profile."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.hls_conformance.media import media_of
from tests.hls_conformance.recording import RENDITIONS, Exchange, Stream
from tests.hls_conformance.rules.media import IDR_SLICE, nal_unit_types


def next_part_is_hinted(stream: Stream) -> Iterator[str]:
    """Section B.1: a playlist with parts and no EXT-X-ENDLIST hints the next part."""
    for exchange, playlist in stream.every_playlist():
        hints = [hint["TYPE"] for hint in playlist.attributes_of("EXT-X-PRELOAD-HINT")]
        if playlist.parts and not playlist.ended and "PART" not in hints:
            yield f"{exchange}"


def next_init_section_is_hinted(stream: Stream) -> Iterator[str]:
    """Section B.1: a hinted part with another init section than the last part's comes with a hint of TYPE=MAP."""
    for rendition in RENDITIONS:
        inits = stream.init_of(rendition)
        msn_of = {path: part.msn for path, part in stream.parts(rendition).items()}
        for exchange, playlist in stream.playlists(rendition):
            hints = {
                hint["TYPE"]: exchange.resolve(hint.text("URI"))
                for hint in playlist.attributes_of("EXT-X-PRELOAD-HINT")
            }
            if not playlist.parts or hints.get("PART") not in msn_of:
                continue
            now, then = inits.get(playlist.parts[-1].msn), inits.get(msn_of[hints["PART"]])
            if now != then and hints.get("MAP") != then:
                yield f"{rendition} {exchange}: {hints['PART']} needs {then}, hinted is {hints.get('MAP')}"


def every_other_rendition_is_reported(stream: Stream) -> Iterator[str]:
    """Section B.1, MUST: one EXT-X-RENDITION-REPORT for each other media playlist, none for itself."""
    urls = {r: {e.url.partition("?")[0] for e in stream.snapshots[r]} for r in RENDITIONS}
    for rendition, other in (RENDITIONS, RENDITIONS[::-1]):
        for exchange, playlist in stream.playlists(rendition):
            reported = [
                exchange.resolve(report.text("URI")) for report in playlist.attributes_of("EXT-X-RENDITION-REPORT")
            ]
            if set(reported) != urls[other] or len(reported) != 1:
                yield f"{rendition} {exchange}: {reported}"


def served_by_http_2(stream: Stream) -> Iterator[str]:
    """Section B.1: HTTP/2 or HTTP/3."""
    versions = {exchange.http_version for exchanges in stream.snapshots.values() for exchange in exchanges}
    if not versions or not versions <= {"2.0", "3.0"}:
        yield f"HTTP/{sorted(versions)}"


def requests_are_idempotent(stream: Stream) -> Iterator[str]:
    """Section B.1: the same request again gets the same playlist, or a later one."""
    answers = [stream.answers.get(f"the same, {which}") for which in ("first", "second", "later")]
    readable = [answer for answer in answers if answer is not None and answer.readable]
    if len(readable) < 3:
        yield f"{[answer and answer.status for answer in answers]}"
    elif readable[0].body != readable[1].body:
        yield f"{readable[0].playlist.edge} and {readable[1].playlist.edge}"
    elif readable[2].playlist.edge < readable[0].playlist.edge:
        yield f"{readable[0].playlist.edge}, later {readable[2].playlist.edge}"


def _lifetime(exchange: Exchange | None, seconds: float, name: str) -> Iterator[str]:
    """The recommended lifetime, to a second: max-age is an integer."""
    if exchange is None or exchange.max_age_s is None or not seconds - 1 < exchange.max_age_s < seconds + 1:
        told = exchange and (exchange.status, exchange.headers.get("cache-control"))
        yield f"{name}: {told}, recommended are {seconds} s"


def _target_s(stream: Stream) -> int:
    return max((playlist.target_duration_s for _, playlist in stream.every_playlist()), default=0)


def blocking_playlists_are_cached_six_targets(stream: Stream) -> Iterator[str]:
    """Section B.1, recommended: six target durations for successful answers to blocking requests."""
    for exchange, _ in stream.every_playlist():
        if "_HLS_msn" in exchange.directives:
            yield from _lifetime(exchange, 6 * _target_s(stream), f"{exchange}")


def refused_blocking_playlists_are_cached_four_targets(stream: Stream) -> Iterator[str]:
    """Section B.1, recommended: four target durations for unsuccessful ones."""
    for question in ("msn much too far", "part too far"):
        yield from _lifetime(stream.answers.get(question), 4 * _target_s(stream), question)


def other_playlists_are_cached_half_a_target(stream: Stream) -> Iterator[str]:
    """Section B.1, recommended: half the target duration for answers without blocking."""
    for exchange, _ in stream.every_playlist():
        if not exchange.directives:
            yield from _lifetime(exchange, _target_s(stream) / 2, f"{exchange}")


def other_refusals_are_cached_one_target(stream: Stream) -> Iterator[str]:
    """Section B.1, recommended: one target duration for unsuccessful answers to playlist requests without blocking."""
    return _lifetime(stream.answers.get("unknown playlist"), _target_s(stream), "unknown playlist")


def media_are_cached_six_targets(stream: Stream) -> Iterator[str]:
    """Section B.1, recommended: six target durations for blocking segment requests; longer does no harm to what never
    changes."""
    answered = [*stream.hinted.values(), *stream.listed.values()]
    for exchange in answered:
        if exchange.status == 200 and (exchange.max_age_s or 0.0) < 6 * _target_s(stream):
            yield f"{exchange}: {exchange.headers.get('cache-control')}"


def refused_media_are_cached_one_target(stream: Stream) -> Iterator[str]:
    """Section B.1, recommended: one target duration for unsuccessful segment requests."""
    for question in ("part far beyond the hint", "segment far beyond the edge"):
        yield from _lifetime(stream.answers.get(question), _target_s(stream), question)


def byte_ranges_come_with_range_requests(stream: Stream) -> Iterator[str]:
    """Section B.1: Range requests, where a playlist has BYTERANGE, BYTERANGE-START or BYTERANGE-LENGTH."""
    uses = any("BYTERANGE" in line.text for _, playlist in stream.every_playlist() for line in playlist.lines)
    if uses and not all("accept-ranges" in exchange.headers for exchange in stream.listed.values()):
        yield "byte ranges, and no Accept-Ranges"


def target_duration_is_six_seconds(stream: Stream) -> Iterator[str]:
    """Section B.1, recommended."""
    if _target_s(stream) != 6:
        yield f"{_target_s(stream)} s"


def groups_of_pictures_last_one_to_two_seconds(stream: Stream) -> Iterator[str]:
    """Section B.1, recommended: one to two seconds from IDR to IDR, in the median."""
    starts_s = [
        sample.decode_ticks / media.track.timescale
        for media in media_of(stream).segments("video").values()
        for sample in media.samples
        if IDR_SLICE in nal_unit_types(sample.payload)
    ]
    lasting_s = sorted(after - before for before, after in pairwise(starts_s))
    if not lasting_s or not 1.0 - 0.05 <= lasting_s[len(lasting_s) // 2] <= 2.0 + 0.05:
        yield f"{[round(seconds, 2) for seconds in lasting_s]}"
