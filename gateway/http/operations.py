"""Liveness, readiness and metrics: three different questions."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.http.keys import HUB, METRICS


async def livez(request: web.Request) -> web.Response:
    """The event loop turns: this answer is the proof."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """The ports are bound, and new sessions are taken."""
    if request.app[HUB].admission.is_draining:
        return web.Response(status=503, text="draining\n")
    return web.Response(text="ok\n")


async def metrics(request: web.Request) -> web.Response:
    """Prometheus text format."""
    return web.Response(body=generate_latest(request.app[METRICS]), headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES = [web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)]
