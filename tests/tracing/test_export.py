"""What becomes of spans when the collector is down, slow or full."""

import asyncio
import contextlib
import socket

import pytest
from structlog.testing import capture_logs

from gateway.clock import monotonic_s
from gateway.tracing import export
from tests.bets.casino import until
from tests.tracing.collector import open_collector
from tests.tracing.made import dropped, finish, tracing_to

ENDLESS_BYTES = 64 * 1024 * 1024
REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
"""After which an export is not tried again."""


async def test_collector_that_is_down_costs_counted_spans_and_one_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Port 9 is nobody's."""
    monkeypatch.setattr(export, "EXPORT_TIMEOUT_S", 0.2)
    with capture_logs() as logs:
        tracing = tracing_to("http://127.0.0.1:9")
        for _ in range(3):
            begun_s = monotonic_s()
            finish(tracing, count=200)
            assert monotonic_s() - begun_s < 1.0
            await asyncio.sleep(0.05)
        await tracing.stop(20.0)
    assert dropped(tracing) == 600
    assert [each["event"] for each in logs] == ["traces cannot be exported"]
    assert capfd.readouterr() == ("", "")


async def test_spans_beyond_the_queue_are_dropped_and_counted() -> None:
    async with open_collector() as collector:
        tracing = tracing_to(collector.url)
        # The loop stands still meanwhile, and the collector, which lives in it, answers nothing.
        finish(tracing, count=export.MAX_WAITING_SPANS + 500)
        assert dropped(tracing) == 500
        await tracing.stop(30.0)
    assert len(collector.spans) == export.MAX_WAITING_SPANS


async def test_collector_that_comes_back_gets_spans_again() -> None:
    async with open_collector() as collector:
        collector.status = 400
        with capture_logs() as logs:
            tracing = tracing_to(collector.url)
            finish(tracing, count=10)
            await until(lambda: dropped(tracing) == 10)
            collector.status = 200
            finish(tracing, count=10)
            await tracing.stop(10.0)
    assert len(collector.spans) == 10
    assert [each["event"] for each in logs] == ["traces cannot be exported", "traces are exported again"]


async def test_stop_waits_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "EXPORT_TIMEOUT_S", 60.0)
    with socket.create_server(("127.0.0.1", 0)) as silent, capture_logs() as logs:
        tracing = tracing_to(f"http://127.0.0.1:{silent.getsockname()[1]}")
        finish(tracing)
        await tracing.stop(0.2)
        assert logs == []
        # The export goes on without anybody who waits; what it says at its end must not come into a later test's logs.
        connection, _address = silent.accept()
        with connection:
            connection.sendall(REFUSAL)
            await until(lambda: bool(logs))
    assert dropped(tracing) == 1


async def test_answer_without_end_is_not_read() -> None:
    sent_bytes = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent_bytes
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while sent_bytes < ENDLESS_BYTES:
                writer.write(b"x" * 65_536)
                sent_bytes += 65_536
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(endless, "127.0.0.1", 0) as server:
        tracing = tracing_to(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        finish(tracing)
        await tracing.stop(30.0)
    # The kernel's buffers hold more than is read.
    assert sent_bytes < ENDLESS_BYTES
    assert dropped(tracing) == 0
