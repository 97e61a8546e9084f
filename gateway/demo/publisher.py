"""Publishes the table by WHIP until it is told to stop, and comes back by itself when the gateway goes away."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from typing import Final

import av
from av.container import OutputContainer

from gateway.demo.certificate import CertificateFiles
from gateway.demo.encoder import FRAME_RATE, Encoder
from gateway.demo.felt import HEIGHT_PX, WIDTH_PX
from gateway.demo.schedule import Ticks
from gateway.demo.table import Table
from gateway.demo.tone import BLOCK_SAMPLES, SAMPLE_RATE, Tone

logger = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 8.0
SETTLED_S: Final = 10.0
"""A session that lived this long was a good one: the next retry is quick again."""

HANDSHAKE_MS: Final = 5000
_VIDEO_CATCH_UP: Final = 1
_AUDIO_CATCH_UP: Final = 10
"""Late frames are skipped, late sound is made up for to 200 ms: an ear hears what an eye forgives."""


class Publisher:
    """One studio. `run` blocks; `stop` ends it from any thread within about a frame, or within a handshake."""

    def __init__(self, whip_url: str, certificate: CertificateFiles, bearer_token: str | None = None) -> None:
        self._whip_url = whip_url
        self._certificate = certificate
        self._bearer_token = bearer_token
        self._stopped = threading.Event()
        self._table = Table()
        self._tone = Tone()

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        """Publish, and publish again after each failure with a growing pause, until `stop`."""
        retry_s = FIRST_RETRY_S
        while not self._stopped.is_set():
            started_s = time.monotonic()
            try:
                self._publish()
            except (av.FFmpegError, OSError) as error:
                if time.monotonic() - started_s > SETTLED_S:
                    retry_s = FIRST_RETRY_S
                logger.warning("cannot publish to %s (%s); next try in %.1f s", self._whip_url, error, retry_s)
                self._stopped.wait(retry_s)
                retry_s = min(retry_s * 2, LONGEST_RETRY_S)

    def _publish(self) -> None:
        with self._session() as container:
            encoder = Encoder(container, WIDTH_PX, HEIGHT_PX)
            container.start_encoding()  # POSTs the offer, and returns when ICE and DTLS are through
            logger.info("publishing to %s", self._whip_url)
            self._play(encoder)

    def _play(self, encoder: Encoder) -> None:
        start_s, start_unix_s = time.monotonic(), time.time()
        frames = Ticks(start_s, 1 / FRAME_RATE, _VIDEO_CATCH_UP)
        blocks = Ticks(start_s, BLOCK_SAMPLES / SAMPLE_RATE, _AUDIO_CATCH_UP)
        tone_offset = int(start_unix_s % 1 * SAMPLE_RATE)
        while not self._stopped.is_set():
            for number in blocks.due(time.monotonic()):
                position = number * BLOCK_SAMPLES
                encoder.audio(self._tone.block(tone_offset + position), position)
            for number in frames.due(time.monotonic()):
                encoder.video(self._table.draw(time.time()), number)
            self._stopped.wait(max(0.0, min(frames.next_s, blocks.next_s) - time.monotonic()))

    @contextlib.contextmanager
    def _session(self) -> Iterator[OutputContainer]:
        options = {
            "cert_file": str(self._certificate.certificate),
            "key_file": str(self._certificate.key),
            "handshake_timeout": str(HANDSHAKE_MS),
        }
        if self._bearer_token is not None:
            options["authorization"] = self._bearer_token
        container = av.open(self._whip_url, "w", format="whip", options=options)
        try:
            yield container
        finally:
            # Closing sends DELETE; where the gateway is gone it fails as well, and says nothing new.
            with contextlib.suppress(av.FFmpegError, OSError):
                container.close()
