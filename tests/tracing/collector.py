"""A collector: takes spans by OTLP over HTTP and remembers them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan


@dataclass(frozen=True)
class SpanSeen:
    """A span as it came."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_span_id: str
    attributes: dict[str, str | int]
    events: list[str]
    is_error: bool
    duration_s: float


@dataclass
class Collector:
    """What came."""

    spans: list[SpanSeen] = field(default_factory=list)
    resources: list[dict[str, str | int]] = field(default_factory=list)
    requests: int = 0
    status: int = 200
    url: str = ""

    def named(self, name: str) -> SpanSeen:
        """The one span of that name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    async def on_traces(self, request: web.Request) -> web.Response:
        """POST /v1/traces."""
        self.requests += 1
        export = ExportTraceServiceRequest.FromString(await request.read())
        if self.status == 200:
            for of_resource in export.resource_spans:
                self.resources.append(_attributes(of_resource.resource.attributes))
                self.spans += [_seen(span) for scope in of_resource.scope_spans for span in scope.spans]
        return web.Response(
            status=self.status,
            body=ExportTraceServiceResponse().SerializeToString(),
            content_type="application/x-protobuf",
        )


@asynccontextmanager
async def open_collector() -> AsyncIterator[Collector]:
    """Serves until the block ends."""
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.on_traces)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()


def _seen(span: ProtoSpan) -> SpanSeen:
    return SpanSeen(
        span.name,
        ProtoSpan.SpanKind.Name(span.kind),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _attributes(span.attributes),
        [event.name for event in span.events],
        span.status.code == 2,
        (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
    )


def _attributes(pairs: object) -> dict[str, str | int]:
    return {
        pair.key: pair.value.string_value if pair.value.HasField("string_value") else pair.value.int_value
        for pair in pairs  # type: ignore[attr-defined]
    }
