"""Spans, where there is an endpoint for them. Without one: no SDK, no thread, and traces of others pass through."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.config import TracingSettings
from gateway.metrics import Sample
from gateway.tracing.tally import Tally

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_W3C = TraceContextTextMapPropagator()


class Tracing:
    """See the module."""

    def __init__(self, settings: TracingSettings) -> None:
        self._tally = Tally()
        self._provider = _provider(settings, self._tally)
        self._tracer = self._provider.get_tracer(__name__) if self._provider is not None else None

    @property
    def is_on(self) -> bool:
        """Whether spans go anywhere."""
        return self._tracer is not None

    def begin(
        self,
        name: str,
        kind: SpanKind,
        traceparent: str | None,
        attributes: Mapping[str, str | int],
        begin_unix_s: float | None = None,
    ) -> Span:
        """A span; `use_span` makes it the current one, which `outgoing` hands on.

        It continues `traceparent`, a W3C trace context; what is none is ignored, and the trace begins here. Without an
        endpoint, the span is that of whoever sent the traceparent: it is handed on as it came.
        """
        parent = _W3C.extract({"traceparent": traceparent}, Context()) if traceparent is not None else Context()
        if self._tracer is None:
            return get_current_span(parent)
        begin_ns = int(begin_unix_s * 1e9) if begin_unix_s is not None else None
        return self._tracer.start_span(name, parent, kind, attributes, start_time=begin_ns)

    def samples(self) -> Iterator[Sample]:
        """For a scrape."""
        yield "railbird_trace_spans_dropped_total", (), self._tally.dropped

    async def stop(self, timeout_s: float) -> None:
        """Export what waits, as far as that goes in time; then the process need not wait for it."""
        if self._provider is None:
            return
        done, loop = asyncio.Event(), asyncio.get_running_loop()
        # No executor's thread: the interpreter would wait for that at its end, however long an export takes.
        threading.Thread(target=_shut_down, args=(self._provider, loop, done.set), daemon=True).start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await done.wait()


def outgoing() -> dict[str, str]:
    """Headers that hand the current span on; none without one."""
    headers: dict[str, str] = {}
    _W3C.inject(headers)
    return headers


def _shut_down(provider: "TracerProvider", loop: asyncio.AbstractEventLoop, done: Callable[[], None]) -> None:
    provider.shutdown()
    with contextlib.suppress(RuntimeError):  # the loop did not wait
        loop.call_soon_threadsafe(done)


def _provider(settings: TracingSettings, tally: Tally) -> "TracerProvider | None":
    if settings.otlp_endpoint is None:
        return None
    # Here and not above: the SDK costs 10 MB and 0.1 s, also where nobody traces.
    from gateway.tracing.export import provider

    return provider(str(settings.otlp_endpoint), settings.sample_share, tally)
