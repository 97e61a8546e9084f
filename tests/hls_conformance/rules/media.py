"""Section 3: segments, init sections and parts as fMP4."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.hls_conformance.boxes import TFHD_BASE_DATA_OFFSET, TFHD_DEFAULT_BASE_IS_MOOF, Box, read_boxes
from tests.hls_conformance.media import Media, media_of
from tests.hls_conformance.recording import RENDITIONS, Stream

BRANDS_FROM_ISO6 = {"iso6", "iso7", "iso8", "iso9", "isoa", "isob", "isoc", "cmfc", "cmf2"}
IDR_SLICE = 5


def segments_continue_the_timestamps(stream: Stream) -> Iterator[str]:
    """Section 3, MUST: each segment goes on where the one before it ended, unless it is a discontinuity."""
    for rendition in RENDITIONS:
        media = media_of(stream).segments(rendition)
        if len(media) < 2:
            yield f"{rendition}: {len(media)} segments were received"
        breaks = {s.msn for s in stream.segments(rendition).values() if s.discontinuity}
        for msn, segment in media.items():
            before = media.get(msn - 1)
            if before is not None and msn not in breaks and segment.start_ticks != before.end_ticks:
                hole_s = (segment.start_ticks - before.end_ticks) / segment.track.timescale
                yield f"{rendition}: segment {msn} begins {hole_s:+.5f} s after the end of the one before"


def durations_are_those_of_the_samples(stream: Stream) -> Iterator[str]:
    """Section 3: EXTINF is the total presentation duration of the samples."""
    for rendition in RENDITIONS:
        media = media_of(stream).segments(rendition)
        for segment in stream.segments(rendition).values():
            if segment.msn not in media:
                yield f"{rendition}: segment {segment.msn} was not received"
            elif abs((segment.duration_s or 0.0) - media[segment.msn].duration_s) > 0.001:
                yield f"{rendition}: {segment.msn}: {segment.duration_s} s, {media[segment.msn].duration_s:.5f} s"


def video_segments_hold_an_idr(stream: Stream) -> Iterator[str]:
    """Section 3, SHOULD: any segment containing H.264 contains an IDR."""
    media = media_of(stream).segments("video")
    if not media:
        yield "no video segment was received"
    for msn, segment in media.items():
        if not any(IDR_SLICE in nal_unit_types(sample.payload) for sample in segment.samples):
            yield f"segment {msn} holds none"


def segments_begin_with_an_independent_frame(stream: Stream) -> Iterator[str]:
    """Section 4.4.2.1: what EXT-X-INDEPENDENT-SEGMENTS promises: no sample needs another segment."""
    if stream.multivariant_playlist.first("EXT-X-INDEPENDENT-SEGMENTS") is None:
        return
    for msn, segment in media_of(stream).segments("video").items():
        if not segment.samples[0].is_sync or IDR_SLICE not in nal_unit_types(segment.samples[0].payload):
            yield f"video segment {msn} does not begin with an IDR"


def nal_unit_types(sample: bytes) -> set[int]:
    """Of a sample with lengths of four bytes before its NAL units (ISO 14496-15)."""
    types, position = set(), 0
    while position + 4 < len(sample):
        (length,) = struct.unpack_from(">I", sample, position)
        types.add(sample[position + 4] & 0x1F)
        position += 4 + length
    return types


def _inits(stream: Stream) -> Iterator[tuple[str, Box]]:
    paths = {path for rendition in RENDITIONS for path in stream.init_of(rendition).values()}
    for path in sorted(paths):
        exchange = stream.listed.get(path)
        if exchange is not None and exchange.status == 200:
            yield path.rpartition("/")[2], read_boxes(exchange.body)


def init_sections_hold_no_samples(stream: Stream) -> Iterator[str]:
    """Section 3.1, MUST NOT: sample data. Section 3.1.2, MUST: the sample count of each track is zero."""
    for name, init in _inits(stream):
        if init.all("mdat") or init.all("moof"):
            yield f"{name} has media"
        for stbl in init.all("moov", "trak", "mdia", "minf", "stbl"):
            counts = {"stts": 4, "stsc": 4, "stco": 4, "stsz": 8}
            for box in stbl.children:
                if box.type in counts and int.from_bytes(box.payload[counts[box.type] :][:4], "big"):
                    yield f"{name}: {box.type} is not empty"


def init_sections_have_a_brand_from_iso6(stream: Stream) -> Iterator[str]:
    """Section 3.1.2, MUST: ftyp with a brand compatible with iso6 or higher, followed by the moov."""
    if not list(_inits(stream)):
        yield "no init section was received"
    for name, init in _inits(stream):
        if [box.type for box in init.children[:2]] != ["ftyp", "moov"]:
            yield f"{name}: {[box.type for box in init.children]}"
            continue
        ftyp = init.children[0].payload
        brands = {ftyp[at : at + 4].decode("latin-1") for at in (0, *range(8, len(ftyp), 4))}
        if not brands & BRANDS_FROM_ISO6:
            yield f"{name}: brands {sorted(brands)}"


def init_sections_have_durations_of_zero(stream: Stream) -> Iterator[str]:
    """Section 3.1.2, MUST: of mvhd and tkhd."""
    for name, init in _inits(stream):
        for box in (*init.all("moov", "mvhd"), *init.all("moov", "trak", "tkhd")):
            wide = box.version == 1
            at = {"mvhd": 24 if wide else 16, "tkhd": 28 if wide else 20}[box.type]
            if int.from_bytes(box.payload[at : at + (8 if wide else 4)], "big"):
                yield f"{name}: {box.type} has a duration"


def init_sections_have_mvex_after_the_tracks(stream: Stream) -> Iterator[str]:
    """Section 3.1.2, MUST: mvex; SHOULD: after the last trak."""
    for name, init in _inits(stream):
        types = [box.type for box in init.one("moov").children]
        if "mvex" not in types or "trak" in types[types.index("mvex") :]:
            yield f"{name}: {types}"


def _fragments(stream: Stream) -> Iterator[tuple[str, str, Box]]:
    """Each traf of each part and segment: (rendition, name, box)."""
    for rendition in RENDITIONS:
        for path in (*stream.segments(rendition), *stream.parts(rendition)):
            exchange = stream.listed.get(path)
            if exchange is not None and exchange.status == 200:
                for traf in read_boxes(exchange.body).all("moof", "traf"):
                    yield rendition, path.rpartition("/")[2], traf


def fragments_have_a_decode_time(stream: Stream) -> Iterator[str]:
    """Section 3.1.2, MUST: tfdt in every traf."""
    trafs = list(_fragments(stream))
    if not trafs:
        yield "no fragment was received"
    yield from (f"{rendition} {name}" for rendition, name, traf in trafs if not traf.all("tfdt"))


def fragments_are_addressed_from_their_moof(stream: Stream) -> Iterator[str]:
    """Section 3.1.2, MUST: movie-fragment-relative addressing (ISO 14496-12, 8.8.7)."""
    for rendition, name, traf in _fragments(stream):
        flags = traf.one("tfhd").flags
        if flags & TFHD_BASE_DATA_OFFSET or not flags & TFHD_DEFAULT_BASE_IS_MOOF:
            yield f"{rendition} {name}: tfhd flags {flags:#x}"


def fragments_belong_to_a_track_of_their_init_section(stream: Stream) -> Iterator[str]:
    """Section 3.1.2, MUST: a trak for every traf, with the same track_ID."""
    tracks = {r: {media_of(stream).track(path) for path in stream.init_of(r).values()} for r in RENDITIONS}
    for rendition, name, traf in _fragments(stream):
        track_id = int.from_bytes(traf.one("tfhd").payload[4:8], "big")
        if track_id not in {track.track_id for track in tracks[rendition] if track is not None}:
            yield f"{rendition} {name}: track {track_id}"


def init_sections_refer_to_nothing_outside(stream: Stream) -> Iterator[str]:
    """Section 3.1.2, MUST NOT: external data references (flag 1 of each entry of dref: in the same file)."""
    for name, init in _inits(stream):
        for dref in init.all("moov", "trak", "mdia", "minf", "dinf", "dref"):
            if any(not entry.flags & 1 for entry in read_boxes(dref.payload[8:]).children):
                yield f"{name}: dref {dref.payload!r}"


def parts_hold_the_samples_of_their_segment(stream: Stream) -> Iterator[str]:
    """Section 3.2, MUST: a segment and all its parts hold the same samples with the same timing."""
    for rendition in RENDITIONS:
        compared = 0
        by_msn: dict[int, list[Media]] = {}
        for part, media in media_of(stream).parts(rendition):
            by_msn.setdefault(part.msn, []).append(media)
        first = min(by_msn, default=0)
        for msn, segment in media_of(stream).segments(rendition).items():
            parts = by_msn.get(msn, [])
            if not parts or msn == first:  # the player may have come when its first parts were listed no more
                continue
            compared += 1
            if tuple(sample for part in parts for sample in part.samples) != segment.samples:
                yield f"{rendition}: segment {msn} is not the sum of its {len(parts)} parts"
        if not compared:
            yield f"{rendition}: no segment was received with its parts"


def part_indexes_begin_at_zero(stream: Stream) -> Iterator[str]:
    """Section 3.2: the first part of each segment is listed first, and none is left out."""
    for exchange, playlist in stream.every_playlist():
        for segment in playlist.segments:
            total_s = sum(part.duration_s for part in segment.parts)
            if segment.parts and abs(total_s - (segment.duration_s or 0.0)) > 0.005:
                yield f"{exchange}: the parts of segment {segment.msn} last {total_s:.4f} s, it {segment.duration_s} s"
