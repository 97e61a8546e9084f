"""One request, and what its answer means."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Protocol

import pytest
from aiohttp import web

from gateway.bets.handover import handover
from gateway.bets.signature import signature
from gateway.bets.webhook import MAX_ANSWER_BYTES, MAX_RETRY_AFTER_S, Fate, Verdict, Webhook, verdict_of
from tests.bets.casino import Casino, open_casino, refuse, take
from tests.bets.table import bet

SECRET = b"secret"
NOW_UNIX_S = 1_700_000_000.9
HANDED = handover(bet(), 60.0)


class Hook(Protocol):
    """Makes webhooks to `url`, which wait `timeout_s`: ten seconds, where a test is not about that."""

    def __call__(self, url: str, timeout_s: float = 10.0) -> Webhook: ...


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    """Closes them after the test."""
    async with AsyncExitStack() as stack:

        def made(url: str, timeout_s: float = 10.0) -> Webhook:
            webhook = Webhook(url, SECRET, timeout_s, connections=4)
            stack.push_async_callback(webhook.close)
            return webhook

        yield made


@pytest.fixture
async def casino() -> AsyncIterator[Casino]:
    """One that takes bets."""
    async with open_casino() as opened:
        yield opened


@pytest.mark.parametrize(
    ("statuses", "fate"),
    [
        ((200, 201, 202, 204), Fate.DELIVERED),
        ((400, 401, 403, 404, 410, 413, 422), Fate.REFUSED),
        ((408, 409, 425, 429), Fate.TRY_AGAIN),
        ((500, 502, 503, 504, 599), Fate.TRY_AGAIN),
        ((301, 302, 303, 307, 308), Fate.TRY_AGAIN),
    ],
)
def test_fate_is_read_from_the_status(statuses: tuple[int, ...], fate: Fate) -> None:
    assert {verdict_of(status, None, 0.0) for status in statuses} == {
        Verdict(fate, f"HTTP {status}") for status in statuses
    }


@pytest.mark.parametrize(
    ("value", "expected_s"),
    [
        (None, None),
        ("0", None),
        ("000", None),
        ("7", 7.0),
        ("9" * 400, MAX_RETRY_AFTER_S),
        ("Tue, 14 Nov 2023 22:13:30 GMT", pytest.approx(9.1)),
        ("Tue, 14 Nov 2023 22:13:00 GMT", None),
        ("Tue, 14 Nov 2033 22:13:30 GMT", MAX_RETRY_AFTER_S),
        ("soon", None),
        ("-5", None),
        ("٣", None),
        ("Tue, 99 Nov 2023 22:13:30 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(value: str | None, expected_s: float | None) -> None:
    assert verdict_of(503, value, NOW_UNIX_S).retry_after_s == expected_s


async def test_request_is_signed_named_and_traced(hook: Hook, casino: Casino) -> None:
    verdict = await hook(casino.url).post(HANDED, {"traceparent": "00-1-2-3"}, NOW_UNIX_S)
    assert verdict == Verdict(Fate.DELIVERED, "HTTP 204")
    (call,) = casino.calls
    assert call.body == HANDED.body
    expected = {
        "Content-Type": "application/json",
        "Idempotency-Key": "table/r1/ada/b1",
        "X-Railbird-Signature": signature(SECRET, HANDED.body, 1_700_000_000),
        "traceparent": "00-1-2-3",
        "User-Agent": "railbird-gateway",
    }
    assert {name: call.headers[name] for name in expected} == expected


async def test_connection_is_kept(hook: Hook, casino: Casino) -> None:
    webhook = hook(casino.url)
    for _ in range(5):
        await webhook.post(HANDED, {}, NOW_UNIX_S)
    assert len(casino.connections) == 1


async def test_redirect_is_not_followed(hook: Hook, casino: Casino) -> None:
    async with open_casino() as elsewhere:
        casino.reply = refuse(307, Location=elsewhere.url)
        verdict = await hook(casino.url).post(HANDED, {}, NOW_UNIX_S)
    assert (verdict.fate, verdict.reason) == (Fate.TRY_AGAIN, "HTTP 307")
    assert elsewhere.calls == []


async def test_cookie_is_not_kept(hook: Hook, casino: Casino) -> None:
    casino.reply = refuse(503, Set_Cookie="a=b")
    webhook = hook(casino.url)
    for _ in range(2):
        await webhook.post(HANDED, {}, NOW_UNIX_S)
    assert not [call for call in casino.calls if "Cookie" in call.headers]


async def test_no_answer_in_time_may_be_tried_again(hook: Hook, casino: Casino) -> None:
    async def never(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return await take(request)

    casino.reply = never
    verdict = await hook(casino.url, 0.5).post(HANDED, {}, NOW_UNIX_S)
    assert verdict == Verdict(Fate.TRY_AGAIN, "no answer in 0.5 s")


async def test_nobody_there_may_be_tried_again(hook: Hook) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # nobody listens there
        verdict = await hook(f"http://127.0.0.1:{bound.getsockname()[1]}/bets").post(HANDED, {}, NOW_UNIX_S)
    assert verdict.fate is Fate.TRY_AGAIN
    assert "Error" in verdict.reason


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"hello\r\n\r\n",
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"HTTP/1.1 204 x\r\n" + b"a: b\r\n" * 100_000,
    ],
)
async def test_answer_that_is_no_http_may_be_tried_again(hook: Hook, answer: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        verdict = await hook(f"http://127.0.0.1:{port}/bets").post(HANDED, {}, NOW_UNIX_S)
    assert verdict.fate is Fate.TRY_AGAIN


@pytest.mark.parametrize(("pause_s", "timeout_s"), [(0.0, 10.0), (60.0, 1.0)])
async def test_body_without_end_is_not_read_and_changes_nothing(
    hook: Hook, casino: Casino, pause_s: float, timeout_s: float
) -> None:
    sent_bytes = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent_bytes
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b"x" * 4096)
            sent_bytes += 4096
            await asyncio.sleep(pause_s)
        return response

    casino.reply = endless
    verdict = await hook(casino.url, timeout_s).post(HANDED, {}, NOW_UNIX_S)
    assert verdict == Verdict(Fate.DELIVERED, "HTTP 200")
    # The kernel's buffers hold more than we read.
    assert sent_bytes < 10_000 * 4096 - MAX_ANSWER_BYTES
