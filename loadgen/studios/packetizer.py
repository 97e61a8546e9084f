"""Frames into RTP payloads (RFC 6184, packetization-mode 1): done once a clip, for all streams that play it.

Only the stamp is new each time a frame is sent. It travels with the parameter sets in a STAP-A, or in a packet of its
own, so that a receiver needs one payload to find it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.wire.h264_depacketizer import FU_A, STAP_A
from loadgen.studios.clip import AudioPacket, Clip
from loadgen.studios.nal_units import PPS, SPS, is_coded_picture, nal_reference, nal_type
from loadgen.studios.stamps import STAMP_NAL_BYTES

Pacing = Literal["burst", "paced"]
"""`burst`: full packets, each frame at once, as FFmpeg and OBS send. `paced`: packets that differ by one byte at most,
spread over some milliseconds, as browsers send."""

MAX_PAYLOAD_BYTES = 1158
"""With 12 bytes of header, 12 of extensions (MID, transport-wide sequence number), 16 of authentication tag and 2 of
original sequence number in a retransmission: 1200, what libwebrtc fills."""

_FU_HEADER_BYTES = 2
_FU_START, _FU_END = 0x80, 0x40
_LENGTH_BYTES = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One access unit, ready to be stamped."""

    before: tuple[bytes, ...]
    """Payloads that come before the stamp's."""
    aggregate: bytes
    """The beginning of the STAP-A that the stamp ends; empty where it stands alone."""
    after: tuple[bytes, ...]
    pts_rtp_ticks: int
    is_keyframe: bool

    def payloads(self, stamp_nal: bytes) -> list[bytes]:
        """All payloads in the order of sending."""
        stamped = self.aggregate + _sized(stamp_nal) if self.aggregate else stamp_nal
        return [*self.before, stamped, *self.after]


@dataclass(frozen=True, slots=True)
class PacketizedClip:
    """A clip as studios send it; shared by all of a process."""

    frames: tuple[Frame, ...]
    audio: tuple[AudioPacket, ...]
    duration_rtp_ticks: int
    """At 90 kHz."""
    video_bps: float
    profile_level_id: str
    pacing: Pacing
    summary: str
    keyframes: tuple[int, ...]
    """Which of `frames`; the first is 0."""

    def keyframe_from(self, number: int) -> int:
        """The first keyframe that is not before frame `number`; after the last one comes the first again."""
        order = bisect_left(self.keyframes, number)
        return self.keyframes[order] if order < len(self.keyframes) else 0


def packetize(clip: Clip, pacing: Pacing) -> PacketizedClip:
    """All frames of `clip`, cut as `pacing` asks."""
    return PacketizedClip(
        frames=tuple(
            _frame(unit.nals, unit.pts_rtp_ticks, unit.is_keyframe, is_even=pacing == "paced") for unit in clip.video
        ),
        audio=clip.audio,
        duration_rtp_ticks=clip.duration_rtp_ticks,
        video_bps=clip.video_bps,
        profile_level_id=clip.profile_level_id,
        pacing=pacing,
        summary=clip.summary,
        keyframes=tuple(number for number, unit in enumerate(clip.video) if unit.is_keyframe),
    )


def _frame(nals: Sequence[bytes], pts_rtp_ticks: int, is_keyframe: bool, is_even: bool) -> Frame:
    first_slice = next((order for order, nal in enumerate(nals) if is_coded_picture(nal)), len(nals))
    # Parameter sets first: a gateway tells a keyframe by its first packet.
    describing = sorted(nals[:first_slice], key=lambda nal: nal_type(nal) not in (SPS, PPS))
    slices = tuple(_cut_all(nals[first_slice:], is_even))
    aggregate = _stap_a(describing) if describing else b""
    if len(aggregate) + _LENGTH_BYTES + STAMP_NAL_BYTES > MAX_PAYLOAD_BYTES:
        return Frame(tuple(_cut_all(describing, is_even)), b"", slices, pts_rtp_ticks, is_keyframe)
    return Frame((), aggregate, slices, pts_rtp_ticks, is_keyframe)


def _stap_a(nals: Sequence[bytes]) -> bytes:
    """RFC 6184 section 5.7.1; its reference bits are the highest of what it holds."""
    header = STAP_A | max(nal_reference(nal) for nal in nals)
    return bytes((header,)) + b"".join(map(_sized, nals))


def _sized(nal: bytes) -> bytes:
    return len(nal).to_bytes(_LENGTH_BYTES, "big") + nal


def _cut_all(nals: Sequence[bytes], is_even: bool) -> Iterator[bytes]:
    for nal in nals:
        if len(nal) <= MAX_PAYLOAD_BYTES:
            yield nal
        else:
            yield from _fragments(nal, is_even)


def _fragments(nal: bytes, is_even: bool) -> Iterator[bytes]:
    """FU-A (RFC 6184 section 5.8): the NAL unit's own header byte is not repeated but spread over the two of each."""
    indicator = nal[0] & 0xE0 | FU_A
    start = 1
    sizes = fragment_sizes(len(nal) - 1, MAX_PAYLOAD_BYTES - _FU_HEADER_BYTES, is_even)
    for order, size in enumerate(sizes):
        flags = (_FU_START if order == 0 else 0) | (_FU_END if order == len(sizes) - 1 else 0)
        yield bytes((indicator, flags | nal_type(nal))) + nal[start : start + size]
        start += size


def fragment_sizes(size_bytes: int, max_bytes: int, is_even: bool) -> list[int]:
    """How `size_bytes` are cut: full ones and a rest, or as even as can be."""
    count = -(-size_bytes // max_bytes)
    if not is_even:
        return [max_bytes] * (count - 1) + [size_bytes - max_bytes * (count - 1)]
    smaller, larger = divmod(size_bytes, count)
    return [smaller] * (count - larger) + [smaller + 1] * larger
