"""A server's side of one player's media: streams that are really protected, and a socket that they come out of."""

import socket
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.transport.srtp import AEAD_AES_128_GCM, SrtpSession, srtp_session
from gateway.wire import rtcp
from gateway.wire.rtp import pack_header, pack_rtx_payload
from loadgen.figures import MediaCounts
from loadgen.players.impairment import Impairment
from loadgen.players.packet import Packet
from loadgen.players.receiver import Handlers, Receiver
from loadgen.signalling.answer import Answer, AnswerMedia

T0_S = 1_800_000_000.0
"""An instant, unix seconds."""
FRAME_S = 1 / 30
FRAME_TICKS = 3000
LATE_AFTER_S = 0.15
PAYLOAD_BYTES = 44

VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE = 96, 97, 111
VIDEO_SSRC, RTX_SSRC, AUDIO_SSRC = 0x1111, 0x2222, 0x3333

_KEYFRAME_START = b"\x67\x42\xc0\x1f"
"""An SPS."""
_SLICE = b"\x41\x9a"
_MIDDLE = b"\x41\x01"
"""Another slice of the same frame."""

MAX_SEGMENTS = 40
"""In one run: less than 64 KiB of packets of 1.5 kB."""

_SO_TIMESTAMPNS, _UDP_GRO = 35, 104


def srtp_pair() -> tuple[SrtpSession, SrtpSession]:
    """The server's session and the player's."""
    servers, players = b"s" * 28, b"p" * 28
    return srtp_session(AEAD_AES_128_GCM, servers, players), srtp_session(AEAD_AES_128_GCM, players, servers)


def media(kind: str, mime: str, payload_type: int, rtx: int | None, *feedback: str) -> AnswerMedia:
    """One section of an answer."""
    return AnswerMedia(kind, kind, mime, payload_type, rtx, 90_000, None, None, {}, frozenset(feedback))


def answer(has_rtx: bool = True, has_nack: bool = True, mime: str = "video/h264") -> Answer:
    """Video and audio."""
    feedback = ("nack", "nack pli") if has_nack else ()
    sections = (
        media("video", mime, VIDEO_TYPE, RTX_TYPE if has_rtx else None, *feedback),
        media("audio", "audio/opus", AUDIO_TYPE, None),
    )
    return Answer("ufrag", "p" * 22, True, (("sha-256", "AA"),), "passive", (), sections)


@dataclass(slots=True)
class Origin:
    """Packets of one SSRC, in order and never the same twice. `index` is the next extended sequence number."""

    srtp: SrtpSession
    ssrc: int = VIDEO_SSRC
    payload_type: int = VIDEO_TYPE
    index: int = 1000
    timestamp: int = 90_000
    originals: dict[int, tuple[bool, int, bytes]] = field(default_factory=dict)
    """By index: marker, timestamp, payload."""

    def __post_init__(self) -> None:
        self.srtp.sealer.start_at(self.ssrc, self.index)

    def packet(self, payload: bytes, marker: bool = False) -> bytes:
        """The next one."""
        index = self.index
        self.index += 1
        self.originals[index] = marker, self.timestamp & 0xFFFFFFFF, payload
        return self.repeat(index)

    def repeat(self, index: int) -> bytes:
        """The same packet again."""
        marker, timestamp, payload = self.originals[index]
        header = pack_header(self.payload_type, marker, index & 0xFFFF, timestamp, self.ssrc)
        return self.seal(header, payload, index)

    def seal(self, header: bytes, payload: bytes, index: int) -> bytes:
        """Protect anything."""
        return b"".join(self.srtp.sealer.seal([(header, payload, self.ssrc, self.ssrc << 48 | index)]))

    def frame(
        self, size: int = 3, is_keyframe: bool = False, has_marker: bool = True, ticks: int = FRAME_TICKS
    ) -> list[bytes]:
        """The next frame, in `size` packets."""
        self.timestamp += ticks
        start = _KEYFRAME_START if is_keyframe else _SLICE
        return [
            self.packet((_MIDDLE if number else start).ljust(PAYLOAD_BYTES, b"\0"), has_marker and number == size - 1)
            for number in range(size)
        ]

    def padding(self) -> bytes:
        """The next packet: nothing but padding, at the timestamp of the frame before."""
        index = self.index
        self.index += 1
        header = pack_header(
            self.payload_type, False, index & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc, has_padding=True
        )
        return self.seal(header, bytes(99) + b"\x64", index)


@dataclass(slots=True)
class Retransmitter:
    """The RTX stream beside an `Origin` (RFC 4588)."""

    origin: Origin
    stream: Origin

    def rtx(self, index: int) -> bytes:
        """The packet of that extended sequence number once more."""
        marker, timestamp, payload = self.origin.originals[index]
        self.stream.timestamp = timestamp
        return self.stream.packet(pack_rtx_payload(index & 0xFFFF, payload), marker)


def retransmitter(origin: Origin) -> Retransmitter:
    """Of `origin`."""
    return Retransmitter(origin, Origin(origin.srtp, RTX_SSRC, RTX_TYPE, index=1))


@dataclass(frozen=True, slots=True)
class Rates:
    """See `ImpairmentRates`."""

    loss: float = 0.0
    burst: float = 1.0
    jitter_s: float = 0.0
    reorder: float = 0.0


class Wire:
    """A socket with runs in it, as far as `Receiver.read` needs one."""

    def __init__(self) -> None:
        self._runs: list[tuple[bytes, int, float]] = []

    def put(self, datagrams: Sequence[bytes], arrival_s: float) -> None:
        """One run: all but the last are of the same size."""
        self._runs.append((b"".join(datagrams), len(datagrams[0]), arrival_s))

    def recvmsg_into(
        self, buffers: tuple[memoryview], _ancillary_bytes: int
    ) -> tuple[int, list[tuple[int, int, bytes]], int, tuple[str, int]]:
        """See `socket.socket`."""
        if not self._runs:
            raise BlockingIOError
        run, segment_bytes, arrival_s = self._runs.pop(0)
        buffers[0][: len(run)] = run
        seconds, nanoseconds = divmod(round(arrival_s * 1e9), 1_000_000_000)
        stamp = (socket.SOL_SOCKET, _SO_TIMESTAMPNS, struct.pack("@qq", seconds, nanoseconds))
        segment = (socket.IPPROTO_UDP, _UDP_GRO, struct.pack("@i", segment_bytes))
        return len(run), [stamp, segment], 0, ("127.0.0.1", 9)


def runs_of(datagrams: Iterable[bytes]) -> list[list[bytes]]:
    """As GRO joins them: the last of a run may be shorter."""
    runs: list[list[bytes]] = []
    for datagram in datagrams:
        if runs and len(runs[-1][-1]) == len(runs[-1][0]) >= len(datagram) and len(runs[-1]) < MAX_SEGMENTS:
            runs[-1].append(datagram)
        else:
            runs.append([datagram])
    return runs


class Viewer:
    """A receiver, what it tells, and the server's side of it."""

    def __init__(
        self,
        is_sampled: bool = False,
        has_rtx: bool = True,
        has_nack: bool = True,
        impairment: Impairment | None = None,
        servers_and_players: tuple[SrtpSession, SrtpSession] | None = None,
    ) -> None:
        self.server, self.player = servers_and_players or srtp_pair()
        self.control: list[bytes] = []
        self.compounds: list[bytes] = []
        self.frames: list[tuple[list[Packet], float]] = []
        handlers = Handlers(
            control=lambda datagram, _arrival_s: self.control.append(datagram),
            rtcp=lambda compound, _arrival_s: self.compounds.append(compound),
            on_frame=self._on_frame if is_sampled else None,
        )
        self.receiver = Receiver(answer(has_rtx, has_nack), self.player, handlers, LATE_AFTER_S, impairment)

    def _on_frame(self, packets: list[Packet], now_s: float) -> None:
        self.frames.append((list(packets), now_s))

    @property
    def counts(self) -> MediaCounts:
        """What came."""
        return self.receiver.counts

    def feed(self, datagrams: Iterable[bytes], now_s: float = T0_S) -> None:
        """They arrive, in runs as GRO makes them."""
        wire = Wire()
        for run in runs_of(datagrams):
            wire.put(run, now_s)
            self.receiver.read(wire)  # type: ignore[arg-type]

    def report(self, *packets: rtcp.RtcpPacket) -> bytes:
        """A compound of the server's, sealed."""
        return self.server.sealer.seal_rtcp(rtcp.serialize_compound(packets))
