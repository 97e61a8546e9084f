"""Init sections and parts by hand, as small as they can be: the load generator's demuxer is not to be tested with the
gateway's muxer alone."""

import struct

from loadgen.studios.stamps import sei_nal

VIDEO_TIMESCALE, AUDIO_TIMESCALE = 90_000, 48_000
SLICE = b"\x65" + bytes(40)


def box(kind: bytes, *contents: bytes) -> bytes:
    """One box."""
    body = b"".join(contents)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *contents: bytes) -> bytes:
    """One with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *contents)


def init_section(timescale: int = VIDEO_TIMESCALE, handler: bytes = b"vide", duration: int = 0, size: int = 0) -> bytes:
    """ftyp and moov with one track; `duration` and `size` are trex's defaults."""
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIHH", 0, 0, timescale, 0, 0))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(13))
    trex = full_box(b"trex", 0, 0, struct.pack(">IIIII", 1, 1, duration, size, 0))
    trak = box(b"trak", full_box(b"tkhd", 0, 0, bytes(80)), box(b"mdia", mdhd, hdlr))
    return box(b"ftyp", b"cmfc", bytes(4)) + box(b"moov", trak, box(b"mvex", trex))


def fragment(decode_ticks: int, samples: list[tuple[int, bytes]]) -> bytes:
    """moof and mdat; `samples` are (duration in ticks, bytes)."""
    rows = b"".join(struct.pack(">II", duration, len(sample)) for duration, sample in samples)

    def moof(data_offset: int) -> bytes:
        trun = full_box(b"trun", 0, 0x000301, struct.pack(">Ii", len(samples), data_offset), rows)
        tfhd = full_box(b"tfhd", 0, 0x020000, struct.pack(">I", 1))
        tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", decode_ticks))
        return box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), box(b"traf", tfhd, tfdt, trun))

    return moof(len(moof(0)) + 8) + box(b"mdat", *(sample for _, sample in samples))


def avcc(*nals: bytes) -> bytes:
    """A sample of avc1."""
    return b"".join(len(nal).to_bytes(4) + nal for nal in nals)


def stamped_sample(unix_s: float) -> bytes:
    """A frame that a studio stamped then."""
    return avcc(sei_nal(round(unix_s * 1e9), 1), SLICE)
