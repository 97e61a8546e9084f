"""A clip from a file: H.264 and Opus in MP4 or Matroska, taken out of the container and not encoded again."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.stream import Stream

from loadgen.errors import ScenarioError
from loadgen.studios.clip import (
    AUDIO_CLOCK_RATE_HZ,
    MAX_CLIP_BYTES,
    RECIPE,
    VIDEO_CLOCK_RATE_HZ,
    AccessUnit,
    AudioPacket,
    Clip,
    audio_within,
    checked,
    loop_duration,
)
from loadgen.studios.nal_units import (
    ACCESS_UNIT_DELIMITER,
    END_OF_SEQUENCE,
    END_OF_STREAM,
    IDR,
    nal_type,
    split_byte_stream,
)
from loadgen.studios.packetizer import MAX_PAYLOAD_BYTES

_LEFT_OUT = frozenset((ACCESS_UNIT_DELIMITER, END_OF_SEQUENCE, END_OF_STREAM))
"""RTP's timestamp and marker delimit frames, and a loop has no end."""


def read(path: Path) -> Clip:
    """The clip, from the file's first keyframe on.

    Raises ScenarioError, with a sentence, for a file that cannot be read, is larger than MAX_CLIP_BYTES, has no H.264
    video, has B-frames, or has audio that is not Opus.
    """
    try:
        if path.stat().st_size > MAX_CLIP_BYTES:
            raise ScenarioError(f"{path}: larger than {MAX_CLIP_BYTES >> 20} MB, and a clip is held in memory: cut it.")
        with av.open(str(path)) as container:
            return _clip(container, path)
    except (OSError, ValueError, av.FFmpegError) as error:
        raise ScenarioError(f"{path}: cannot be read as a video file ({error}).") from error


def _clip(container: InputContainer, path: Path) -> Clip:
    video = _stream(container, "video", "h264", path)
    audio = _stream(container, "audio", "opus", path)
    if video is None:
        raise ScenarioError(f"{path}: has no video.")
    units, sounds = _demuxed(container, video, audio)
    first = next((order for order, unit in enumerate(units) if unit.is_keyframe), None)
    if first is None:
        raise ScenarioError(f"{path}: has no keyframe (no IDR picture). {RECIPE}")
    del units[:first]
    if len(units) < 2:
        raise ScenarioError(f"{path}: has fewer than two frames from its first keyframe on.")
    if any(len(sound.payload) > MAX_PAYLOAD_BYTES for sound in sounds):
        raise ScenarioError(f"{path}: has audio packets of more than {MAX_PAYLOAD_BYTES} bytes: lower its bitrate.")
    return checked(_from_zero(units, sounds, str(path)))


def _stream(container: InputContainer, kind: str, codec: str, path: Path) -> Stream | None:
    """The first stream of that kind, None without one; ScenarioError when it is of another codec."""
    stream = next((each for each in container.streams if each.type == kind), None)
    if stream is not None and stream.codec_context.name not in (codec, f"lib{codec}"):
        raise ScenarioError(f"{path}: its {kind} is {stream.codec_context.name}, not {codec}. {RECIPE}")
    return stream


def _demuxed(
    container: InputContainer, video: Stream, audio: Stream | None
) -> tuple[list[AccessUnit], list[AudioPacket]]:
    """Frames and audio packets in the order of the file, with the file's own times."""
    # Start codes instead of lengths, and the parameter sets of the file's head before each keyframe.
    to_byte_stream = BitStreamFilterContext("h264_mp4toannexb", video)
    units: list[AccessUnit] = []
    sounds: list[AudioPacket] = []
    for packet in container.demux([each for each in (video, audio) if each is not None]):
        if packet.stream is video:
            units.extend(_access_units(to_byte_stream.filter(packet if packet.size else None)))
        elif packet.size:
            sounds.append(AudioPacket(bytes(packet), _ticks(packet, AUDIO_CLOCK_RATE_HZ)))
    return units, sounds


def _access_units(packets: list[av.Packet[Stream]]) -> Iterator[AccessUnit]:
    for packet in packets:
        nals = tuple(nal for nal in split_byte_stream(bytes(packet)) if nal_type(nal) not in _LEFT_OUT)
        is_keyframe = any(nal_type(nal) == IDR for nal in nals)
        if nals:
            yield AccessUnit(nals, _ticks(packet, VIDEO_CLOCK_RATE_HZ), is_keyframe)


def _ticks(packet: av.Packet[Stream], clock_rate_hz: int) -> int:
    if packet.pts is None:
        raise ValueError("a packet has no time: `ffmpeg -i IN -c copy OUT.mp4` may give it one")
    return round(packet.pts * Fraction(packet.time_base) * clock_rate_hz)


def _from_zero(units: list[AccessUnit], sounds: list[AudioPacket], summary: str) -> Clip:
    """Times from the first frame on. The last frame is shown as long as frames are on average."""
    start = units[0].pts_rtp_ticks
    span = units[-1].pts_rtp_ticks - start
    duration = loop_duration(span + max(round(span / (len(units) - 1)), 1))
    sound_start = start * AUDIO_CLOCK_RATE_HZ // VIDEO_CLOCK_RATE_HZ
    return Clip(
        video=tuple(AccessUnit(unit.nals, unit.pts_rtp_ticks - start, unit.is_keyframe) for unit in units),
        audio=audio_within(
            [AudioPacket(sound.payload, sound.pts_rtp_ticks - sound_start) for sound in sounds], duration
        ),
        duration_rtp_ticks=duration,
        summary=summary,
    )
