"""Spans over HTTP signalling: WHIP, WHEP, rounds, and the coming of signals. Not even installed without an endpoint."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from opentelemetry.trace import Span, SpanKind, StatusCode, use_span

from gateway.tracing import Tracing

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SPAN = web.RequestKey("span", Span)
_PREFIXES = ("/whip/", "/whep/", "/signals/")
_ROUNDS = "/api/v1/streams/{stream}/rounds"
MAX_STREAM_CHARS = 64
"""Of a stream's name in a span: who asks for a longer one gets 400, but its span all the same."""


def install(app: web.Application, tracing: Tracing) -> None:
    """Trace the requests of `app`, if spans go anywhere."""
    if not tracing.is_on:
        return

    @web.middleware
    async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = _traced_route(request)
        if route is None:
            return await handler(request)
        return await _in_span(_begin(tracing, request, route), request, handler)

    # Outermost: it sees the status that the client sees.
    app.middlewares.insert(0, traced)
    app.on_response_prepare.append(_end_at_upgrade)


def _traced_route(request: web.Request) -> str | None:
    """The route as it was written down, `/whep/{stream}`: sessions and tokens are in none."""
    resource = request.match_info.route.resource
    if resource is None or request.method == "OPTIONS":
        return None
    route = resource.canonical
    return route if route.startswith(_PREFIXES) or route == _ROUNDS else None


def _begin(tracing: Tracing, request: web.Request, route: str) -> Span:
    attributes = {"http.request.method": request.method, "http.route": route}
    stream = request.match_info.get("stream")
    if stream is not None:
        attributes["streamId"] = stream[:MAX_STREAM_CHARS]
    return tracing.begin(f"{request.method} {route}", SpanKind.SERVER, request.headers.get("traceparent"), attributes)


async def _in_span(span: Span, request: web.Request, handler: Handler) -> web.StreamResponse:
    request[_SPAN] = span
    with use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            _end(span, refusal.status)
            raise
        except asyncio.CancelledError:  # the client has gone
            _end(span, None)
            raise
        _end(span, response.status)
        return response


async def _end_at_upgrade(request: web.Request, response: web.StreamResponse) -> None:
    """A WebSocket's span is its coming, not its life of hours."""
    span = request.get(_SPAN)
    if span is not None and isinstance(response, web.WebSocketResponse):
        _end(span, response.status)


def _end(span: Span, status: int | None) -> None:
    """Once; of a span that has ended, nothing."""
    if not span.is_recording():
        return
    if status is not None:
        span.set_attribute("http.response.status_code", status)
        if status >= 500:
            span.set_status(StatusCode.ERROR)
    span.end()
