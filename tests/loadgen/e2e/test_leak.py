"""A server that keeps what it should forget, and the same server that does not."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.network import skip_without_gathered_addresses
from tests.loadgen.e2e.command import Finished, judged_by, run, to_a_verdict
from tests.loadgen.e2e.scenarios import players, scenario
from tests.loadgen.stock.process import StockServer

LEAK_BYTES = 12_000_000
"""Of each session."""
THRESHOLD = "gateway_rss_slope < 150%/min"
"""A process that starts grows a little at any rate."""
COMERS_AND_GOERS = scenario("31s", players(3, streams=["any"], stay="2s", leaves={"goodbye": 1}, away="0s"), studios=())


async def _loaded(directory: Path, *server_flags: str) -> Finished:
    async with StockServer("--own-picture", *server_flags) as server:
        flags = ("--gateway-pid", str(server.pid), *judged_by(THRESHOLD, "join_failures == 0%"))
        return await run(directory, COMERS_AND_GOERS, server.url, *flags)


@pytest.mark.timeout(240)
async def test_leak_misses_the_threshold_that_the_same_server_meets_without(
    tmp_path_factory: pytest.TempPathFactory, measured: Callable[[str], None]
) -> None:
    skip_without_gathered_addresses()
    leaking, tight = (tmp_path_factory.mktemp(name) for name in ("leaking", "tight"))
    missed, met = await asyncio.gather(
        to_a_verdict(lambda: _loaded(leaking, "--leak", str(LEAK_BYTES))), to_a_verdict(lambda: _loaded(tight))
    )
    leaky, healthy = ((finished.measured(THRESHOLD) or 0) * 60 for finished in (missed, met))
    measured(f"grew by {leaky:.0%} a minute in {len(missed.sessions)} sessions, without the leak by {healthy:.0%}")
    assert (missed.exit_status, missed.missed) == (1, [THRESHOLD])
    assert (met.exit_status, met.missed) == (0, []), met.output
