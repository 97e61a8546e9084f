"""Spans, as a real collector receives them."""

import subprocess
import sys
import threading

import pytest
from opentelemetry.trace import SpanKind, get_current_span, use_span

from gateway.metrics import FAMILIES
from gateway.tracing import outgoing
from tests.tracing.collector import open_collector
from tests.tracing.made import PARENT_ID, TRACE_ID, TRACEPARENT, dropped, finish, tracing_to


async def test_spans_get_to_the_collector_with_parent_attributes_and_service() -> None:
    async with open_collector() as collector:
        tracing = tracing_to(collector.url)
        outer = tracing.begin("outer", SpanKind.SERVER, TRACEPARENT, {"streamId": "table"})
        with use_span(outer, end_on_exit=True):
            traceparent = outgoing()["traceparent"]
        inner = tracing.begin("inner", SpanKind.CLIENT, traceparent, {"retries": 3})
        inner.add_event("not answered well")
        inner.end()
        await tracing.stop(10.0)
    seen, child = collector.named("outer"), collector.named("inner")
    assert (seen.trace_id, seen.parent_span_id, seen.kind) == (TRACE_ID, PARENT_ID, "SPAN_KIND_SERVER")
    assert traceparent == f"00-{TRACE_ID}-{seen.span_id}-01"
    assert (child.trace_id, child.parent_span_id, child.kind) == (TRACE_ID, seen.span_id, "SPAN_KIND_CLIENT")
    assert (seen.attributes, child.attributes) == ({"streamId": "table"}, {"retries": 3})
    assert child.events == ["not answered well"]
    assert collector.resources[0]["service.name"] == "railbird-gateway"


async def test_span_may_have_begun_before_it_was_made() -> None:
    async with open_collector() as collector:
        tracing = tracing_to(collector.url)
        span = tracing.begin("late", SpanKind.CLIENT, None, {}, begin_unix_s=1_000.25)
        span.end(end_time=1_001_000_000_000)
        await tracing.stop(10.0)
    assert collector.named("late").duration_s == 0.75


async def test_endpoint_with_a_path_is_taken_as_it_is() -> None:
    async with open_collector() as collector:
        tracing = tracing_to(f"{collector.url}/v1/traces")
        finish(tracing)
        await tracing.stop(10.0)
    assert len(collector.spans) == 1


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        f"00-{'0' * 32}-{PARENT_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"ff-{TRACE_ID}-{PARENT_ID}-01",
        f"00-{TRACE_ID}-{PARENT_ID}",
        f"00-{TRACE_ID}-{PARENT_ID}-01-more",
        f"00-{TRACE_ID}-{PARENT_ID}-01\r\nX-Evil: 1",
        "00-" + "x" * 10_000,
    ],
)
async def test_traceparent_that_is_none_is_ignored(traceparent: str) -> None:
    async with open_collector() as collector:
        tracing = tracing_to(collector.url)
        finish(tracing, traceparent=traceparent)
        await tracing.stop(10.0)
    seen = collector.named("work")
    assert seen.parent_span_id == ""
    assert seen.trace_id != TRACE_ID
    off = tracing_to(None).begin("work", SpanKind.INTERNAL, traceparent, {})
    with use_span(off):
        assert outgoing() == {}


async def test_share_is_of_traces_that_begin_here_and_not_of_those_that_go_on() -> None:
    async with open_collector() as collector:
        tracing = tracing_to(collector.url, sample_share=0.0)
        finish(tracing, count=10)
        finish(tracing, count=3, traceparent=TRACEPARENT)
        finish(tracing, count=5, traceparent=TRACEPARENT.removesuffix("01") + "00")
        await tracing.stop(10.0)
    assert [span.trace_id for span in collector.spans] == [TRACE_ID] * 3


async def test_without_an_endpoint_nothing_is_made_and_the_trace_passes_through() -> None:
    threads = threading.active_count()
    tracing = tracing_to(None)
    assert not tracing.is_on
    with use_span(tracing.begin("work", SpanKind.CLIENT, TRACEPARENT, {}), end_on_exit=True) as span:
        assert outgoing() == {"traceparent": TRACEPARENT}
        span.set_attribute("retries", 1)
    assert outgoing() == {}
    await tracing.stop(10.0)
    assert dropped(tracing) == 0
    assert all(FAMILIES[name].labels == labels for name, labels, _count in tracing.samples())
    assert threading.active_count() == threads


def test_without_an_endpoint_the_sdk_is_not_even_imported() -> None:
    code = (
        "import sys, gateway.app; from gateway.tracing import Tracing; from gateway.config import TracingSettings; "
        "Tracing(TracingSettings()); assert 'opentelemetry.sdk' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_span_of_one_request_is_not_the_parent_of_the_next() -> None:
    async with open_collector() as collector:
        tracing = tracing_to(collector.url)
        with use_span(tracing.begin("first", SpanKind.SERVER, None, {}), end_on_exit=True):
            tracing.begin("second", SpanKind.SERVER, None, {}).end()
        assert not get_current_span().get_span_context().is_valid
        await tracing.stop(10.0)
    assert collector.named("second").parent_span_id == ""
    assert collector.named("second").trace_id != collector.named("first").trace_id
