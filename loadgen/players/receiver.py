"""One player's socket, read empty: runs are cut into packets, packets told apart by their SSRC.

This is the load generator's own hot path. A read takes a whole segmented send (UDP_GRO); of a packet that is next in
order, inside a frame that has begun, nothing is looked at but its header.
"""

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import WireError
from gateway.transport.srtp import AuthenticationError, ReplayError, SrtpSession
from gateway.wire.codecs import KEYFRAME_TESTS
from gateway.wire.rtp import RtpHeader, parse_header, strip_padding, unpack_rtx_payload
from loadgen.figures import MediaCounts
from loadgen.peer.datagrams import (
    ANCILLARY_BYTES,
    MAX_READ_BYTES,
    SO_TIMESTAMPNS,
    UDP_GRO,
    Arrival,
    unpack_segment,
    unpack_timespec,
)
from loadgen.players.impairment import Impairment
from loadgen.players.packet import Packet
from loadgen.players.track import MAX_SSRCS, AudioTrack, Track
from loadgen.players.video import OnFrame, VideoRules, VideoTrack
from loadgen.signalling.answer import Answer, AnswerMedia

MAX_READS = 64
"""Reads of one player before the next one has its turn: at 1.5 Mb/s half a second's."""

_HEADER = struct.Struct("!BBHII")
_unpack_header = _HEADER.unpack_from
_MEDIA_FROM, _MEDIA_END = 128, 192
_RTCP_FROM, _RTCP_END = 192, 224

_buffer = bytearray(MAX_READ_BYTES)
_buffers = (memoryview(_buffer),)


@dataclass(frozen=True, slots=True)
class Handlers:
    """Whom the receiver tells."""

    control: Callable[[bytes, float], None]
    """A STUN or DTLS datagram and its arrival."""
    rtcp: Callable[[bytes, float], None]
    """A decrypted compound packet and its arrival."""
    on_frame: OnFrame | None = None
    """Video frames, of a player that decrypts everything."""


class Receiver:
    """Everything that arrives at one player."""

    def __init__(
        self,
        answer: Answer,
        srtp: SrtpSession,
        handlers: Handlers,
        late_after_s: float,
        impairment: Impairment | None = None,
    ) -> None:
        self.counts = MediaCounts()
        """What came since `take_counts`. The tracks count into it, too."""
        self.packets = 0
        """RTP packets read since `take_counts`, whatever they were, and whatever impairment made of them."""
        self.video: VideoTrack | None = None
        self.audio: AudioTrack | None = None
        self.is_troubled = True
        """Whether a packet came that was not simply the next one: `repair` has to look."""
        self._handlers = handlers
        self._srtp = srtp
        self._late_after_s = late_after_s
        self._impairment = impairment
        self.tracks: dict[int, Track] = {}
        """By SSRC."""
        self._ssrcs: set[int] = set()
        self._rtcp_ssrcs: set[bytes] = set()
        """Whose reports were authentic: the opener remembers something of each."""
        self._media_of = {
            media.payload_type: media for media in answer.media if media.kind == "audio" or media.mime in KEYFRAME_TESTS
        }
        self._repairs = {
            media.rtx_payload_type: media.kind for media in answer.media if media.rtx_payload_type is not None
        }

    # The hot path

    def read(self, source: socket.socket) -> None:
        """Read `source` empty, or its turn's worth."""
        recvmsg_into = source.recvmsg_into
        on_run = self._on_run if self._impairment is None else self._impair
        for _ in range(MAX_READS):
            try:
                size, ancillary, _flags, _address = recvmsg_into(_buffers, ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError:  # ICMP says that nobody listens there any more; the consent check will find out.
                continue
            # As in `arrival_of`, which would cost a call a read.
            segment_bytes, arrival_s = size, 0.0
            for _level, kind, value in ancillary:
                if kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = unpack_timespec(value)
                    arrival_s = seconds + nanoseconds * 1e-9
                elif kind == UDP_GRO:
                    (segment_bytes,) = unpack_segment(value)
            on_run(size, segment_bytes or 1, arrival_s or time.time())

    def _on_run(self, size: int, segment_bytes: int, arrival_s: float) -> None:
        unpack, tracks = _unpack_header, self.tracks
        packets = 0
        for start in range(0, size - _HEADER.size + 1, segment_bytes):
            first, second, sequence_number, timestamp, ssrc = unpack(_buffer, start)
            track = tracks.get(ssrc)
            if track is not None and sequence_number == track.expected and first >= _MEDIA_FROM:
                track.expected = (sequence_number + 1) & 0xFFFF
                packets += 1
                if timestamp != track.timestamp or second >= 128:
                    track.on_edge(second >= 128, timestamp, arrival_s)
                continue
            self.on_datagram(bytes(_buffer[start : min(start + segment_bytes, size)]), arrival_s)
        if (size % segment_bytes or segment_bytes) < _HEADER.size:
            self.counts.malformed += 1
        self.packets += packets
        counts = self.counts
        counts.packets += packets
        counts.bytes += size

    # Everything else

    def on_arrival(self, arrival: Arrival) -> None:
        """What was read before this receiver was there."""
        for datagram in arrival.datagrams():
            self.counts.bytes += len(datagram)
            self.on_datagram(datagram, arrival.arrival_ns / 1e9)

    def on_datagram(self, datagram: bytes, arrival_s: float) -> None:
        """Any datagram. Never raises for what a server sent."""
        first = datagram[0] if datagram else 255
        try:
            if first < _MEDIA_FROM:
                self._handlers.control(datagram, arrival_s)
            elif first >= _MEDIA_END or len(datagram) < _HEADER.size:
                self.counts.malformed += 1
            elif _RTCP_FROM <= datagram[1] < _RTCP_END:
                self._on_rtcp(datagram, arrival_s)
            else:
                self._on_rtp(datagram, arrival_s)
        except AuthenticationError:
            self.counts.authentication_failures += 1
        except ReplayError:
            self.counts.duplicates += 1
        except WireError:
            self.counts.malformed += 1

    def _on_rtcp(self, datagram: bytes, arrival_s: float) -> None:
        ssrc = datagram[4:8]
        if ssrc not in self._rtcp_ssrcs and len(self._rtcp_ssrcs) >= MAX_SSRCS:
            return
        compound = self._srtp.opener.open_rtcp(datagram)
        self._rtcp_ssrcs.add(ssrc)
        self._handlers.rtcp(compound, arrival_s)

    def _on_rtp(self, datagram: bytes, arrival_s: float) -> None:
        self.packets += 1
        self.is_troubled = True
        header = parse_header(datagram)
        kind = self._repairs.get(header.payload_type)
        if kind is not None:
            self._on_retransmission(header, datagram, arrival_s, self.video if kind == "video" else self.audio)
            return
        packet = Packet(header.sequence_number, header.timestamp, header.marker, arrival_s, datagram)
        track = self.tracks.get(header.ssrc) or self._new_track(header, packet)
        if track is None:
            return
        track.on_packet(packet)
        if packet.marker and isinstance(track, VideoTrack) and track.holes:
            track.skip_to_keyframe(packet, arrival_s)

    def _on_retransmission(self, header: RtpHeader, datagram: bytes, arrival_s: float, track: Track | None) -> None:
        if not self._has_room(header.ssrc):
            return
        payload = self._open(datagram)
        self._ssrcs.add(header.ssrc)
        if track is None or not payload:
            return  # Padding: a probe for bandwidth.
        sequence_number, original = unpack_rtx_payload(payload)
        track.on_packet(
            Packet(
                sequence_number, header.timestamp, header.marker, arrival_s, datagram, original, is_retransmission=True
            )
        )

    def _new_track(self, header: RtpHeader, packet: Packet) -> Track | None:
        """An SSRC is known by its payload type: not every server says its SSRCs in the answer. Its first packet has to
        be authentic."""
        media = self._media_of.get(header.payload_type)
        if media is None or not self._has_room(header.ssrc):
            return None
        packet.payload = self._open(packet.datagram)
        self._ssrcs.add(header.ssrc)
        track: Track
        if media.kind == "video":
            track = self.video = self._video_track(media)
        else:
            track = self.audio = self._audio_track(media)
        self.tracks[header.ssrc] = track
        return track

    def _audio_track(self, media: AnswerMedia) -> AudioTrack:
        can_nack, has_rtx = "nack" in media.feedback, media.rtx_payload_type is not None
        return AudioTrack(self.counts, self._open, can_nack, self._checks_all, has_rtx)

    def _video_track(self, media: AnswerMedia) -> VideoTrack:
        rules = VideoRules(KEYFRAME_TESTS[media.mime], self._late_after_s)
        can_nack, has_rtx = "nack" in media.feedback, media.rtx_payload_type is not None
        track = VideoTrack(self.counts, self._open, can_nack, rules, self._handlers.on_frame, has_rtx)
        if self.video is not None:
            track.take_over(self.video)
        return track

    @property
    def _checks_all(self) -> bool:
        return self._handlers.on_frame is not None

    def _has_room(self, ssrc: int) -> bool:
        return ssrc in self._ssrcs or len(self._ssrcs) < MAX_SSRCS

    def _open(self, datagram: bytes) -> bytes:
        header = parse_header(datagram)
        payload = self._srtp.opener.open_rtp(datagram, header)
        self.counts.checked += 1
        return strip_padding(payload) if header.has_padding else payload

    def take_counts(self) -> tuple[MediaCounts, int]:
        """What came since the last call: the counts, and how many RTP packets were read for them."""
        packets, self.packets = self.packets, 0
        return self.counts.take(), packets

    # Impairment

    def _impair(self, size: int, segment_bytes: int, arrival_s: float) -> None:
        """Send only RTP over the bad path: the session itself is to live."""
        impairment = self._impairment
        assert impairment is not None
        self.counts.bytes += size
        for start in range(0, size, segment_bytes):
            datagram = bytes(_buffer[start : min(start + segment_bytes, size)])
            if datagram[0] < _MEDIA_FROM or len(datagram) < _HEADER.size or _RTCP_FROM <= datagram[1] < _RTCP_END:
                self.on_datagram(datagram, arrival_s)
                continue
            dropped = impairment.dropped
            impairment.pass_through(datagram, arrival_s)
            if impairment.dropped > dropped:
                self.packets += 1
                self.counts.impaired += datagram[1] & 0x7F not in self._repairs
        self.release_impaired(arrival_s)

    def release_impaired(self, now_s: float) -> None:
        """Let through what the bad path has delayed until now."""
        if self._impairment is None:
            return
        for datagram, arrival_s in self._impairment.due(now_s):
            self.on_datagram(datagram, arrival_s)
