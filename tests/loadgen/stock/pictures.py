"""Pictures that cost little to encode."""

import numpy as np
from aiortc import MediaStreamTrack, VideoStreamTrack
from av import VideoFrame

WIDTH_PX = 160
HEIGHT_PX = 90
NOISE_ROWS = 12
"""They make frames of two packets, and keyframes of more, so that there is something to be incomplete."""
LOOP_FRAMES = 30


def _loop() -> list[VideoFrame]:
    """Noise above a slope that moves, in grey."""
    noise = np.random.default_rng(1).integers(96, 160, (LOOP_FRAMES, NOISE_ROWS, WIDTH_PX), dtype=np.uint8)
    planes = np.full((HEIGHT_PX * 3 // 2, WIDTH_PX), 128, dtype=np.uint8)
    slope = np.linspace(16, 235, WIDTH_PX, dtype=np.uint8)
    frames = []
    for number in range(LOOP_FRAMES):
        planes[:HEIGHT_PX] = np.roll(slope, number * WIDTH_PX // LOOP_FRAMES)
        planes[:NOISE_ROWS] = noise[number]
        frames.append(VideoFrame.from_ndarray(planes, format="yuv420p"))
    return frames


class OwnPicture(VideoStreamTrack):
    """A small moving picture, 30 frames a second as aiortc paces them."""

    def __init__(self) -> None:
        super().__init__()
        self._frames = _loop()
        self._number = 0

    async def recv(self) -> VideoFrame:
        """The next frame, when it is due."""
        frame = self._frames[self._number % LOOP_FRAMES]
        self._number += 1
        frame.pts, frame.time_base = await self.next_timestamp()
        return frame


class SmallPicture(MediaStreamTrack):
    """What another track shows, in the size of our own picture."""

    kind = "video"

    def __init__(self, source: MediaStreamTrack) -> None:
        super().__init__()
        self._source = source

    async def recv(self) -> VideoFrame:
        """The next frame; MediaStreamError once the source has ended."""
        frame = await self._source.recv()
        assert isinstance(frame, VideoFrame)
        return frame.reformat(width=WIDTH_PX, height=HEIGHT_PX)
