"""Init sections and parts as a player's demuxer reads them: CMAF fragments of one track (ISO/IEC 14496-12 section 8.8).

Only what tells times and sizes is read. A whole segment is several fragments in a row.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from gateway.errors import WireError
from loadgen.hls.boxes import boxes, find, unpacked

MAX_SAMPLES = 100_000
"""Of one fragment; a second of audio has 47."""

_U32, _U64, _2_U32 = struct.Struct(">I"), struct.Struct(">Q"), struct.Struct(">II")
_TREX = struct.Struct(">IIIII")
_FLAGS = 0xFFFFFF

_TFHD_FIELDS = (
    (0x000001, 8, ""),
    (0x000002, 4, ""),
    (0x000008, 4, "duration"),
    (0x000010, 4, "size"),
)
"""(flag, bytes, which default): base_data_offset, sample_description_index, then those wanted (section 8.8.7)."""

_TRUN_DATA_OFFSET, _TRUN_FIRST_FLAGS = 0x000001, 0x000004
_TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS, _TRUN_COMPOSITION = 0x000100, 0x000200, 0x000400, 0x000800


@dataclass(frozen=True, slots=True)
class InitSection:
    """What stands in `moov`."""

    timescale: int
    """Ticks a second."""
    is_video: bool
    default_duration_ticks: int = 0
    default_size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Fragment:
    """A `moof`, and where its samples are."""

    decode_ticks: int
    """baseMediaDecodeTime of `tfdt`."""
    durations_ticks: tuple[int, ...]
    """Of each sample."""
    sizes_bytes: tuple[int, ...]
    data_start: int
    """Of the first sample, from the beginning of what was parsed; the others follow."""

    @property
    def duration_ticks(self) -> int:
        """Of all samples."""
        return sum(self.durations_ticks)

    def samples(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        """(decode time, bytes) of each sample."""
        ticks, start = self.decode_ticks, self.data_start
        for duration_ticks, size_bytes in zip(self.durations_ticks, self.sizes_bytes, strict=True):
            yield ticks, body[start : start + size_bytes]
            ticks += duration_ticks
            start += size_bytes


def parse_init_section(body: bytes) -> InitSection:
    """WireError unless it is one of a single track."""
    start, end = find(body, (b"moov",))
    tracks = [box for box in boxes(body, start, end) if box[0] == b"trak"]
    if len(tracks) != 1:
        raise WireError(f"It has {len(tracks)} tracks.")
    _, track_start, track_end = tracks[0]
    mdia_start, mdia_end = find(body, (b"mdia",), track_start, track_end)
    handler_start, handler_end = find(body, (b"hdlr",), mdia_start, mdia_end)
    trex_start, trex_end = find(body, (b"mvex", b"trex"), start, end)
    _, _, default_duration_ticks, default_size_bytes, _ = unpacked(_TREX, body, trex_start + 4, trex_end)
    timescale = _timescale(body, *find(body, (b"mdhd",), mdia_start, mdia_end))
    if not timescale or handler_end - handler_start < 12:
        raise WireError("It has no timescale, or no handler.")
    is_video = body[handler_start + 8 : handler_start + 12] == b"vide"
    return InitSection(timescale, is_video, default_duration_ticks, default_size_bytes)


def _timescale(body: bytes, start: int, end: int) -> int:
    """Of `mdhd`, whose two times before it are of 4 or of 8 bytes."""
    (version_and_flags,) = unpacked(_U32, body, start, end)
    return unpacked(_U32, body, start + (20 if version_and_flags >> 24 else 12), end)[0]


def parse_fragments(body: bytes, init: InitSection) -> list[Fragment]:
    """At least one. WireError for what no demuxer could read; `mdat` must hold all samples."""
    fragments = []
    pending: Fragment | None = None
    moof_start = 0
    for kind, contents, end in boxes(body):
        if kind == b"moof":
            pending = _parse_moof(body, contents, end, moof_start, init)
        elif kind == b"mdat":
            if pending is None:
                raise WireError("An mdat has no moof.")
            if pending.data_start < contents or pending.data_start + sum(pending.sizes_bytes) > end:
                raise WireError("Samples lie outside of mdat.")
            fragments.append(pending)
            pending = None
        moof_start = end
    if not fragments or pending is not None:
        raise WireError("There is no whole fragment.")
    return fragments


def _parse_moof(body: bytes, start: int, end: int, moof_start: int, init: InitSection) -> Fragment:
    start, end = find(body, (b"traf",), start, end)
    decode_ticks: int | None = None
    defaults = {"duration": init.default_duration_ticks, "size": init.default_size_bytes}
    runs: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = []
    for kind, contents, box_end in boxes(body, start, end):
        if kind == b"tfhd":
            defaults |= _parse_tfhd(body, contents, box_end)
        elif kind == b"tfdt":
            decode_ticks = _parse_tfdt(body, contents, box_end)
        elif kind == b"trun":
            runs.append(_parse_trun(body, contents, box_end, defaults))
    if decode_ticks is None or not runs:
        raise WireError("A moof has no tfdt, or no trun.")
    durations = tuple(chain.from_iterable(durations for _, durations, _ in runs))
    sizes = tuple(chain.from_iterable(sizes for _, _, sizes in runs))
    return Fragment(decode_ticks, durations, sizes, moof_start + runs[0][0])


def _parse_tfhd(body: bytes, start: int, end: int) -> dict[str, int]:
    """Defaults that it sets."""
    (flags,) = unpacked(_U32, body, start, end)
    found: dict[str, int] = {}
    position = start + 8
    for flag, size_bytes, name in _TFHD_FIELDS:
        if flags & flag:
            if name:
                found[name] = unpacked(_U32, body, position, end)[0]
            position += size_bytes
    return found


def _parse_tfdt(body: bytes, start: int, end: int) -> int:
    (version_and_flags,) = unpacked(_U32, body, start, end)
    return unpacked(_U64 if version_and_flags >> 24 else _U32, body, start + 4, end)[0]


def _parse_trun(
    body: bytes, start: int, end: int, defaults: dict[str, int]
) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """(data offset, durations, sizes)."""
    version_and_flags, count = unpacked(_2_U32, body, start, end)
    flags = version_and_flags & _FLAGS
    if not 0 < count <= MAX_SAMPLES or not flags & _TRUN_DATA_OFFSET:
        raise WireError("A trun has no samples, too many, or does not say where they are.")
    (data_offset,) = unpacked(_U32, body, start + 8, end)
    position = start + 12 + (4 if flags & _TRUN_FIRST_FLAGS else 0)
    columns = [bit for bit in (_TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS, _TRUN_COMPOSITION) if flags & bit]
    rows = unpacked(struct.Struct(f">{count * len(columns)}I"), body, position, end)

    def column(bit: int, default: int) -> tuple[int, ...]:
        return rows[columns.index(bit) :: len(columns)] if flags & bit else (default,) * count

    return data_offset, column(_TRUN_DURATION, defaults["duration"]), column(_TRUN_SIZE, defaults["size"])
