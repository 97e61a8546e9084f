"""A studio of PyAV's WHIP muxer (DTLS server, AES128_CM_SHA1_80), H264 and Opus, as a process of its own.

`python -m tests.e2e.studio_av URL GROUND` publishes, once its input ends, until it is killed or told to end; `AvStudio`
is the handle on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
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
from gateway.demo.schedule import Ticks
from gateway.demo.tone import BLOCK_SAMPLES, SAMPLE_RATE, Tone
from tests.e2e.card import HEIGHT_PX, WIDTH_PX, Card
from tests.e2e.gateway_process import ROOT, GatewayProcess
from tests.e2e.orphans import end_with_the_run

END_WITHIN_S = 2.0
"""libavformat may wait longer for a gateway that has gone."""


_STANDS_BY = b"stands by\n"


class AvStudio:
    """One such process, which publishes `stream` to `gateway`."""

    def __init__(self, gateway: GatewayProcess, stream: str, ground: str = "green") -> None:
        self.stream = stream
        self._gateway = gateway
        self._ground = ground
        self._process: asyncio.subprocess.Process | None = None

    async def prepare(self) -> Self:
        """Start the process, which then waits for `start`: a studio that stands by."""
        url = f"{self._gateway.url}/whip/{self.stream}"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.e2e.studio_av", url, self._ground),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == _STANDS_BY
        return self

    async def start(self) -> Self:
        """Begin to publish, and do not wait for the stream."""
        if self._process is None:
            await self.prepare()
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self

    @property
    def returncode(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    def signal(self, number: signal.Signals) -> None:
        """SIGTERM ends it with a DELETE, SIGKILL without a word; SIGSTOP and SIGCONT let it fall silent and return."""
        assert self._process is not None
        os.kill(self._process.pid, number)

    async def stop(self) -> None:
        """End the process with a DELETE, if it runs."""
        if self._process is None or self.returncode is not None:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), END_WITHIN_S)
        await self.kill()

    async def kill(self) -> None:
        """End the process without a word, if it runs: where its gateway or its session has gone, nobody listens."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def publish(url: str, ground: str, stopped: threading.Event) -> None:
    """Publish the card in `ground` to `url`, once, until `stopped`."""
    with contextlib.ExitStack() as stack:
        with tempfile.TemporaryDirectory() as directory:  # What is killed later leaves nothing there.
            certificate = write_certificate(Path(directory))
            options = {"cert_file": str(certificate.certificate), "key_file": str(certificate.key)}
            container = stack.enter_context(av.open(url, "w", format="whip", options=options))
            encoder = Encoder(container, WIDTH_PX, HEIGHT_PX)
            container.start_encoding()
        _play(encoder, Card(ground), stopped)


def _play(encoder: Encoder, card: Card, stopped: threading.Event) -> None:
    start_s = time.monotonic()
    frames = Ticks(start_s, 1 / FRAME_RATE, 1)
    blocks = Ticks(start_s, BLOCK_SAMPLES / SAMPLE_RATE, 10)
    tone = Tone()
    while not stopped.is_set():
        for number in blocks.due(time.monotonic()):
            encoder.audio(tone.block(number * BLOCK_SAMPLES), number * BLOCK_SAMPLES)
        for number in frames.due(time.monotonic()):
            encoder.video(card.draw(), number)
        stopped.wait(max(0.0, min(frames.next_s, blocks.next_s) - time.monotonic()))


def main() -> None:
    """See the module."""
    end_with_the_run()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopped.set())
    sys.stdout.buffer.write(_STANDS_BY)
    sys.stdout.buffer.flush()
    sys.stdin.read()
    publish(sys.argv[1], sys.argv[2], stopped)


if __name__ == "__main__":
    main()
