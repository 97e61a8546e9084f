"""A studio whose picture is smaller than the card's, so that its H264 has other parameters and another init section.

`python -m tests.hls_conformance.small_studio URL` publishes, once its input ends, until it is told to end.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

import av

from gateway.demo.certificate import write_certificate
from gateway.demo.encoder import FRAME_RATE, Encoder
from gateway.demo.planar import Picture
from gateway.demo.schedule import Ticks
from gateway.demo.tone import BLOCK_SAMPLES, SAMPLE_RATE, Tone
from tests.e2e.gateway_process import ROOT
from tests.e2e.studio_av import AvStudio

WIDTH_PX, HEIGHT_PX = 320, 192


class SmallStudio(AvStudio):
    """The handle on the process of this module."""

    async def prepare(self) -> Self:
        """Start the process, which then waits for `start`."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.hls_conformance.small_studio", f"{self._gateway.url}/whip/{self.stream}"),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert await self._process.stdout.readline()
        return self


def publish(url: str, stopped: threading.Event) -> None:
    """Publish a grey picture that pulses, and the tone."""
    with tempfile.TemporaryDirectory() as directory:
        certificate = write_certificate(Path(directory))
        options = {"cert_file": str(certificate.certificate), "key_file": str(certificate.key)}
        with av.open(url, "w", format="whip", options=options) as container:
            encoder = Encoder(container, WIDTH_PX, HEIGHT_PX)
            container.start_encoding()
            _play(encoder, stopped)


def _play(encoder: Encoder, stopped: threading.Event) -> None:
    start_s = time.monotonic()
    frames, blocks = Ticks(start_s, 1 / FRAME_RATE, 1), Ticks(start_s, BLOCK_SAMPLES / SAMPLE_RATE, 10)
    picture, tone = Picture(WIDTH_PX, HEIGHT_PX), Tone()
    picture.blue[:], picture.red[:] = 128, 128
    while not stopped.is_set():
        for number in blocks.due(time.monotonic()):
            encoder.audio(tone.block(number * BLOCK_SAMPLES), number * BLOCK_SAMPLES)
        for number in frames.due(time.monotonic()):
            picture.luma[:] = 64 + number % 128
            encoder.video(picture, number)
        stopped.wait(max(0.0, min(frames.next_s, blocks.next_s) - time.monotonic()))


def main() -> None:
    """See the module."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopped.set())
    sys.stdout.buffer.write(b"stands by\n")
    sys.stdout.buffer.flush()
    sys.stdin.read()
    publish(sys.argv[1], stopped)


if __name__ == "__main__":
    main()
