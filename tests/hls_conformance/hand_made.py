"""A small stream made by hand that keeps every rule, to be broken one rule at a time."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from tests.hls_conformance.hand_made_media import AUDIO, IDR, SLICE, VIDEO, init_section, part
from tests.hls_conformance.probes import NO_NUMBERS
from tests.hls_conformance.recording import RENDITIONS, Deltas, Exchange, Stream

ROOT: Final = "/hls/made/g/"
STARTED: Final = datetime(2026, 11, 21, 10, tzinfo=UTC)
PARTS: Final = 10
PART_S: Final = 0.2
BREAK: Final = 12
"""The segment with an EXT-X-DISCONTINUITY: the third playlist has lost it."""
FIRST_PART: Final = 209
"""The first playlist comes before part 9 of segment 20, each of the next a part later."""
STEPS: Final = 30
PLAIN_AT: Final = 16
"""The step at which a playlist was asked for without directives, too, and its delta updates."""


def edge_at(step: int) -> tuple[int, int, int]:
    """The first segment, the open segment, and how many parts that has."""
    msn, parts = divmod(FIRST_PART + step, PARTS)
    return max(BREAK, msn - 8), msn, parts


MULTIVARIANT: Final = """#EXTM3U
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Table",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="g/audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=90000,CODECS="avc1.42C01E,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000,AUDIO="audio"
g/video.m3u8
"""

_HEAD: Final = """#EXTM3U
#EXT-X-VERSION:{version}
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.63,HOLD-BACK=6.0,CAN-SKIP-UNTIL=12.0
#EXT-X-PART-INF:PART-TARGET=0.21
#EXT-X-MEDIA-SEQUENCE:{first}
#EXT-X-DISCONTINUITY-SEQUENCE:{breaks}
"""
OLD_RANGE: Final = '#EXT-X-DATERANGE:ID="round-6",CLASS="round",START-DATE="2026-11-21T10:00:20.000Z",DURATION=3.0\n'
"""It is over before the first segment begins, and is removed with part 2 of segment 21."""
DATE_RANGE: Final = '#EXT-X-DATERANGE:ID="round-7",CLASS="round",START-DATE="2026-11-21T10:00:30.000Z",DURATION=4.0\n'


def media_playlist(rendition: str, first: int, open_msn: int, open_parts: int, skip: str | None = None) -> str:
    """The text; with `skip` YES or v2, its delta update."""
    version = {None: 6, "YES": 9, "v2": 10}[skip]
    lines = [_HEAD.format(version=version, first=first, breaks=int(first > BREAK))]
    skipped = open_msn - 6 - first if skip else 0
    if skip:
        removed = ',RECENTLY-REMOVED-DATERANGES="round-6"' if skip == "v2" else ""
        lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}{removed}\n")
    lines += [_segment(rendition, msn, open_msn, first) for msn in range(first + skipped, open_msn)]
    if open_parts:
        lines.append(_tags(rendition, open_msn, first) + _parts(rendition, open_msn, open_parts))
    lines.append(DATE_RANGE if (open_msn, open_parts) > (21, 1) else OLD_RANGE + DATE_RANGE)
    lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{rendition}/{open_msn}.{open_parts}.m4s"\n')
    last = (open_msn, open_parts - 1) if open_parts else (open_msn - 1, PARTS - 1)
    other = RENDITIONS[RENDITIONS[0] == rendition]
    lines.append(f'#EXT-X-RENDITION-REPORT:URI="{other}.m3u8",LAST-MSN={last[0]},LAST-PART={last[1]}\n')
    return "".join(lines)


def _segment(rendition: str, msn: int, open_msn: int, first: int) -> str:
    parts = _parts(rendition, msn, PARTS) if msn >= open_msn - 3 else ""
    return _tags(rendition, msn, first) + parts + f"#EXTINF:2.00000,\n{rendition}/{msn}.m4s\n"


def _tags(rendition: str, msn: int, first: int) -> str:
    """What stands before the parts of a segment."""
    text = "#EXT-X-DISCONTINUITY\n" if msn == BREAK else ""
    text += f'#EXT-X-MAP:URI="{rendition}/init-1.mp4"\n' if msn == first else ""
    date = STARTED + timedelta(seconds=2 * msn)
    return text + f"#EXT-X-PROGRAM-DATE-TIME:{date.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}\n"


def _parts(rendition: str, msn: int, count: int) -> str:
    def line(index: int) -> str:
        independent = ",INDEPENDENT=YES" if rendition == "audio" or index == 0 else ""
        return f'#EXT-X-PART:DURATION=0.20000,URI="{rendition}/{msn}.{index}.m4s"{independent}\n'

    return "".join(map(line, range(count)))


PLAYLIST_HEADERS: Final = {
    "content-type": "application/vnd.apple.mpegurl",
    "content-encoding": "gzip",
    "cache-control": "public, max-age=12",
    "vary": "Accept-Encoding",
    "etag": '"1"',
    "access-control-allow-origin": "*",
}
MEDIA_HEADERS: Final = {
    "cache-control": "public, max-age=16",
    "expires": "Sat, 21 Nov 2026 10:01:00 GMT",
    "access-control-allow-origin": "*",
}


def playlist_answer(url: str, text: str, at_s: float, took_s: float = 0.01, **headers: str) -> Exchange:
    """200 with that playlist."""
    given = PLAYLIST_HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(url, 200, gzip.compress(text.encode()), given, at_s - took_s, at_s, at_s, "2.0")


def made_stream() -> Stream:
    """Every rule holds for it, but those about an end. A fresh one each time, of exchanges that never change."""
    made = _made_once()
    return replace(
        made,
        snapshots={rendition: list(exchanges) for rendition, exchanges in made.snapshots.items()},
        deltas=list(made.deltas),
        listed=dict(made.listed),
        hinted=dict(made.hinted),
        late=dict(made.late),
        answers=dict(made.answers),
    )


@cache
def _made_once() -> Stream:
    stream = Stream("made", playlist_answer("/hls/made/index.m3u8", MULTIVARIANT, 0.0))
    for rendition in RENDITIONS:
        _add_playlists(stream, rendition)
        _add_media(stream, rendition)
    _add_answers(stream)
    return stream


def _add_playlists(stream: Stream, rendition: str) -> None:
    url = f"{ROOT}{rendition}.m3u8"
    for step in range(STEPS):
        first, msn, parts = edge_at(step)
        asked = divmod(FIRST_PART + step - 1, PARTS)
        text, at_s = media_playlist(rendition, first, msn, parts), 100 + PART_S * step
        query = f"?_HLS_msn={asked[0]}&_HLS_part={asked[1]}"
        stream.snapshots[rendition].append(playlist_answer(url + query, text, at_s, PART_S))
        if step == PLAIN_AT:
            plain = playlist_answer(url, text, at_s + 0.01, cache_control="max-age=1")
            stream.snapshots[rendition].append(plain)
            deltas = [
                playlist_answer(f"{url}?_HLS_skip={skip}", media_playlist(rendition, first, msn, parts, skip), at_s)
                for skip in ("YES", "v2")
            ]
            stream.deltas.append(Deltas(plain, *deltas))


def _add_media(stream: Stream, rendition: str) -> None:
    kept = VIDEO if rendition == "video" else AUDIO

    def answer(name: str, body: bytes) -> Exchange:
        return Exchange(f"{ROOT}{rendition}/{name}", 200, body, MEDIA_HEADERS, 99.8, 100.0, 100.001, "2.0")

    def keep(name: str, body: bytes) -> None:
        stream.listed[f"{ROOT}{rendition}/{name}"] = answer(name, body)

    keep("init-1.mp4", init_section(kept))
    for msn in range(12, 24):
        parts = [part(kept, 2 * msn + PART_S * n, PART_S, SLICE if n else IDR) for n in range(PARTS)]
        keep(f"{msn}.m4s", b"".join(parts))
        for index, body in enumerate(parts):
            keep(f"{msn}.{index}.m4s", body)
            if msn > 20:
                stream.hinted[f"{ROOT}{rendition}/{msn}.{index}.m4s"] = answer(f"{msn}.{index}.m4s", body)
    for name in ("12.m4s", "17.0.m4s"):
        stream.late[f"{ROOT}{rendition}/{name}"] = stream.listed[f"{ROOT}{rendition}/{name}"]


def _refusal(status: int, took_s: float = 0.01, lifetime_s: int = 2) -> Exchange:
    headers = {"cache-control": f"max-age={lifetime_s}", "content-type": "text/plain; charset=utf-8"}
    return Exchange("/hls/made/g/video.m3u8", status, b"No.\n", headers, 100.0 - took_s, 100.0, 100.0)


def _add_answers(stream: Stream) -> None:
    url = f"{ROOT}video.m3u8"
    first, msn, parts = edge_at(PLAIN_AT)
    now = media_playlist("video", first, msn, parts)
    later = media_playlist("video", msn - 5, msn + 3, 1)

    def ask(text: str, took_s: float = 0.01, **directives: int) -> Exchange:
        query = "&".join(f"_HLS_{name}={value}" for name, value in directives.items())
        return playlist_answer(f"{url}?{query}", text, 105.0, took_s)

    refused = {"msn too far", "msn much too far", "msn beyond 64 bits", "part too far", "part without msn"}
    refused |= {f"{name} {text!r}" for name in ("msn", "part") for text in NO_NUMBERS}
    missing = "part far beyond the hint", "segment far beyond the edge", "unknown playlist", "unknown stream"
    stream.answers = {
        "msn of the open segment": ask(later, 1.0, msn=msn),
        "msn of the last segment": ask(now, msn=msn - 1),
        "last msn plus two": ask(later, 3.0, msn=msn + 1),
        "old msn": ask(now, msn=first),
        "old msn and part": ask(now, msn=first, part=0),
        "msn before the window": ask(now, msn=first - 1, part=0),
        "part beyond a closed segment": ask(now, msn=msn - 1, part=PARTS),
        "part beyond the open segment": ask(later, 1.8, msn=msn, part=12),
        "silent, next part": _refusal(503, 6.0),
        "silent, next segment": _refusal(503, 6.1),
        "without gzip": replace(ask(now), wire_body=now.encode(), headers={"vary": "Accept-Encoding"}),
        "multivariant without gzip": replace(ask(now), headers={"vary": "Accept-Encoding"}),
        "with a tag": ask(now),
        "with the same tag": Exchange(url, 304),
        "from another origin": ask(now),
        "segment from another origin": ask(now),
        **{f"the same, {which}": ask(now, 0.2, msn=msn, part=parts) for which in ("first", "second", "later")},
        **{question: _refusal(400, lifetime_s=8) for question in refused},
        **{question: _refusal(404) for question in (*missing, "unknown stream, blocking")},
    }


def ended_stream() -> Stream:
    """The same with EXT-X-ENDLIST at the end of each rendition."""
    stream = made_stream()
    for rendition in RENDITIONS:
        text = media_playlist(rendition, 15, 24, 0)
        hint = next(line for line in text.splitlines(keepends=True) if "PRELOAD-HINT" in line)
        text = text.replace(hint, "") + "#EXT-X-ENDLIST\n"
        url = f"{ROOT}{rendition}.m3u8"
        stream.snapshots[rendition].append(playlist_answer(url, text, 110.0, cache_control="max-age=1"))
    for question in ("next segment", "next part", "msn too far", "skip"):
        stream.answers[f"ended, {question}"] = stream.snapshots["video"][-1]
    stream.answers["ended, index"] = _refusal(404)
    again = replace(stream.multivariant, wire_body=gzip.compress(MULTIVARIANT.replace("g/", "h/").encode()))
    stream.answers["again, index"] = again
    stream.answers["again, old playlist"] = stream.snapshots["video"][-1]
    stream.answers["ended, media 22.m4s"] = stream.listed[f"{ROOT}video/22.m4s"]
    return stream
