"""A small real server on loopback that answers /metrics as a test wants it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The URL of a /metrics that `handler` answers."""
    app = web.Application()
    app.add_routes([web.get("/metrics", handler)])
    runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/metrics"
    finally:
        await runner.cleanup()


def page(**samples: float) -> str:
    """A page of gauges."""
    return "".join(f"# TYPE {name} gauge\n{name} {value}\n" for name, value in samples.items())
