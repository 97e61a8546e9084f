"""Liveness, readiness and metrics: three different questions."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.clock import unix_s
from gateway.http.keys import HUB, METRICS


async def livez(request: web.Request) -> web.Response:
    """The event loop turns: this answer is the proof."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """The ports are bound, new sessions are taken, the node is fit. Below the first line, what is to be said of it."""
    answer = request.app[HUB].readiness.answer(unix_s())
    return web.Response(status=200 if answer.is_ready else 503, text="".join(f"{line}\n" for line in answer.lines))


async def metrics(request: web.Request) -> web.Response:
    """Prometheus text format."""
    return web.Response(body=generate_latest(request.app[METRICS]), headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES = [web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)]
