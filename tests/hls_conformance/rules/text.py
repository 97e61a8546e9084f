"""Sections 4 to 4.4.2 and 8: the text of a playlist, its versions, and which tags may stand in it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hls_conformance.attributes import PlaylistError
from tests.hls_conformance.reader import Playlist
from tests.hls_conformance.recording import Stream
from tests.hls_conformance.tags import MEDIA_KINDS, Kind

CONTENT_TYPES = ("application/vnd.apple.mpegurl", "audio/mpegurl")


def playlists_are_identified(stream: Stream) -> Iterator[str]:
    """Section 4, MUST: by .m3u8, or by Content-Type. We are stricter: by both."""
    for name, exchange in stream.bodies():
        content_type = exchange.headers.get("content-type", "").partition(";")[0].strip()
        if content_type not in CONTENT_TYPES or not exchange.url.partition("?")[0].endswith(".m3u8"):
            yield f"{name}: Content-Type {content_type!r}"


def _errors(stream: Stream, section: str) -> Iterator[str]:
    for name, exchange in stream.bodies():
        if isinstance(exchange.text, PlaylistError) and exchange.text.section == section:
            yield f"{name}: {exchange.text}"


def text_is_legal(stream: Stream) -> Iterator[str]:
    """Section 4.1, MUST: UTF-8, no byte order mark, no control characters, NFC, no stray whitespace."""
    return _errors(stream, "4.1")


def attribute_lists_are_legal(stream: Stream) -> Iterator[str]:
    """Section 4.2, MUST: names, types, each name once; and the REQUIRED attributes of each tag."""
    return _errors(stream, "4.2")


def tags_are_known(stream: Stream) -> Iterator[str]:
    """Section 4.4: each tag is one of the draft's, in its form."""
    return _errors(stream, "4.4")


def _readable(stream: Stream) -> Iterator[tuple[str, Playlist]]:
    for name, exchange in stream.bodies():
        if isinstance(exchange.text, Playlist):
            yield name, exchange.text


def kinds_are_not_mixed(stream: Stream) -> Iterator[str]:
    """Sections 4.1, 4.4.3, 4.4.4, 4.4.6, MUST: multivariant tags and media tags do not stand in one playlist."""
    for name, playlist in _readable(stream):
        kinds = {line.kind for line in playlist.lines}
        expected = {Kind.MULTIVARIANT} if name == "multivariant" else {Kind.MEDIA_PLAYLIST}
        if not expected <= kinds or (Kind.MULTIVARIANT in kinds and kinds & MEDIA_KINDS):
            yield f"{name}: {sorted(kind.name for kind in kinds if kind)}"


def extm3u_is_first(stream: Stream) -> Iterator[str]:
    """Section 4.4.1.1, MUST."""
    for name, playlist in _readable(stream):
        if playlist.text.splitlines()[:1] != ["#EXTM3U"]:
            yield f"{name} begins with {playlist.text[:20]!r}"


def needed_version(playlist: Playlist) -> int:
    """Section 8, for the tags of `tags.py`."""
    skip = playlist.first("EXT-X-SKIP")
    if skip is not None:
        return 10 if "RECENTLY-REMOVED-DATERANGES" in skip.attributes else 9
    if playlist.first("EXT-X-MAP") is not None:
        return 6
    return 3 if any("." in line.value.partition(",")[0] for line in playlist.all("EXTINF")) else 1


def version_is_there_once(stream: Stream) -> Iterator[str]:
    """Section 4.4.1.2, MUST: once, and at all where something needs more than version 1."""
    for name, playlist in _readable(stream):
        count = len(playlist.all("EXT-X-VERSION"))
        if count > 1 or (count == 0 and needed_version(playlist) > 1):
            yield f"{name}: {count} EXT-X-VERSION"


def version_suffices(stream: Stream) -> Iterator[str]:
    """Section 8, MUST."""
    for name, playlist in _readable(stream):
        if playlist.version < needed_version(playlist):
            yield f"{name}: version {playlist.version}, {needed_version(playlist)} is needed"


def version_is_not_too_great(stream: Stream) -> Iterator[str]:
    """Section 6.2.1, SHOULD: not greater than the tags and attributes require."""
    for name, playlist in _readable(stream):
        if playlist.version > needed_version(playlist):
            yield f"{name.split()[0]}: version {playlist.version}, {needed_version(playlist)} would do"


def common_tags_are_there_once(stream: Stream) -> Iterator[str]:
    """Section 4.4.2, MUST."""
    for name, playlist in _readable(stream):
        tags = [line.tag for line in playlist.lines if line.kind is Kind.EITHER]
        yield from (f"{name}: {tag} twice" for tag in set(tags) if tags.count(tag) > 1)


def independent_segments_is_said_in_one_place(stream: Stream) -> Iterator[str]:
    """Section 4.4.2.1, SHOULD: what the multivariant playlist says, its media playlists do not."""
    if stream.multivariant_playlist.first("EXT-X-INDEPENDENT-SEGMENTS") is None:
        return
    for exchange, playlist in stream.every_playlist():
        if playlist.first("EXT-X-INDEPENDENT-SEGMENTS") is not None:
            yield f"{exchange} says it again"
