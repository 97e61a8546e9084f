"""The SDK: spans are handed to a thread in batches and exported by OTLP over HTTP.

Where the exporter cannot keep up or its endpoint is down, spans are dropped and counted: nothing waits for them.
"""

import contextlib
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from requests import PreparedRequest, RequestException, Response, Session

from gateway.tracing.tally import Tally

log = structlog.get_logger()

SERVICE_NAME = "railbird-gateway"
MAX_WAITING_SPANS = 4096
"""Some 10 MB; beyond it spans are dropped."""
BATCH_SPANS = 128
"""Written out at once: a larger batch would keep the event loop waiting for the interpreter's lock."""
BATCH_DELAY_MS = 1000
EXPORT_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 16_384
"""Of an answer's body, which says nothing to us: it is read so that the connection can be used again."""
TRACES_PATH = "/v1/traces"
"""Of an endpoint that is named without a path, as OTLP over HTTP has it."""


def provider(endpoint: str, sample_share: float, tally: Tally) -> TracerProvider:
    """Makes spans and exports them there: of traces that began elsewhere as they say, of those that begin here a
    share."""
    # It would write a line for each failure, past our own log.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    made = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(sample_share)),
        resource=Resource.create({"service.name": SERVICE_NAME}),
        shutdown_on_exit=False,
    )
    url = urlsplit(endpoint)
    url = url._replace(path=TRACES_PATH) if url.path in ("", "/") else url
    exporter = OTLPSpanExporter(url.geturl(), timeout=EXPORT_TIMEOUT_S, session=BoundedSession())
    made.add_span_processor(BoundedProcessor(CountedExporter(exporter, tally), tally))
    return made


class BoundedSession(Session):
    """Reads no more than MAX_ANSWER_BYTES of an answer, where a Session reads whatever a collector sends."""

    def send(self, request: PreparedRequest, **settings: Any) -> Response:
        """See `Session`."""
        response = super().send(request, **(settings | {"stream": True}))
        # What is wrong with the body changes nothing: the status has been read.
        with contextlib.suppress(RequestException):
            next(response.iter_content(MAX_ANSWER_BYTES), b"")
        response.close()
        return response


class CountedExporter(SpanExporter):
    """Counts what could not be exported, and says so when it begins and when it ends. Called by its thread alone."""

    def __init__(self, exporter: SpanExporter, tally: Tally) -> None:
        self._exporter = exporter
        self._tally = tally
        self._is_failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See `SpanExporter`."""
        try:
            result = self._exporter.export(spans)
        except Exception:
            log.exception("exporting traces failed")
            result = SpanExportResult.FAILURE
        self._tally.exported += len(spans)
        is_failing = result is not SpanExportResult.SUCCESS
        if is_failing:
            self._tally.failed += len(spans)
        if is_failing and not self._is_failing:
            log.warning("traces cannot be exported", consequence="spans are dropped until they can")
        elif self._is_failing and not is_failing:
            log.info("traces are exported again", dropped=self._tally.dropped)
        self._is_failing = is_failing
        return result

    def shutdown(self) -> None:
        """See `SpanExporter`."""
        self._exporter.shutdown()


class BoundedProcessor(BatchSpanProcessor):
    """Refuses spans, where the SDK's would push out others, so that each that is lost is counted."""

    def __init__(self, exporter: SpanExporter, tally: Tally) -> None:
        super().__init__(
            exporter,
            max_queue_size=MAX_WAITING_SPANS,
            schedule_delay_millis=BATCH_DELAY_MS,
            max_export_batch_size=BATCH_SPANS,
        )
        self._tally = tally

    def on_end(self, span: ReadableSpan) -> None:
        """See `SpanProcessor`."""
        if not (span.context and span.context.trace_flags.sampled):
            return
        if self._tally.waiting >= MAX_WAITING_SPANS:
            self._tally.refused += 1
            return
        self._tally.taken += 1
        super().on_end(span)
