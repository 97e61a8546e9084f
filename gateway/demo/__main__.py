"""`python -m gateway.demo`: publish the drawn table to a gateway until SIGTERM or Ctrl-C."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click
import structlog

from gateway import log
from gateway.demo.certificate import CertificateFiles, write_certificate
from gateway.demo.croupier import rounds_of
from gateway.demo.presence import Presence
from gateway.demo.stop import StopSignals
from gateway.demo.studio import Studio

TOKEN_VARIABLE = "RAILBIRD_DEMO_TOKEN"

logger = structlog.get_logger()


@click.command()
@click.option("--whip", "whip_url", default="http://127.0.0.1:8080/whip/demo", show_default=True, metavar="URL")
@click.option("--token", envvar=TOKEN_VARIABLE, default=None, help=f"Bearer token; or set {TOKEN_VARIABLE}.")
@click.option("--session", type=click.Path(path_type=Path), hidden=True, help="Publish once, with this identity.")
def main(whip_url: str, token: str | None, session: Path | None) -> None:
    """Publish a drawn dealer table (H264 1280x720 at 30 frames a second, Opus) by WHIP, as a studio would."""
    log.configure(os.environ.get("RAILBIRD_LOG_FORMAT", "auto"), "info")
    signals = StopSignals()
    if session is not None:
        _publish_once(whip_url, token, CertificateFiles.within(session), signals)
        return
    with tempfile.TemporaryDirectory(prefix="railbird-demo-") as directory:
        write_certificate(Path(directory))
        if token is not None:
            os.environ[TOKEN_VARIABLE] = token  # for the sessions: a command line is for everybody to read
        command = [sys.executable, "-m", "gateway.demo", "--whip", whip_url, "--session", directory]
        presence = Presence(whip_url, token)
        with rounds_of(whip_url, token, presence):
            Studio(command, presence, signals.wait).run()


def _publish_once(whip_url: str, token: str | None, certificate: CertificateFiles, signals: StopSignals) -> None:
    import av  # here, as the process that only watches needs neither libavcodec nor numpy

    from gateway.demo.publisher import Publisher

    parent = os.getppid()
    publisher = Publisher(whip_url, certificate, token)
    try:
        publisher.run(lambda timeout_s: signals.wait(timeout_s) or os.getppid() != parent)
    except (av.FFmpegError, OSError) as error:
        logger.warning("the demo studio cannot publish", whip=whip_url, error=str(error))
        os._exit(1)


if __name__ == "__main__":
    main(prog_name="python -m gateway.demo")
