"""A bet's trace: from the player's message to the upstream and back."""

import pytest

from gateway.bets.lanes import Pauses
from gateway.bets.upstream import WebhookUpstream
from gateway.clock import WallClock, monotonic_s
from gateway.config import UpstreamSettings
from tests.bets.casino import Casino, open_casino, refuse, take, until
from tests.bets.table import bet
from tests.tracing.collector import SpanSeen, open_collector
from tests.tracing.made import PARENT_ID, TRACE_ID, TRACEPARENT, tracing_to


async def handed_on(casino: Casino, endpoint: str | None, traceparent: str | None, attempts: int = 1) -> None:
    """One bet, whose outcome is known after so many attempts; its spans are exported."""
    tracing = tracing_to(endpoint)
    settings = UpstreamSettings.model_validate({"url": casino.url, "secret": "secret"})
    upstream = WebhookUpstream(settings, WallClock(1000.0), tracing, Pauses(0.001, 0.01))
    upstream.start()
    upstream.offer(bet(traceparent=traceparent, now_s=monotonic_s()))
    await until(lambda: len(casino.calls) >= attempts)
    if casino.calls[-1].status >= 500:
        casino.reply = take
    await until(lambda: upstream.waiting == 0)
    await upstream.stop(0.0)
    await tracing.stop(10.0)


async def span_of(casino: Casino, traceparent: str | None, attempts: int = 1) -> SpanSeen:
    """The bet's span."""
    async with open_collector() as collector:
        await handed_on(casino, collector.url, traceparent, attempts)
    return collector.named("bet")


async def test_webhook_gets_the_trace_of_the_players_message() -> None:
    async with open_casino() as casino:
        span = await span_of(casino, TRACEPARENT)
    assert (span.trace_id, span.parent_span_id, span.kind) == (TRACE_ID, PARENT_ID, "SPAN_KIND_CLIENT")
    assert casino.calls[0].headers["traceparent"] == f"00-{TRACE_ID}-{span.span_id}-01"
    assert span.attributes == {
        "streamId": "table",
        "roundId": "r1",
        "betId": "b1",
        "outcome": "delivered",
        "retries": 0,
        "reason": "HTTP 204",
    }


async def test_attempts_that_fail_are_in_the_one_span_of_the_bet() -> None:
    async with open_casino(refuse(503)) as casino:
        span = await span_of(casino, TRACEPARENT, attempts=3)
    retries = len(casino.calls) - 1
    assert retries >= 3
    assert (span.attributes["outcome"], span.attributes["retries"]) == ("delivered", retries)
    assert span.events == ["not answered well"] * retries
    assert len({call.headers["traceparent"] for call in casino.calls}) == 1


async def test_refused_bet_is_undelivered_in_its_span() -> None:
    async with open_casino(refuse(422)) as casino:
        span = await span_of(casino, None)
    assert (span.attributes["outcome"], span.attributes["reason"]) == ("undelivered", "HTTP 422")


@pytest.mark.parametrize("traceparent", [None, "nonsense", f"00-{TRACE_ID}-{'0' * 16}-01"])
async def test_bet_without_a_trace_begins_one(traceparent: str | None) -> None:
    async with open_casino() as casino:
        span = await span_of(casino, traceparent)
    assert span.parent_span_id == ""
    assert span.trace_id != TRACE_ID
    # Its last flag: that the id is random all through (W3C Trace Context level 2).
    assert casino.calls[0].headers["traceparent"] == f"00-{span.trace_id}-{span.span_id}-03"


async def test_player_is_in_no_span() -> None:
    async with open_casino() as casino:
        assert "ada" not in repr(await span_of(casino, TRACEPARENT))


async def test_trace_passes_through_where_nothing_is_traced() -> None:
    async with open_casino() as casino:
        await handed_on(casino, None, TRACEPARENT)
    assert casino.calls[0].headers["traceparent"] == TRACEPARENT


@pytest.mark.parametrize("traceparent", [None, "nonsense", "x\r\nX-Evil: 1"])
async def test_nothing_that_is_no_trace_passes_through(traceparent: str | None) -> None:
    async with open_casino() as casino:
        await handed_on(casino, None, traceparent)
    assert "traceparent" not in {name.lower() for name in casino.calls[0].headers}
