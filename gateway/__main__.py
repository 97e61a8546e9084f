"""`python -m gateway`: start the gateway, with `--demo` a studio that publishes the table `demo`."""

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import click
import structlog
import uvloop
from pydantic import SecretStr

from gateway import config, log
from gateway.app import Gateway
from gateway.clock import monotonic_s
from gateway.config import DrainSettings, HostPort, Settings, Tokens
from gateway.errors import ConfigError
from gateway.open_files import allow_all

DEMO_STREAM = "demo"
TOKEN_VARIABLE = "RAILBIRD_DEMO_TOKEN"
"""How the demo studio is told its bearer token: a command line is for everybody to read."""
DEMO_GOODBYE_S = 3.0
OVERDUE_S = 5.0
"""After the longest time that a drain may take, whoever ordered it first: a bug in it must not keep the process."""


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), help="Settings file (YAML).")
@click.option("--http", metavar="HOST:PORT", help="Where to serve HTTP.")
@click.option("--udp", metavar="HOST:PORT", help="The one media port.")
@click.option("--demo", is_flag=True, help="Also publish a drawn table as the stream `demo`.")
@click.option("--check", is_flag=True, help="Read the settings, say whether they are good, and stop.")
def main(path: Path | None, http: str | None, udp: str | None, demo: bool, check: bool) -> None:
    """railbird: WHIP in, WHEP out, all media through one UDP port."""
    flags: dict[str, Any] = {name: value for name, value in (("http", http), ("udp", udp)) if value is not None}
    try:
        settings = config.load(path, flags)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    if check:
        click.echo("The settings are good.")
        return
    key = settings.player_hash_key
    log.configure(settings.log_format, settings.log_level, key.get_secret_value().encode() if key is not None else None)
    allow_all()
    try:
        uvloop.run(serve(settings, demo))
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot listen: {error.strerror or error}") from None


async def serve(settings: Settings, demo: bool) -> None:
    """Run until SIGINT, or until SIGTERM's drain is over; a second SIGTERM ends at once."""
    settings = with_demo_token(settings) if demo else settings
    gateway = Gateway(settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def leave() -> None:
        if gateway.leave(stopped.set):
            loop.call_later(left_s(gateway.hub.draining.since_s, settings.drain, monotonic_s()), stopped.set)
        else:
            stopped.set()

    loop.add_signal_handler(signal.SIGTERM, leave)
    loop.add_signal_handler(signal.SIGINT, stopped.set)
    try:
        bound = await gateway.start()
        # What was imported and built lives as long as the process: the collector need not look through it again and
        # again, which takes tens of milliseconds each time and holds up every viewer.
        gc.collect()
        gc.freeze()
        if demo:
            print(welcome(bound, gateway.port.socket.port), flush=True)
        async with _demo_studio(bound, settings.tokens) if demo else contextlib.nullcontext():
            await stopped.wait()
    finally:
        await gateway.stop()


def left_s(since_s: float | None, drain: DrainSettings, now_s: float) -> float:
    """How long a drain that began at `since_s` may still take; a preStop hook has waited for most of it."""
    began_s = now_s if since_s is None else since_s
    return max(began_s + drain.longest_s + OVERDUE_S - now_s, 0.0)


def with_demo_token(settings: Settings) -> Settings:
    """The settings, with a token for the demo studio that only it is told, where it would have none to show."""
    if settings.auth.jwks is None or settings.tokens.publish is not None:
        return settings
    tokens = settings.tokens.model_copy(update={"publish": SecretStr(secrets.token_urlsafe(32))})
    return settings.model_copy(update={"tokens": tokens})


@contextlib.asynccontextmanager
async def _demo_studio(bound: HostPort, tokens: Tokens) -> AsyncIterator[None]:
    """The demo studio, a process of its own as a real studio would be."""
    whip = f"{_url(bound)}/whip/{DEMO_STREAM}"
    token = {TOKEN_VARIABLE: tokens.publish.get_secret_value()} if tokens.publish is not None else {}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.demo", "--whip", whip, env={**os.environ, **token}
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), DEMO_GOODBYE_S)
        except TimeoutError:
            structlog.get_logger().warning("the demo studio did not end by itself")
            process.kill()
            await process.wait()


def _url(bound: HostPort) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(bound.host, bound.host)
    return f"http://{HostPort(host=host.strip('[]'), port=bound.port)}"


def welcome(bound: HostPort, udp_port: int) -> str:
    """What a person who has just started the demo wants to know."""
    url = _url(bound)
    return f"""
  railbird is running. Open the table:   {url}/watch/{DEMO_STREAM}

    watch      {url}/watch/{{stream}}      the player page
    studio     {url}/studio/{{stream}}     publish a camera, a screen or a drawn table, and drive its rounds
    operators  {url}/ops                 tables, bets, rounds, and what the network did to them
    WHIP       {url}/whip/{{stream}}       studios publish here (OBS, FFmpeg, browsers)
    WHEP       {url}/whep/{{stream}}       players watch from here
    API        {url}/api/v1/streams
    health     {url}/livez /readyz /metrics
    media      UDP port {udp_port}, for everything

  Ctrl-C ends it.
"""


if __name__ == "__main__":
    main()
