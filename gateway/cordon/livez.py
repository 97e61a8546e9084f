"""/livez of the sidecar, for its kubelet: on loopback, as hostNetwork leaves it no address of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from gateway.cordon.watching import Watch

log = structlog.get_logger()


@asynccontextmanager
async def serving(watch: Watch, port: int | None, max_age_s: float) -> AsyncIterator[None]:
    """Serve while the block runs: 503 when no look has ended for `max_age_s`. None serves nothing. OSError: taken."""
    if port is None:
        yield
        return

    async def livez(_request: web.Request) -> web.Response:
        is_live = watch.age_s <= max_age_s
        return web.Response(status=200 if is_live else 503, text="ok\n" if is_live else "no look has ended in time\n")

    app = web.Application()
    app.add_routes([web.get("/livez", livez)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        log.info("watching for a cordon", livez=runner.addresses[0][1])
        yield
    finally:
        await runner.cleanup()
