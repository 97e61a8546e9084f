"""Publishes the table by WHIP: one session, from its POST to its DELETE."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import av
import structlog
from av.container import OutputContainer

from gateway.demo.certificate import CertificateFiles
from gateway.demo.encoder import FRAME_RATE, Encoder
from gateway.demo.felt import HEIGHT_PX, WIDTH_PX
from gateway.demo.schedule import Ticks, until_beat_s
from gateway.demo.table import Table
from gateway.demo.tone import BLOCK_SAMPLES, SAMPLE_RATE, Tone

logger = structlog.get_logger()

HANDSHAKE_MS: Final = 5000
VIDEO_CATCH_UP: Final = 1
AUDIO_CATCH_UP: Final = 10
"""Late frames are skipped, late sound is made up for to 200 ms: an ear hears what an eye forgives."""
FRAME_PHASE_S: Final = 0.002
"""Frames are drawn this long after the thirtieths of the wall clock: so the lamp lights up as its second begins, and a
clock that is slewed a little does not put it off to the next frame."""


class Publisher:
    """One WHIP session by libavformat's muxer.

    After a failure the object must be kept, and the process ended by `os._exit`: to let go of the muxer is to close it,
    and closing waits without end for a peer that is gone.
    """

    def __init__(self, whip_url: str, certificate: CertificateFiles, bearer_token: str | None = None) -> None:
        self._whip_url = whip_url
        self._table = Table()
        self._tone = Tone()
        self._container: OutputContainer = av.open(
            whip_url, "w", format="whip", options=_muxer_options(certificate, bearer_token)
        )

    def run(self, wait: Callable[[float], bool]) -> None:
        """Publish until `wait`, which sleeps for that many seconds, returns True; then DELETE the session.

        Raises av.FFmpegError or OSError where the gateway refuses, or is lost.
        """
        encoder = Encoder(self._container, WIDTH_PX, HEIGHT_PX)
        self._container.start_encoding()  # POSTs the offer, and returns when ICE and DTLS are through
        logger.info("the demo studio is on air", whip=self._whip_url)
        self._play(encoder, wait)
        self._container.close()

    def _play(self, encoder: Encoder, wait: Callable[[float], bool]) -> None:
        start_s, start_unix_s = time.monotonic(), time.time()
        tone_offset = int(start_unix_s % 1 * SAMPLE_RATE)
        first_frame_s = until_beat_s(start_unix_s, FRAME_RATE, FRAME_PHASE_S)
        frames = Ticks(start_s + first_frame_s, 1 / FRAME_RATE, VIDEO_CATCH_UP)
        blocks = Ticks(start_s, BLOCK_SAMPLES / SAMPLE_RATE, AUDIO_CATCH_UP)
        while not wait(min(frames.next_s, blocks.next_s) - time.monotonic()):
            for number in blocks.due(time.monotonic()):
                position = number * BLOCK_SAMPLES
                encoder.audio(self._tone.block(tone_offset + position), position)
            for number in frames.due(time.monotonic()):
                encoder.video(self._table.draw(time.time()), number, first_frame_s)


def _muxer_options(certificate: CertificateFiles, bearer_token: str | None) -> dict[str, str]:
    options = {
        "cert_file": str(certificate.certificate),
        "key_file": str(certificate.key),
        "handshake_timeout": str(HANDSHAKE_MS),
    }
    if bearer_token is not None:
        options["authorization"] = bearer_token
    return options
