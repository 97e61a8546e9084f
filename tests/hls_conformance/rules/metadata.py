"""Section 4.4.5: date ranges, preload hints, rendition reports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from tests.hls_conformance.attributes import Attributes
from tests.hls_conformance.reader import MediaPlaylist, read_date
from tests.hls_conformance.recording import RENDITIONS, Exchange, Stream

CLOCK_ROUNDING = timedelta(milliseconds=1)


def _date_ranges(stream: Stream) -> Iterator[tuple[Exchange, MediaPlaylist, dict[str, list[Attributes]]]]:
    """Each playlist with its date ranges: the tags of each ID, in order."""
    for exchange, playlist in stream.every_playlist():
        ranges: dict[str, list[Attributes]] = {}
        for attributes in playlist.attributes_of("EXT-X-DATERANGE"):
            ranges.setdefault(attributes.text("ID"), []).append(attributes)
        yield exchange, playlist, ranges


def _consolidated(tags: list[Attributes]) -> Attributes:
    """Section 4.4.5.1: tags of one ID together."""
    whole = Attributes()
    for attributes in tags:
        whole.update(attributes)
    return whole


def date_of(attributes: Attributes, name: str) -> datetime:
    return read_date(attributes.text(name))


def end_of(attributes: Attributes) -> datetime | None:
    """The end of a date range, where it is known."""
    if "END-DATE" in attributes:
        return date_of(attributes, "END-DATE")
    if "DURATION" in attributes:
        return date_of(attributes, "START-DATE") + timedelta(seconds=attributes.seconds("DURATION"))
    return None


def date_ranges_are_seen(stream: Stream) -> Iterator[str]:
    """That the recording has date ranges which come, end and go: without them no rule about them means anything."""
    for rendition in RENDITIONS:
        names = [{a["ID"] for a in p.attributes_of("EXT-X-DATERANGE")} for _, p in stream.playlists(rendition)]
        if len(set().union(*names)) < 2 or not names[0] - names[-1]:
            yield f"{rendition}: first {names[0]}, last {names[-1]}"


def date_ranges_have_a_start(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.1: START-DATE is REQUIRED in the first tag of an ID."""
    for exchange, _, ranges in _date_ranges(stream):
        yield from (f"{exchange}: {name}" for name, tags in ranges.items() if "START-DATE" not in tags[0])


def date_ranges_do_not_end_before_they_start(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.1, MUST: END-DATE is not before START-DATE, and is START-DATE + DURATION where both are given."""
    for exchange, _, ranges in _date_ranges(stream):
        for name, tags in ranges.items():
            whole = _consolidated(tags)
            if "END-DATE" not in whole or "START-DATE" not in whole:
                continue
            lasts = date_of(whole, "END-DATE") - date_of(whole, "START-DATE")
            given = timedelta(seconds=whole.seconds("DURATION")) if "DURATION" in whole else lasts
            if lasts < timedelta(0) or abs(lasts - given) > CLOCK_ROUNDING:
                yield f"{exchange}: {name} lasts {lasts}, DURATION {given}"


def date_ranges_repeat_attributes_unchanged(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.1, MUST: tags of one ID agree on every attribute that they share, in time, too (SCTE aside)."""
    known: dict[str, Attributes] = {}
    for exchange, _, ranges in _date_ranges(stream):
        for name, tags in ranges.items():
            for attributes in tags:
                whole = known.setdefault(name, Attributes())
                changed = [key for key, value in attributes.items() if whole.setdefault(key, value) != value]
                yield from (f"{exchange}: {name} has another {key}" for key in changed)


def date_ranges_use_end_on_next_rightly(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.1, MUST: END-ON-NEXT has a CLASS and neither DURATION nor END-DATE; CUE not both PRE and POST."""
    for exchange, _, ranges in _date_ranges(stream):
        for name, tags in ranges.items():
            whole = _consolidated(tags)
            if whole.says("END-ON-NEXT") and ("CLASS" not in whole or {"DURATION", "END-DATE"} & whole.keys()):
                yield f"{exchange}: {name}"
            if {"PRE", "POST"} <= set(whole.get("CUE", '""').strip('"').split(",")):
                yield f"{exchange}: {name} has CUE PRE and POST"


def date_ranges_come_with_a_date(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.1, MUST: a playlist with EXT-X-DATERANGE has an EXT-X-PROGRAM-DATE-TIME."""
    for exchange, playlist, ranges in _date_ranges(stream):
        if ranges and playlist.first("EXT-X-PROGRAM-DATE-TIME") is None:
            yield f"{exchange}: {sorted(ranges)}"


def date_range_dates_have_zone_and_milliseconds(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.1, SHOULD."""
    for exchange, _, ranges in _date_ranges(stream):
        for name, tags in ranges.items():
            for attribute in ("START-DATE", "END-DATE"):
                text = _consolidated(tags).get(attribute)
                if text is not None and (read_date(text[1:-1]).tzinfo is None or "." not in text):
                    yield f"{exchange}: {name}: {attribute}={text}"


def skip_is_there_once(stream: Stream) -> Iterator[str]:
    """Sections 4.4.5 and 4.4.5.2, MUST NOT: EXT-X-SKIP more than once, or in a playlist that was asked for whole."""
    for exchange, playlist in stream.every_playlist():
        if playlist.first("EXT-X-SKIP") is not None:
            yield f"{exchange} was asked for whole"
    for deltas in stream.deltas:
        for exchange in (deltas.yes, deltas.v2):
            if exchange.readable and len(exchange.playlist.all("EXT-X-SKIP")) > 1:
                yield f"{exchange}: twice"


def skip_lists_removed_date_ranges_in_v2(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.2: RECENTLY-REMOVED-DATERANGES is REQUIRED if the client asked to skip date ranges."""
    for deltas in stream.deltas:
        skip = deltas.v2.playlist.first("EXT-X-SKIP") if deltas.v2.readable else None
        if skip is not None and "RECENTLY-REMOVED-DATERANGES" not in skip.attributes:
            yield f"{deltas.v2}: {skip.text}"


def hints_name_the_part_that_comes(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.3, MUST: the hint's URI is the one of the next part that is added. A hint may be dropped if the
    planned segmentation changes (6.2.6): then it is never listed, and that is one hint in twenty at most."""
    for rendition in RENDITIONS:
        paths = {(part.msn, part.index): path for path, part in stream.parts(rendition).items()}
        hinted, wrong = 0, {}
        for exchange, playlist in stream.playlists(rendition):
            if playlist.edge > max(paths, default=(0, 0)):
                continue
            comes = paths[min(position for position in paths if position >= playlist.edge)]
            for path in _hinted_parts(exchange, playlist):
                hinted += 1
                if path != comes:
                    wrong[path] = f"{rendition} {exchange}: hinted {path}, then came {comes.rpartition('/')[2]}"
        dropped = wrong.keys() - paths.values()
        yield from (sentence for path, sentence in wrong.items() if path not in dropped or 20 * len(dropped) > hinted)


def _hinted_parts(exchange: Exchange, playlist: MediaPlaylist) -> list[str]:
    hints = playlist.attributes_of("EXT-X-PRELOAD-HINT")
    return [exchange.resolve(hint.text("URI")) for hint in hints if hint["TYPE"] == "PART"]


def hints_have_a_known_type(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.3: TYPE is PART or MAP."""
    for exchange, playlist in stream.every_playlist():
        for hint in playlist.attributes_of("EXT-X-PRELOAD-HINT"):
            if hint["TYPE"] not in ("PART", "MAP"):
                yield f"{exchange}: {hint}"


def hints_end_with_the_stream(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.3, MUST NOT: EXT-X-PRELOAD-HINT beside EXT-X-ENDLIST."""
    for exchange, playlist in stream.every_playlist():
        if playlist.ended and playlist.first("EXT-X-PRELOAD-HINT") is not None:
            yield str(exchange)


def reports_have_relative_uris(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.4, MUST: the URI is relative to that of the playlist."""
    for exchange, playlist in stream.every_playlist():
        for report in playlist.attributes_of("EXT-X-RENDITION-REPORT"):
            if urlsplit(report.text("URI")).scheme or urlsplit(report.text("URI")).netloc:
                yield f"{exchange}: {report['URI']}"


def reports_say_last_msn_and_part(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.4: LAST-MSN is REQUIRED, and LAST-PART where the rendition has parts."""
    for exchange, playlist in stream.every_playlist():
        for report in playlist.attributes_of("EXT-X-RENDITION-REPORT"):
            if not {"LAST-MSN", "LAST-PART"} <= report.keys():
                yield f"{exchange}: {report}"


STALE_S = 0.5
"""What an answer may take on a busy machine."""


def reports_are_up_to_date(stream: Stream) -> Iterator[str]:
    """Section 4.4.5.4: as up to date as the playlist: behind nothing that was listed when the playlist last grew."""
    compared = 0
    for rendition, other in (RENDITIONS, RENDITIONS[::-1]):
        listed = [(e.answered_s, _last(p)) for e, p in stream.playlists(other) if p.parts]
        final = max((last for _, last in listed), default=(0, 0))
        grew_s: dict[tuple[int, int], float] = {}
        for exchange, playlist in stream.playlists(rendition):
            at_s = grew_s.setdefault(playlist.edge, exchange.answered_s)
            before = [last for answered_s, last in listed if answered_s < at_s - STALE_S]
            for report in playlist.attributes_of("EXT-X-RENDITION-REPORT"):
                said = report.integer("LAST-MSN"), report.integer("LAST-PART")
                compared += bool(before)
                if said < max(before, default=(0, 0)) or said > (final[0] + 1, final[1]):
                    yield f"{exchange}: {other} at {said}, it was at {max(before, default=None)}, at last {final}"
    if not compared:
        yield "no report was seen"


def _last(playlist: MediaPlaylist) -> tuple[int, int]:
    return max((part.msn, part.index) for part in playlist.parts)
