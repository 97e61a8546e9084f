"""Players of the bench have signals of a real gateway, and the floor echoes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from loadgen.figures import Interval, SignalCounts
from tests.bench.gateway_process import HOST, STREAM
from tests.bench.pictures import Studio
from tests.bench.probe import Probe
from tests.bench.signals.chorus import Chorus
from tests.bench.signals.crowd import Crowd, Kind
from tests.bench.signals.echo import Echo
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import eventually

SETTINGS = {
    "SIGNALS__PING_S": "0.2",
    "ROUNDS__ABORTS__PICTURE_GAP_S": "3600",
    "ROUNDS__ABORTS__STUDIO_SILENT_S": "3600",
}


@pytest.fixture
async def cleanup() -> AsyncIterator[AsyncExitStack]:
    """What a test starts goes in here: it ends in reverse order."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def gateway(tmp_path: Path, cleanup: AsyncExitStack) -> GatewayProcess:
    """With a studio that is silent."""
    process = GatewayProcess(tmp_path / "gateway.log", f"{HOST}:0", f"{HOST}:0", SETTINGS)
    cleanup.push_async_callback(process.stop)
    await process.start()
    probe = Probe(f"{process.url}/whip/{STREAM}", f"{process.url}/whep/{STREAM}", HOST, Studio.FFMPEG)
    cleanup.push_async_callback(probe.close)
    await probe.publish()
    return process


async def _round(gateway: GatewayProcess, body: dict[str, object]) -> None:
    async with gateway.http.post(f"/api/v1/streams/{STREAM}/rounds", json=body) as response:
        assert response.status in (200, 201), await response.text()


@pytest.mark.parametrize("kind", ["websocket", "data_channel"])
async def test_players_answer_pings_and_bet(gateway: GatewayProcess, cleanup: AsyncExitStack, kind: Kind) -> None:
    crowd = Crowd(gateway.url)
    cleanup.push_async_callback(crowd.close)
    await crowd.join(kind, 3, 2)
    seen = Interval(0.0, 0.0)

    async def counts() -> SignalCounts:
        seen.merge(await crowd.take())
        return seen.signals.get(STREAM, SignalCounts())

    await _round(gateway, {"roundId": "r1", "state": "betting_open", "closesInMs": 1000})
    await eventually(counts, lambda total: total.bets_answered == 6 and seen.signal_rtt_s.count >= 3)
    seen.merge(await crowd.leave())
    total = seen.signals[STREAM]
    assert (total.bets, total.bets_answered, total.bets_unanswered, total.rules_broken) == (6, 6, 0, 0)
    assert seen.signal_rtt_s.count >= 3
    assert seen.bet_rtt_s.count == 6


async def test_players_without_signals_are_what_others_are_compared_with(
    gateway: GatewayProcess, cleanup: AsyncExitStack
) -> None:
    crowd = Crowd(gateway.url)
    cleanup.push_async_callback(crowd.close)
    await crowd.join("plain", 2, 0)
    seen = await crowd.leave()
    assert seen.ended == {"run_end": 2}
    assert (await gateway.metrics()).value("railbird_signal_messages_total") == 0


async def test_echo_is_measured(cleanup: AsyncExitStack) -> None:
    echo = Echo()
    cleanup.push_async_callback(echo.close)
    url, _pid = await echo.start()
    chorus = Chorus(url)
    cleanup.push_async_callback(chorus.close)
    await chorus.join(3, 0.05)
    heard: list[float] = []

    async def echoes() -> int:
        heard.extend(await chorus.take())
        return len(heard)

    await eventually(echoes, lambda count: count >= 9)
    assert all(0 < rtt_s < 5 for rtt_s in heard)
