"""Encodes the table as a studio's hardware would: H264 constrained baseline without B-frames, and Opus."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np
from av import AudioFrame, VideoFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from gateway.demo.planar import Picture
from gateway.demo.tone import SAMPLE_RATE

FRAME_RATE: Final = 30
VIDEO_HZ: Final = 90_000
"""Of timestamps, as in RTP."""
KEYFRAME_EVERY: Final = FRAME_RATE
"""Frames: WHIP encoders ignore PLI, so a viewer waits at most a second for a picture."""

VIDEO_BPS: Final = 1_500_000
AUDIO_BPS: Final = 64_000

_X264: Final = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "profile": "baseline",  # x264 sets constraint_set1 with it: constrained baseline, what every browser decodes
    # Parameter sets before each keyframe: the gateway starts viewers there. One slice: one NAL unit a frame.
    "x264-params": "repeat-headers=1:scenecut=0:threads=1:sliced-threads=0",
    "maxrate": str(VIDEO_BPS),
    "bufsize": str(VIDEO_BPS // 2),
}
_BT709: Final = 1
_LIMITED_RANGE: Final = 1


class Encoder:
    """Adds one video and one audio stream to `container` and muxes into it what it is given, at once."""

    def __init__(self, container: OutputContainer, width: int, height: int) -> None:
        self._container = container
        self._video = _video_stream(container, width, height)
        self._audio = _audio_stream(container)

    def video(self, picture: Picture, number: int, first_s: float = 0.0) -> None:
        """Encode the frame due `number` thirtieths of a second after the first one, which was due `first_s` after the
        start."""
        frame = VideoFrame.from_ndarray(picture.planes, format="yuv420p")
        frame.pts = round(first_s * VIDEO_HZ) + number * VIDEO_HZ // FRAME_RATE
        frame.time_base = Fraction(1, VIDEO_HZ)
        self._container.mux(self._video.encode(frame))

    def audio(self, block: NDArray[np.int16], position: int) -> None:
        """Encode a block that begins `position` samples after the start."""
        frame = AudioFrame.from_ndarray(block, format="s16", layout="stereo")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = position
        frame.time_base = Fraction(1, SAMPLE_RATE)
        self._container.mux(self._audio.encode(frame))

    def flush(self) -> None:
        """Mux what the encoders still hold."""
        self._container.mux(self._video.encode(None))
        self._container.mux(self._audio.encode(None))


def _video_stream(container: OutputContainer, width: int, height: int) -> VideoStream:
    stream = container.add_stream("libx264", rate=FRAME_RATE, options=dict(_X264))
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, VIDEO_HZ)
    context.gop_size = KEYFRAME_EVERY
    context.max_b_frames = 0
    context.bit_rate = VIDEO_BPS
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED_RANGE
    return stream


def _audio_stream(container: OutputContainer) -> AudioStream:
    stream = container.add_stream("libopus", rate=SAMPLE_RATE, layout="stereo")
    stream.codec_context.bit_rate = AUDIO_BPS
    return stream
