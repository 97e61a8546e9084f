"""`python -m gateway.demo`: publish the drawn table to a gateway until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import signal
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Final

import click

from gateway.demo.certificate import write_certificate
from gateway.demo.publisher import Publisher

STOP_WITHIN_S: Final = 3.0
"""The publisher cannot be woken from a handshake, which libavformat does: after this the process ends all the same."""


@click.command()
@click.option("--whip", "whip_url", default="http://127.0.0.1:8080/whip/demo", show_default=True, metavar="URL")
@click.option("--token", envvar="RAILBIRD_DEMO_TOKEN", default=None, help="Bearer token to publish with.")
def main(whip_url: str, token: str | None) -> None:
    """Publish a drawn dealer table (H264 1280x720 at 30 frames a second, Opus) by WHIP, as a studio would."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s demo studio: %(message)s")
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with tempfile.TemporaryDirectory(prefix="railbird-demo-") as directory:
        publisher = Publisher(whip_url, write_certificate(Path(directory)), token)
        thread = threading.Thread(target=publisher.run, name="publisher", daemon=True)
        thread.start()
        stopped.wait()
        publisher.stop()
        thread.join(STOP_WITHIN_S)


if __name__ == "__main__":
    main(prog_name="python -m gateway.demo")
