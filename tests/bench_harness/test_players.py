"""What players of both kinds tell of a stream that the gateway really serves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.crowd import Crowd
from tests.bench.pictures import AUDIO_PACKET_RATE, FRAME_RATE, VIDEO_BPS, Studio
from tests.bench.probe import Probe, ProbeFigures
from tests.bench.studio import StudioSession
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import eventually
from tests.e2e.windows import in_one_window

HOST = "127.0.0.1"
STREAM = "bench"
FEWEST_PACKETS_A_SECOND = FRAME_RATE + AUDIO_PACKET_RATE
FEWEST_BYTES = VIDEO_BPS // 16
"""Half a second's."""


@pytest.fixture
async def cleanup() -> AsyncIterator[AsyncExitStack]:
    """What a test starts goes in here: it ends in reverse order."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def gateway(tmp_path: Path, cleanup: AsyncExitStack) -> GatewayProcess:
    process = GatewayProcess(tmp_path / "gateway.log", f"{HOST}:0", f"{HOST}:0", {})
    cleanup.push_async_callback(process.stop)
    return await process.start()


@pytest.fixture(params=Studio, ids=lambda studio: studio.value)
async def probe(gateway: GatewayProcess, cleanup: AsyncExitStack, request: pytest.FixtureRequest) -> Probe:
    """With a studio on air."""
    url = gateway.url
    probe = Probe(f"{url}/whip/{STREAM}", f"{url}/whep/{STREAM}", HOST, request.param)
    cleanup.push_async_callback(probe.close)
    await probe.publish()
    await probe.go_live(True)
    await gateway.live(STREAM)
    return probe


async def test_sampled_player_finds_every_packet_as_it_was_sent(probe: Probe) -> None:
    lost = 0

    async def measure() -> ProbeFigures:
        """With one more player; what was lost in the window before is not counted."""
        nonlocal lost
        await probe.join(1)
        await probe.begin_window()
        await asyncio.sleep(1.0)
        figures = await probe.end_window()
        lost_before, lost = lost, figures.lost
        return replace(figures, lost=lost - lost_before)

    def holds(figures: ProbeFigures) -> bool:
        is_fast = len(figures.delays_ns) > FEWEST_PACKETS_A_SECOND and max(figures.delays_ns) < 1e9
        return is_fast and figures.lost == 0

    figures = await in_one_window(measure, holds)
    assert min(figures.delays_ns) > 0
    assert (figures.duplicates, figures.wrong) == (0, 0)


async def test_sampled_player_notices_what_was_not_sent(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StudioSession, "_remember", _remember_another)
    await probe.join(1)
    await asyncio.sleep(0.5)
    assert (await probe.end_window()).wrong > 0


def _remember_another(studio: StudioSession, stamp_ns: int, payload: bytes) -> None:
    studio.sent[stamp_ns] = payload[:-1] + bytes((payload[-1] ^ 1,))


@pytest.mark.parametrize("probe", [Studio.FFMPEG], indirect=True)
async def test_draining_player_reports_to_the_gateway(
    probe: Probe, gateway: GatewayProcess, cleanup: AsyncExitStack
) -> None:
    crowd = Crowd(f"{gateway.url}/whep/{STREAM}", HOST)
    cleanup.push_async_callback(crowd.close)
    await crowd.join(2)
    # A round trip is told by a report that names a sender report of the gateway's.
    await eventually(lambda: _reported(gateway), lambda reports: reports >= 2)
    figures = await eventually(crowd.figures, lambda figures: figures.received_bytes > 2 * FEWEST_BYTES)
    assert figures.kernel_drops == 0


async def _reported(gateway: GatewayProcess) -> float:
    return (await gateway.metrics()).value("railbird_media_rtt_seconds_count", leg="egress")
