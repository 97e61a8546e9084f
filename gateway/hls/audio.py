"""One audio track's Opus becomes AAC-LC on the presentation's timeline: no gap, no overlap, close to where it belongs.

Positions are samples at 48 kHz. Decoded sound goes on a line (`pcm.py`) from which the encoder takes 1024 at a time:

    a few ms off       one sample more or less in 1024 until it fits (`skew.py`)
    JUMP or more off   at once: silence into the hole, or what is there already is left out
    MAX_HOLE_S off     not our affair: the timeline broke, `unplaced` holds what belongs to the next epoch

Everything here computes for some 200 us per 20 ms of sound, most of it without the GIL: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from av import AudioFrame, CodecContext
from av.audio.codeccontext import AudioCodecContext

from gateway.errors import MisuseError
from gateway.hls.opus import ENCODER_DELAY_SAMPLES, OpusDecoder, duration_samples
from gateway.hls.pcm import SAMPLE_RATE, PcmLine, Stereo
from gateway.hls.skew import Skew

FRAME_SAMPLES: Final = 1024
"""An AAC-LC frame (ISO/IEC 14496-3)."""

MAX_HOLE_S: Final = 2
"""A longer hole is a break: a discontinuity is better than seconds of made-up silence, and memory stays bounded."""

_MAX_HOLE_SAMPLES: Final = MAX_HOLE_S * SAMPLE_RATE

_JUMP_SAMPLES: Final = SAMPLE_RATE * 12 // 1000
"""One lost packet of 20 ms stands out from +-5 ms of jitter and the 2 ms that are left alone."""

_JITTER_SAMPLES: Final = SAMPLE_RATE * 6 // 1000
"""Once a packet was left out, what more the next one is early by is the rest of a step back, or else jitter."""


@dataclass(frozen=True, slots=True)
class OpusPacket:
    """An Opus RTP payload, and the position where the publisher's clock says that its first sample belongs."""

    payload: bytes
    position: int


@dataclass(frozen=True, slots=True)
class AacFrame:
    """1024 samples as raw AAC (no ADTS header); `position` is that of the first sample a decoder puts out for it."""

    payload: bytes
    position: int


class AudioTranscoder:
    """Transcodes one track for one epoch of the timeline; a new epoch gets a new one."""

    def __init__(self, bit_rate_bps: int = 96_000) -> None:
        self.packets = 0
        self.undecodable = 0
        """Malformed packets, replaced by silence of their length."""
        self.dropped = 0
        """Packets whose place was taken already: duplicates, or left out by a step back."""
        self.concealed_samples = 0
        """Silence put in for what was lost, undecodable or never sent."""
        self.skewed_samples = 0
        """Samples added or removed one by one."""
        self.steps = 0
        """Jumps of the positions, followed at once: holes, and clocks that were set."""
        self.unplaced: list[OpusPacket] = []
        """Not empty: the timeline broke. This transcoder is done; its successor begins with these packets."""
        self._decoder = OpusDecoder()
        self._encoder = _AacEncoder(bit_rate_bps)
        self._skew = Skew()
        self._line: PcmLine | None = None
        self._origin = 0
        self._dropped_in_a_row = 0

    @property
    def specific_config(self) -> bytes:
        """The AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1), as it goes into the init section."""
        return self._encoder.specific_config

    def transcode(self, packets: Sequence[OpusPacket], due: int | None = None) -> list[AacFrame]:
        """Return the frames that these packets complete; look at `unplaced` afterwards.

        What lies before `due` is filled with silence when no packet brought it: a track that was muted or sends nothing
        while nobody speaks (DTX) then does not hold up the presentation. A packet that comes too late for its place is
        left out: let `due` lag behind the newest position by what packets may be late.
        """
        if self.unplaced:
            raise MisuseError("the timeline broke: a new epoch takes a new AudioTranscoder")
        for index, packet in enumerate(packets):
            following = packets[index + 1] if index + 1 < len(packets) else None
            if not self._place(packet, following):
                self.unplaced = list(packets[index:])
                break
        if self._line is None:
            return []
        if due is not None and not self.unplaced:
            self._conceal(self._line, min(due - self._line.end, _MAX_HOLE_SAMPLES))
        return self._encoded(self._line)

    def _place(self, packet: OpusPacket, following: OpusPacket | None) -> bool:
        """Put one packet on the line; False when it lies too far away."""
        if self._line is None:
            self._line = PcmLine(packet.position)
            self._origin = packet.position
        line = self._line
        samples = duration_samples(packet.payload)
        offset = _offset(packet, line.end)
        if line.end == self._origin:
            self._append(line, packet, left_out=min(max(0, -offset), samples))
        elif self._dropped_in_a_row and -_MAX_HOLE_SAMPLES <= offset < -_JITTER_SAMPLES:
            self._jump(line, packet, offset, samples)
        elif abs(offset) <= _JUMP_SAMPLES or _agrees(following, line.end + samples):
            self._append(line, packet, slew_by=self._skew.observe(offset, samples))
        elif abs(offset) <= _MAX_HOLE_SAMPLES:
            self._jump(line, packet, offset, samples)
        else:
            return False
        self.packets += 1
        return True

    def _jump(self, line: PcmLine, packet: OpusPacket, offset: int, samples: int) -> None:
        """Fill the hole before a packet (offset above 0), or leave out as much of it as is too early (below 0)."""
        left_out = min(max(0, -offset), samples)
        line.tear()
        if left_out == samples or (left_out > samples // 2 and not self._dropped_in_a_row):
            self._drop()
        else:
            if self._dropped_in_a_row < 2:
                self._step()
            self._conceal(line, offset)
            self._append(line, packet, left_out=left_out)

    def _drop(self) -> None:
        """Leave a packet out. One is a duplicate; when the next one is early as well, the clock was set back."""
        self.dropped += 1
        self._dropped_in_a_row += 1
        if self._dropped_in_a_row == 2:
            self._step()

    def _step(self) -> None:
        self.steps += 1
        self._skew.forget()

    def _append(self, line: PcmLine, packet: OpusPacket, left_out: int = 0, slew_by: int = 0) -> None:
        self._dropped_in_a_row = 0
        self.skewed_samples += abs(slew_by)
        sound = self._decoder.decode(packet.payload)
        if sound is None:
            self.undecodable += 1
            self._conceal(line, duration_samples(packet.payload) - left_out + slew_by)
        else:
            line.append(sound.from_sample(left_out).slewed(slew_by))

    def _conceal(self, line: PcmLine, samples: int) -> None:
        if samples > 0:
            self.concealed_samples += samples
            line.conceal(samples)

    def _encoded(self, line: PcmLine) -> list[AacFrame]:
        frames: list[AacFrame] = []
        position = line.start
        while (sound := line.take(FRAME_SAMPLES)) is not None:
            frames += self._encoder.encode(sound, position)
            position = line.start
        # The encoder's first frame is the run-up to the first sample: decoders put nothing of the track out for it.
        return [frame for frame in frames if frame.position >= self._origin]


class _AacEncoder:
    """libavcodec's AAC encoder: a frame comes out two frames after it went in, with the position that belongs to it."""

    def __init__(self, bit_rate_bps: int) -> None:
        context = CodecContext.create("aac", "w")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate = SAMPLE_RATE
        context.layout = "stereo"
        context.format = "fltp"
        context.bit_rate = bit_rate_bps
        # Less than half the time of the default search ("twoloop"), and measured no worse at 96 kbit/s.
        context.options = {"aac_coder": "fast"}
        context.open()
        self._context = context
        self.specific_config = bytes(context.extradata or b"")

    def encode(self, sound: Stereo, position: int) -> list[AacFrame]:
        """Return what is complete, once `sound` (1024 samples) went in."""
        frame = AudioFrame(format="fltp", layout="stereo", samples=FRAME_SAMPLES)
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        frame.pts = position
        for plane, samples in zip(frame.planes, sound, strict=True):
            plane.update(samples)
        return [AacFrame(bytes(packet), packet.pts or 0) for packet in self._context.encode(frame)]


def _offset(packet: OpusPacket, end: int) -> int:
    return packet.position - ENCODER_DELAY_SAMPLES - end


def _agrees(following: OpusPacket | None, end: int) -> bool:
    """Whether the next packet fits where the line is, so that one alone is out of place."""
    return following is not None and abs(_offset(following, end)) <= _JUMP_SAMPLES
