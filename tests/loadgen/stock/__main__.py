"""See the package's description."""

import argparse
import asyncio
import contextlib
import os
import sys
import threading

from aiohttp import web
from yarl import URL

from tests.loadgen.stock.server import Server

MAX_LIFE_S = 900.0
"""Should nobody close our standard input."""


def main() -> None:
    """Serve until standard input closes."""
    parser = argparse.ArgumentParser(prog="python -m tests.loadgen.stock", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="for HTTP; media goes by every other address")
    parser.add_argument("--port", type=int, default=0, help="for HTTP; 0: any")
    parser.add_argument("--own-picture", action="store_true", help="every stream shows one, without a publisher")
    parser.add_argument("--leak", type=int, default=0, metavar="BYTES", help="kept of each session after its DELETE")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(Server(options.own_picture, options.leak).application(), options.host, options.port))


async def _serve(application: web.Application, host: str, port: int) -> None:
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        print(URL.build(scheme="http", host=host, port=runner.addresses[0][1]), flush=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_input_closed(), MAX_LIFE_S)
    finally:
        await runner.cleanup()


async def _input_closed() -> None:
    loop, closed = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        with contextlib.suppress(RuntimeError):  # the loop has ended first
            loop.call_soon_threadsafe(closed.set)

    # A thread, because the loop watches pipes and terminals, but no files and no /dev/null.
    threading.Thread(target=read, daemon=True).start()
    await closed.wait()


if __name__ == "__main__":
    main()
