"""What the tests of spans have in common."""

from opentelemetry.trace import SpanKind

from gateway.config import TracingSettings
from gateway.tracing import Tracing

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT_ID = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"


def tracing_to(endpoint: str | None, sample_share: float = 1.0) -> Tracing:
    """With that endpoint."""
    return Tracing(TracingSettings.model_validate({"otlp_endpoint": endpoint, "sample_share": sample_share}))


def finish(tracing: Tracing, count: int = 1, traceparent: str | None = None) -> None:
    """Begin and end spans."""
    for number in range(count):
        tracing.begin("work", SpanKind.INTERNAL, traceparent, {"number": number}).end()


def dropped(tracing: Tracing) -> float:
    """How many spans did not get to the endpoint."""
    ((_name, _labels, count),) = tracing.samples()
    return count
