"""What a stream, its publishers and its viewers are tested with: a socket, a source and a session that take notes, a
sealer that seals nothing, ready-made packets."""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar, cast

import structlog

from gateway.stream.contract import Outlet
from gateway.stream.layout import Layout, LayoutKey
from gateway.stream.packet import MediaPacket
from gateway.stream.stream import Stream, StreamSettings
from gateway.stream.track import Incoming, Track
from gateway.transport.address import Address
from gateway.transport.marking import UNMARKED, Ancillary, Marks
from gateway.transport.session import Session
from gateway.transport.socket import MAX_SEGMENTS, Sent
from gateway.transport.srtp import AEAD_AES_128_GCM, Run, Sealable, SrtpSession
from gateway.transport.srtp.gcm import GcmOpener
from gateway.wire import rtcp
from gateway.wire.formats import TrackFormat
from gateway.wire.h264 import H264Profile
from gateway.wire.rtp import parse_header

H264 = TrackFormat("video", "video/h264", 90_000, H264Profile.CONSTRAINED_BASELINE)
VP8 = TrackFormat("video", "video/vp8", 90_000)
OPUS = TrackFormat("audio", "audio/opus", 48_000)

SPS, PPS, IDR_SLICE, DELTA_SLICE = b"\x67sps", b"\x68pps", b"\x65idr", b"\x41delta"

VIDEO_PAYLOAD_TYPE, AUDIO_PAYLOAD_TYPE = 96, 111


class Datagram(NamedTuple):
    """One datagram that left, by what its RTP header says."""

    address: Address
    payload_type: int
    sequence_number: int
    timestamp: int
    marker: bool
    payload: bytes
    mark: Ancillary = ()


class BareSends:
    """The bare calls of a `Sender`, by way of its `send_run`."""

    max_segments = MAX_SEGMENTS
    marks: Marks = UNMARKED

    def ancillary(self, segment_bytes: int, count: int, mark: Ancillary = ()) -> Ancillary:
        return (*mark, (0, segment_bytes, bytes(count))) if count > 1 or mark else ()

    def sendto(self, datagram: bytes | bytearray, address: Address) -> int:
        if self.send_run([datagram], len(datagram), 1, address) is not Sent.OK:
            raise OSError("refused")
        return len(datagram)

    def sendmsg(self, buffers: Sequence[bytes | bytearray], ancillary: Ancillary, _flags: int, address: Address) -> int:
        """Raises where `send_run`, asked again, says why."""
        *mark, (_, segment_bytes, count) = ancillary
        if self.send_run(buffers, segment_bytes, len(count), address, mark) is not Sent.OK:
            raise OSError("refused")
        return 0

    def send_run(
        self,
        buffers: Sequence[bytes | bytearray],
        segment_bytes: int,
        count: int,
        address: Address,
        mark: Ancillary = (),
    ) -> Sent:
        raise NotImplementedError


class RecordingSender(BareSends):
    """A `Sender` that keeps what was sent. `answer` says what becomes of a send to an address."""

    def __init__(self) -> None:
        self.datagrams: list[Datagram] = []
        self.sends: list[tuple[Address, int]] = []
        self.answer: Callable[[Address], Sent] = lambda _address: Sent.OK

    def send_run(
        self,
        buffers: Sequence[bytes | bytearray],
        segment_bytes: int,
        count: int,
        address: Address,
        mark: Ancillary = (),
    ) -> Sent:
        outcome = self.answer(address)
        if outcome is not Sent.OK:
            return outcome
        run = b"".join(buffers)
        datagrams = [run[start : start + segment_bytes] for start in range(0, len(run), segment_bytes)]
        assert len(datagrams) == count
        self.sends.append((address, count))
        for datagram in datagrams:
            header = parse_header(datagram)
            payload = datagram[header.length_bytes :]
            self.datagrams.append(
                Datagram(
                    address,
                    header.payload_type,
                    header.sequence_number,
                    header.timestamp,
                    header.marker,
                    payload,
                    tuple(mark),
                )
            )
        return Sent.OK

    def to(self, outlet: Outlet, payload_type: int | None = None) -> list[Datagram]:
        """What went to `outlet`, of one payload type if it is given."""
        return [
            datagram
            for datagram in self.datagrams
            if datagram.address == outlet.address and payload_type in (None, datagram.payload_type)
        ]

    def video_to(self, outlet: Outlet) -> list[int]:
        """Sequence numbers of the video that went to `outlet`."""
        return [datagram.sequence_number for datagram in self.to(outlet, VIDEO_PAYLOAD_TYPE)]

    def audio_to(self, outlet: Outlet) -> list[int]:
        """Sequence numbers of the audio that went to `outlet`."""
        return [datagram.sequence_number for datagram in self.to(outlet, AUDIO_PAYLOAD_TYPE)]


class RecordingSource:
    """A `Source` that notes what is asked of it."""

    def __init__(self, session_id: str = "studio", last_media_s: float = 0.0) -> None:
        self.session_id = session_id
        self.last_media_s = last_media_s
        self.keyframe_requests_s: list[float] = []
        self.closed_by: str | None = None

    def request_keyframe(self, now_s: float) -> None:
        self.keyframe_requests_s.append(now_s)

    def close(self, cause: str) -> None:
        self.closed_by = cause


class PlainSealer:
    """Leaves packets as they are, plus `overhead_bytes` of zeros, and notes where each SSRC began."""

    def __init__(self, overhead_bytes: int = 0) -> None:
        self.overhead_bytes = overhead_bytes
        self.started_at: dict[int, int] = {}

    def start_at(self, ssrc: int, index: int) -> None:
        assert ssrc not in self.started_at, "the peer counts rollovers from the first packet: there is only one first"
        self.started_at[ssrc] = index

    def seal(self, packets: Sequence[Sealable]) -> list[bytes]:
        return [header + payload + bytes(self.overhead_bytes) for header, payload, _, _ in packets]

    def seal_run(self, run: Run) -> list[bytes]:
        return self.seal(run.packets)

    def seal_rtcp(self, compound: bytes) -> bytes:
        return compound


Packet = TypeVar("Packet", bound=rtcp.RtcpPacket)


class RecordingSession:
    """Stands in for a `Session` that is connected: keeps the compound packets, as a peer would read them."""

    def __init__(self, name: str = "peer", created_s: float = 0.0) -> None:
        self.session_id = name
        self.stream = "table"
        self.created_s = self.last_seen_s = created_s
        self.address: Address | None = (name, 5000)
        self.srtp: SrtpSession | None = srtp_of(PlainSealer())
        self.log = structlog.get_logger()
        self.compounds: list[list[rtcp.RtcpPacket]] = []
        self.closed_by: str | None = None

    def send_rtcp(self, packets: Iterable[rtcp.RtcpPacket]) -> None:
        self.compounds.append(rtcp.parse_compound(rtcp.serialize_compound(packets)))

    def close(self, cause: str) -> None:
        self.closed_by = cause

    def sent(self, kind: type[Packet]) -> list[Packet]:
        """All packets of a kind that were sent."""
        return [packet for compound in self.compounds for packet in compound if isinstance(packet, kind)]

    def as_session(self) -> Session:
        """For those who ask for the real thing."""
        return cast(Session, self)


def srtp_of(sealer: PlainSealer) -> SrtpSession:
    """What a handshake yields, with `sealer` for what we send."""
    return SrtpSession(AEAD_AES_128_GCM, GcmOpener.from_master(bytes(28)), sealer)


class FirstIndex(random.Random):
    """Gives tracks a first index of our choice; everything else is seeded."""

    def __init__(self, first_index: int) -> None:
        super().__init__(1)
        self.first_index = first_index

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """The first index is the one number below 2**15 that is drawn."""
        return self.first_index if stop == 1 << 15 else super().randrange(start, stop, step)


def media_packet(index: int, *, frame: int = 0, timestamp: int = 0, payload: bytes = DELTA_SLICE) -> MediaPacket:
    """A packet for tests that care for its place only."""
    return MediaPacket(index=index, timestamp=timestamp, marker=False, payload=payload, arrival_s=0.0, frame=frame)


def incoming(
    sequence_number: int,
    timestamp: int = 0,
    payload: bytes = DELTA_SLICE,
    *,
    marker: bool = True,
    arrival_s: float = 0.0,
    elements: tuple[tuple[str, bytes], ...] = (),
) -> Incoming:
    """A packet of a studio, by default a whole delta frame."""
    return Incoming(sequence_number, timestamp, marker, payload, arrival_s, elements)


def layout_of(track: Track, payload_type: int | None = None, **changes: object) -> Layout:
    """A layout of `track` without extensions or RTX, but for `changes` to its key."""
    default = VIDEO_PAYLOAD_TYPE if track.is_video else AUDIO_PAYLOAD_TYPE
    key: dict[str, object] = {
        "ssrc": track.ssrc,
        "rtx_ssrc": track.rtx_ssrc,
        "payload_type": default if payload_type is None else payload_type,
        "rtx_payload_type": None,
        "mid": track.kind[0],
        "ids": (),
        "playout_delay": None,
    }
    return Layout(LayoutKey(**{**key, **changes}))  # type: ignore[arg-type]  # tests name fields of the key


def outlet_of(
    tracks: dict[str, Track], name: str = "viewer", layouts: dict[str, Layout] | None = None, overhead_bytes: int = 0
) -> Outlet:
    """An outlet at the address (`name`, 5000). Give `layouts` to share them, as viewers of one browser do."""
    chosen = {kind: layout_of(track) for kind, track in tracks.items()} if layouts is None else layouts
    return Outlet(PlainSealer(overhead_bytes), (name, 5000), chosen)


def stream_of(
    *formats: TrackFormat, settings: StreamSettings | None = None, first_index: int = 1000, source: bool = True
) -> tuple[Stream, RecordingSender]:
    """A stream with tracks of `formats` (H264 and Opus), and the socket that it sends by."""
    sender = RecordingSender()
    stream = Stream("table", sender, settings or StreamSettings(), FirstIndex(first_index))
    if source:
        stream.attach(RecordingSource(), list(formats or (H264, OPUS)), 0.0)
    return stream, sender
