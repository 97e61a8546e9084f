"""Section 4.4.6: the multivariant playlist."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hls_conformance.attributes import Attributes
from tests.hls_conformance.recording import RENDITIONS, Stream


def _renditions(stream: Stream) -> list[Attributes]:
    return [line.attributes for line in stream.multivariant_playlist.all("EXT-X-MEDIA")]


def _variants(stream: Stream) -> list[Attributes]:
    return [line.attributes for line in stream.multivariant_playlist.all("EXT-X-STREAM-INF")]


def default_renditions_are_autoselected(stream: Stream) -> Iterator[str]:
    """Section 4.4.6.1, MUST: AUTOSELECT, where given, is YES if DEFAULT is."""
    yield from (
        f"{media}" for media in _renditions(stream) if media.says("DEFAULT") and media.get("AUTOSELECT") == "NO"
    )


def audio_renditions_have_channels(stream: Stream) -> Iterator[str]:
    """Section 4.4.6.1, SHOULD: CHANNELS on all audio EXT-X-MEDIA tags."""
    audio = [media for media in _renditions(stream) if media["TYPE"] == "AUDIO"]
    if not audio:
        yield "no audio EXT-X-MEDIA"
    yield from (f"{media}" for media in audio if "CHANNELS" not in media)


def groups_have_different_names_and_one_default(stream: Stream) -> Iterator[str]:
    """Section 4.4.6.1.1, MUST."""
    groups: dict[tuple[str, str], list[Attributes]] = {}
    for media in _renditions(stream):
        groups.setdefault((media["TYPE"], media["GROUP-ID"]), []).append(media)
    for key, members in groups.items():
        names = {media["NAME"] for media in members}
        if len(names) < len(members) or sum(media.says("DEFAULT") for media in members) > 1:
            yield f"{key}: {members}"


def every_variant_has_a_uri(stream: Stream) -> Iterator[str]:
    """Section 4.4.6.2: the URI line after EXT-X-STREAM-INF is REQUIRED."""
    lines = stream.multivariant_playlist.lines
    if not _variants(stream):
        yield "no EXT-X-STREAM-INF"
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        if line.tag == "EXT-X-STREAM-INF" and (following is None or following.tag is not None):
            yield line.text


def variants_name_their_codecs(stream: Stream) -> Iterator[str]:
    """Section 4.4.6.2, SHOULD: CODECS."""
    yield from (f"{variant}" for variant in _variants(stream) if "CODECS" not in variant)


def variants_name_resolution_and_frame_rate(stream: Stream) -> Iterator[str]:
    """Section 4.4.6.2, recommended for video; FRAME-RATE has three decimal places at most."""
    for variant in _variants(stream):
        decimals = variant.get("FRAME-RATE", ".0000").partition(".")[2]
        if "RESOLUTION" not in variant or len(decimals) > 3:
            yield f"{variant}"


def audio_groups_exist(stream: Stream) -> Iterator[str]:
    """Section 4.4.6.2, MUST: AUDIO matches the GROUP-ID of an audio EXT-X-MEDIA."""
    groups = {media["GROUP-ID"] for media in _renditions(stream) if media["TYPE"] == "AUDIO"}
    yield from (f"{variant}" for variant in _variants(stream) if variant.get("AUDIO") not in groups)


def bandwidth_covers_the_renditions(stream: Stream) -> Iterator[str]:
    """Section 4.4.6.2.1, MUST: BANDWIDTH is at least the aggregate of the playable combination. For a live stream it is
    that of a representative period (4.4.6.2), so this compares the average of what was received, to a tenth."""
    for variant in _variants(stream):
        rates = [_average_bps(stream, rendition) for rendition in RENDITIONS]
        if not all(rates):
            yield "no segments were received"
        if sum(rates) > 1.1 * variant.integer("BANDWIDTH"):
            yield f"BANDWIDTH={variant['BANDWIDTH']}, received {sum(rates):.0f} bit/s"


def _average_bps(stream: Stream, rendition: str) -> float:
    """Section 4.1: average segment bit rate."""
    listed = [(stream.listed.get(path), segment) for path, segment in stream.segments(rendition).items()]
    received = [(e, segment) for e, segment in listed if e is not None and e.status == 200]
    seconds = sum(segment.duration_s or 0.0 for _, segment in received)
    return sum(8 * len(exchange.body) for exchange, _ in received) / seconds if seconds else 0.0
