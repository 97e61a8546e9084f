"""One session's media: the clip as packets, at its times, and what the server asks for. Pure: no socket, no clock."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gateway.clock import ntp_from_unix
from gateway.errors import WireError
from gateway.transport.srtp import SrtpSession
from gateway.wire import rtcp
from loadgen.figures import StudioCounts
from loadgen.studios.clip import AUDIO_CLOCK_RATE_HZ, VIDEO_CLOCK_RATE_HZ
from loadgen.studios.feedback import FeedbackReader
from loadgen.studios.outgoing_track import OutgoingTrack
from loadgen.studios.pacer import Pacer
from loadgen.studios.packetizer import PacketizedClip
from loadgen.studios.playhead import Playhead
from loadgen.studios.stamps import sei_nal

REPORT_INTERVAL_S = 1.0
MIN_SKIP_INTERVAL_S = 1.0
"""Between two keyframes that were asked for: encoders limit it, too."""

MAX_CATCH_UP_S = 1.0
"""Later than this, nothing is made up for: we were stopped, as an encoder is that hangs."""

MAX_RTCP_SSRCS = 16
"""Whose reports a session takes in: a server is one or two. The opener remembers something of each."""

_CNAME = "studio"


class Instant(NamedTuple):
    """One moment by two clocks."""

    monotonic_s: float
    """What is due is judged by this one: a step of the system's clock moves no frame."""
    unix_ns: int
    """What is told to others."""

    @property
    def ntp(self) -> int:
        """UQ32.32."""
        return ntp_from_unix(self.unix_ns / 1e9)


class Transmission:
    """Sends from the moment that it is made. `next_due_s` says when `run_due` has something to do."""

    def __init__(
        self,
        clip: PacketizedClip,
        tracks: Mapping[str, OutgoingTrack],
        srtp: SrtpSession,
        send: Callable[[Sequence[bytes]], None],
        counts: StudioCounts,
        began: Instant,
    ) -> None:
        """`tracks` are by kind: video, and audio where the server takes it and the clip has it. `send` takes datagrams
        that leave together."""
        self.counts = counts
        self.malformed = 0
        """Datagrams of the server that were no RTCP, or not authentic."""
        self.lateness_s = 0.0
        """The largest since somebody set it to 0: how late the event loop was."""
        self._clip = clip
        self._tracks = tracks
        self._srtp = srtp
        self._send = send
        self._began_s = began.monotonic_s
        self._video = Playhead(clip.frames, clip.duration_rtp_ticks)
        loop_of_audio = clip.duration_rtp_ticks * AUDIO_CLOCK_RATE_HZ // VIDEO_CLOCK_RATE_HZ
        self._audio = Playhead(clip.audio, loop_of_audio) if "audio" in tracks else None
        self._pacer = Pacer(clip.video_bps if clip.pacing == "paced" else None)
        self._feedback = FeedbackReader({tracks["video"].ssrc})
        self._frame_numbers = itertools.count()
        self._wants_keyframe = False
        self._rtcp_ssrcs: set[bytes] = set()
        self._last_skip_s = -math.inf
        self._resume_s: float | None = None
        self._report_due_s = began.monotonic_s

    # What is due

    @property
    def next_due_s(self) -> float:
        """On the monotonic clock."""
        if self._resume_s is not None:
            return min(self._resume_s, self._pacer.due_s)
        return min(self._video_due_s, self._audio_due_s, self._pacer.due_s, self._report_due_s)

    @property
    def _video_due_s(self) -> float:
        return self._began_s + self._video.due_rtp_ticks / VIDEO_CLOCK_RATE_HZ

    @property
    def _audio_due_s(self) -> float:
        return math.inf if self._audio is None else self._began_s + self._audio.due_rtp_ticks / AUDIO_CLOCK_RATE_HZ

    def run_due(self, now: Instant) -> None:
        """Send all that is due."""
        late_s = now.monotonic_s - self.next_due_s
        self.lateness_s = max(self.lateness_s, late_s)
        if self._resume_s is None and late_s > MAX_CATCH_UP_S:
            self._resume_s = now.monotonic_s
        if self._resume_s is not None and self._resume_s <= now.monotonic_s:
            self._go_on(now)
        if self._resume_s is None:
            self._run_media(now)
        while self._pacer.due_s <= now.monotonic_s:
            self._send_burst(now)

    def _run_media(self, now: Instant) -> None:
        while self._video_due_s <= now.monotonic_s:
            self._take_frame(now)
        while self._audio is not None and self._audio_due_s <= now.monotonic_s:
            packet = self._clip.audio[self._audio.number]
            self._send_media([self._tracks["audio"].seal(packet.payload, self._audio.due_rtp_ticks, marker=False)])
            self._audio.advance()
        if self._report_due_s <= now.monotonic_s:
            self._report_due_s += REPORT_INTERVAL_S
            self._report(now)

    # Frames

    def _take_frame(self, now: Instant) -> None:
        if self._wants_keyframe and now.monotonic_s - self._last_skip_s >= MIN_SKIP_INTERVAL_S:
            self._last_skip_s = now.monotonic_s
            self._skip_to_keyframe()
        frame = self._clip.frames[self._video.number]
        if frame.is_keyframe:
            self._wants_keyframe = False
        self.counts.frames += 1
        self.counts.keyframes += frame.is_keyframe
        self._pacer.put(frame, self._video.due_rtp_ticks, now.monotonic_s)
        self._video.advance()

    def _skip_to_keyframe(self) -> None:
        skipped = self._video.jump_to(self._clip.keyframe_from(self._video.number))
        if self._audio is not None:
            self._audio.skip(skipped * AUDIO_CLOCK_RATE_HZ // VIDEO_CLOCK_RATE_HZ)

    def _send_burst(self, now: Instant) -> None:
        track = self._tracks["video"]
        packets = self._pacer.burst(lambda: sei_nal(now.unix_ns, next(self._frame_numbers)))
        self._send_media(
            [
                track.seal(packet.payload, packet.rtp_ticks, packet.is_last, now.ntp if packet.is_first else None)
                for packet in packets
            ]
        )

    def _send_media(self, sealed: Sequence[bytes]) -> None:
        self._send(sealed)
        self.counts.packets += len(sealed)
        self.counts.bytes += sum(map(len, sealed))

    # Pauses

    def pause(self, until_s: float) -> None:
        """Send nothing until then, on the monotonic clock, but the rest of a frame that has begun to leave. Then go on
        at the time that it is by then, with a keyframe."""
        self._resume_s = until_s

    def _go_on(self, now: Instant) -> None:
        self._resume_s = None
        self._skip_to_keyframe()
        gone_s = now.monotonic_s - self._video_due_s
        self._video.due_rtp_ticks += round(gone_s * VIDEO_CLOCK_RATE_HZ)
        if self._audio is not None:
            self._audio.due_rtp_ticks += round(gone_s * AUDIO_CLOCK_RATE_HZ)
        self._report_due_s = now.monotonic_s

    # RTCP

    def _report(self, now: Instant) -> None:
        elapsed_s = now.monotonic_s - self._began_s
        tracks = [(self._tracks["video"], VIDEO_CLOCK_RATE_HZ)]
        if "audio" in self._tracks:
            tracks.append((self._tracks["audio"], AUDIO_CLOCK_RATE_HZ))
        compound: list[rtcp.RtcpPacket] = [
            track.sender_report(int(elapsed_s * clock_rate_hz), now.ntp) for track, clock_rate_hz in tracks
        ]
        compound.append(rtcp.SourceDescription(tuple((track.ssrc, _CNAME) for track, _ in tracks)))
        compound += self._feedback.answer(tracks[0][0].ssrc, now.monotonic_s)
        self._send([self._srtp.sealer.seal_rtcp(rtcp.serialize_compound(compound))])

    def on_rtcp(self, datagram: bytes, now: Instant) -> None:
        """A protected RTCP datagram of the server."""
        sender = datagram[4:8]
        if sender not in self._rtcp_ssrcs and len(self._rtcp_ssrcs) >= MAX_RTCP_SSRCS:
            return
        try:
            compound = self._srtp.opener.open_rtcp(datagram)
            self._rtcp_ssrcs.add(sender)
            feedback = self._feedback.read(compound, now.monotonic_s)
        except WireError:
            self.malformed += 1
            return
        self.counts.nacks_received += len(feedback.missing)
        self.counts.plis_received += feedback.keyframe_requests
        self._wants_keyframe = self._wants_keyframe or feedback.keyframe_requests > 0
        for ssrc, sequence_number in feedback.missing:
            self._send_again(ssrc, sequence_number)

    def _send_again(self, ssrc: int, sequence_number: int) -> None:
        track = next((track for track in self._tracks.values() if track.ssrc == ssrc), None)
        sealed = track.seal_again(sequence_number) if track is not None else None
        if sealed is not None:
            self._send([sealed])
            self.counts.retransmissions += 1
