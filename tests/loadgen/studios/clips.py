"""Clips for the tests: made once each, small where size does not matter."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from av import AudioFrame, VideoFrame
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from loadgen.studios.clip import AccessUnit, AudioPacket, Clip
from loadgen.studios.generated_clip import VideoSettings, generate
from loadgen.studios.packetizer import Pacing, PacketizedClip, packetize

SPS, PPS = bytes.fromhex("6742c01ed9"), bytes.fromhex("68cb83cb20")
FRAME_TICKS = 3000
"""30 frames a second at 90 kHz."""


@functools.cache
def generated(keyframe_interval_s: float = 1.0, bitrate_bps: float = 300_000, has_audio: bool = True) -> Clip:
    """A real encode of 320x240 at 30 frames a second."""
    return generate(VideoSettings(320, 240, 30.0, bitrate_bps, keyframe_interval_s), has_audio)


def synthetic(frames: int = 8, keyframe_every: int = 4, slice_bytes: int = 3000, has_audio: bool = True) -> Clip:
    """Nothing that can be decoded, but all that the rules of sending look at; every slice is another one."""
    units = []
    for number in range(frames):
        is_keyframe = number % keyframe_every == 0
        body = bytes((number + 1,)) * (slice_bytes - 1)
        nals = (SPS, PPS, b"\x65" + body) if is_keyframe else (b"\x41" + body,)
        units.append(AccessUnit(nals, number * FRAME_TICKS, is_keyframe))
    sounds = [AudioPacket(bytes((0x78, number)), number * 960) for number in range(frames * 1600 // 960)]
    return Clip(tuple(units), tuple(sounds) if has_audio else (), frames * FRAME_TICKS, "synthetic")


def packetized(clip: Clip | None = None, pacing: Pacing = "burst") -> PacketizedClip:
    """`synthetic()`, if none is given."""
    return packetize(clip or synthetic(), pacing)


def decoded(units: Sequence[AccessUnit]) -> list[bytes]:
    """What FFmpeg shows of them: the pixels of each frame. Raises where it finds errors."""
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.options = {"err_detect": "explode"}
    stream = b"".join(b"\0\0\0\1" + nal for unit in units for nal in unit.nals)
    frames = [f for p in [*decoder.parse(stream), *decoder.parse(None), None] for f in decoder.decode(p)]
    return [frame.to_ndarray().tobytes() for frame in frames]


def write_file(
    path: Path,
    video: str | None = "libx264",
    audio: str | None = "libopus",
    frames: int = 60,
    x264: str = "bframes=0:keyint=20:min-keyint=20:scenecut=0",
    bitstream_filter: str | None = None,
) -> Path:
    """A file of grey pictures that change and, if so wanted, silence; the container is what the suffix says."""
    with av.open(str(path), "w") as container:
        pictures = _video_stream(container, video, x264) if video else None
        sounds = _audio_stream(container, audio) if audio else None
        alter = BitStreamFilterContext(bitstream_filter, pictures) if bitstream_filter else None
        if pictures is not None:
            encoded = [packet for number in range(frames) for packet in pictures.encode(_picture(number))]
            for packet in encoded + pictures.encode(None):
                container.mux(alter.filter(packet) if alter else [packet])
        if sounds is not None:
            for silence in _silence(sounds, frames / 30):
                container.mux(sounds.encode(silence))
            container.mux(sounds.encode(None))
    return path


def _video_stream(container: OutputContainer, codec: str, x264: str) -> VideoStream:
    options = {"profile": "main" if "bframes=2" in x264 else "baseline", "x264-params": x264}
    stream = container.add_stream(codec, rate=30, options=options if codec == "libx264" else {})
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
    return stream


def _audio_stream(container: OutputContainer, codec: str) -> AudioStream:
    stream = container.add_stream(codec, rate=48_000)
    assert isinstance(stream, AudioStream)
    return stream


def _silence(stream: AudioStream, seconds: float) -> Iterator[AudioFrame]:
    size = stream.codec_context.frame_size or 960
    for number in range(int(seconds * 48_000 / size)):
        silence = AudioFrame(stream.codec_context.format.name, "stereo", size)
        silence.sample_rate, silence.pts = 48_000, number * size
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        yield silence


def _picture(number: int) -> VideoFrame:
    picture = VideoFrame(160, 120, "yuv420p")
    for plane in picture.planes:
        samples = bytes(16 + (number * 7 + place) % 200 for place in range(plane.line_size))
        plane.update(samples * plane.height)
    picture.pts = number
    return picture
