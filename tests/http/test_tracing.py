"""Spans over HTTP signalling, as a collector receives them."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import structlog

from gateway import log
from gateway.hub.sessions import Sessions
from tests.bets.casino import until
from tests.http.conftest import Api, Serve
from tests.tracing.collector import Collector, open_collector
from tests.tracing.made import PARENT_ID, TRACE_ID, TRACEPARENT

ROUNDS = "/api/v1/streams/table/rounds"
JSON = {"Content-Type": "application/json"}
TOKEN = "hunter2-hunter2"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """One that takes spans."""
    async with open_collector() as opened:
        yield opened


@pytest.fixture
async def api(collector: Collector, serve: Serve) -> Api:
    """A gateway that traces; it ends before its collector does."""
    return await serve(tracing={"otlp_endpoint": collector.url}, tokens={"publish": TOKEN, "watch": TOKEN})


async def flushed(api: Api) -> None:
    """Everything that has ended is with the collector."""
    await api.gateway.tracing.stop(10.0)


async def test_publishing_continues_the_clients_trace(api: Api, collector: Collector) -> None:
    answer = await api.publish(Authorization=f"Bearer {TOKEN}", traceparent=TRACEPARENT)
    assert answer.status == 201
    await flushed(api)
    span = collector.named("POST /whip/{stream}")
    assert (span.trace_id, span.parent_span_id, span.kind) == (TRACE_ID, PARENT_ID, "SPAN_KIND_SERVER")
    assert span.attributes == {
        "http.request.method": "POST",
        "http.route": "/whip/{stream}",
        "streamId": "table",
        "http.response.status_code": 201,
    }


async def test_session_and_token_are_in_no_span(api: Api, collector: Collector) -> None:
    api.go_live()
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    location = (await api.watch(Authorization=f"Bearer {TOKEN}"))["Location"]
    assert (await api.request("DELETE", location, headers=bearer)).status == 200
    await api.request("GET", f"/signals/table?token={TOKEN}")
    await flushed(api)
    assert collector.named("DELETE /whep/{stream}/{session}").attributes["http.response.status_code"] == 200
    session = location.rpartition("/")[2]
    assert session not in repr(collector.spans)
    assert TOKEN not in repr(collector.spans)


async def test_rounds_are_traced(api: Api, collector: Collector) -> None:
    api.go_live()
    headers = {"Authorization": f"Bearer {TOKEN}", **JSON}
    assert (await api.request("POST", ROUNDS, '{"state": "betting_open"}', headers)).status == 201
    await flushed(api)
    assert collector.named("POST /api/v1/streams/{stream}/rounds").attributes["http.response.status_code"] == 201


async def test_refusal_is_no_error_of_ours(api: Api, collector: Collector) -> None:
    assert (await api.publish()).status == 401
    await flushed(api)
    span = collector.named("POST /whip/{stream}")
    assert (span.attributes["http.response.status_code"], span.is_error) == (401, False)


async def test_bug_of_ours_is_an_error(api: Api, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(TOKEN)

    monkeypatch.setattr(Sessions, "open", fail)
    assert (await api.publish(Authorization=f"Bearer {TOKEN}")).status == 500
    await flushed(api)
    span = collector.named("POST /whip/{stream}")
    assert (span.attributes["http.response.status_code"], span.is_error) == (500, True)
    assert TOKEN not in repr(span)


async def test_method_that_is_not_allowed_is_outside_of_the_routes(api: Api, collector: Collector) -> None:
    assert (await api.request("PUT", "/whip/table")).status == 405
    await flushed(api)
    assert collector.spans == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("OPTIONS", "/whip/table"),
        ("GET", "/livez"),
        ("GET", "/metrics"),
        ("GET", "/hls/table/index.m3u8"),
        ("GET", "/nowhere"),
    ],
)
async def test_what_is_no_signalling_is_not_traced(api: Api, collector: Collector, method: str, path: str) -> None:
    await api.request(method, path)
    await flushed(api)
    assert collector.spans == []


async def test_span_of_signals_ends_when_they_have_come(api: Api, collector: Collector) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(
            f"http://127.0.0.1:{api.port}/signals/table",
            protocols=("railbird.signals.v1",),
            headers={"Authorization": f"Bearer {TOKEN}", "traceparent": TRACEPARENT},
        ) as socket,
    ):
        assert (await socket.receive_json(timeout=10))["type"] == "welcome"
        await flushed(api)
        span = collector.named("GET /signals/{stream}")
    assert (span.trace_id, span.attributes["http.response.status_code"]) == (TRACE_ID, 101)


async def test_request_whose_client_has_gone_has_a_span(api: Api, collector: Collector) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(
        b"POST /whip/table HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 100\r\n"
        b"Authorization: Bearer %b\r\nExpect: 100-continue\r\n\r\n" % TOKEN.encode()
    )
    assert b" 100 " in await reader.readline()
    writer.close()
    await until(lambda: len(collector.spans) == 1)
    assert collector.spans[0].name == "POST /whip/{stream}"
    assert "http.response.status_code" not in collector.spans[0].attributes


async def test_log_lines_of_a_request_name_its_trace(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json", "info")
    try:
        answer = await api.publish(Authorization=f"Bearer {TOKEN}", traceparent=TRACEPARENT)
        await api.request("DELETE", answer["Location"], headers={"Authorization": f"Bearer {TOKEN}"})
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        structlog.reset_defaults()
    (opened,) = [line for line in lines if line["event"] == "session opened"]
    assert (opened["traceId"], opened["streamId"]) == (TRACE_ID, "table")


async def test_nothing_is_traced_without_an_endpoint(serve: Serve) -> None:
    api = await serve()
    assert not api.gateway.tracing.is_on
    assert (await api.publish(traceparent=TRACEPARENT)).status == 201


async def test_page_of_another_origin_may_send_its_trace(api: Api) -> None:
    preflight = await api.request("OPTIONS", "/whep/table", headers={"Origin": "https://tables.example"})
    assert "traceparent" in preflight["Access-Control-Allow-Headers"]
