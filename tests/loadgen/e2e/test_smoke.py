"""The same scenario against two servers that have nothing in common."""

from collections.abc import Callable
from pathlib import Path

from tests.e2e.gateway_process import GatewayProcess
from tests.loadgen.e2e.command import NO_TIMES, Finished, judged_by, run, to_a_verdict
from tests.loadgen.e2e.scenarios import roomy_thresholds
from tests.loadgen.stock.process import StockServer

VIEWERS = 4
FLAGS = ("--duration", "8s", "--viewers", str(VIEWERS), *NO_TIMES, *judged_by(*roomy_thresholds("smoke")))
MIN_FRAMES = VIEWERS * 30 * 3
"""Of 30 a second: the last of the players comes after 5 s, and a busy machine encodes fewer."""


def assert_all_is_well(finished: Finished) -> None:
    """Every player came, saw every frame whole, and stayed to the end."""
    assert finished.exit_status == 0, finished.output
    assert finished.report["outcome"] == "passed"
    assert finished.missed == []
    totals, media = finished.report["totals"], finished.media
    assert (totals["joins"], totals["join_failures"]) == (VIEWERS, {})
    assert totals["ended"] == {"run_end": VIEWERS}
    assert media["lost"] == media["frames_incomplete"] == media["frames_undecodable"] == 0
    assert media["authentication_failures"] == media["malformed"] == 0
    assert media["frames_complete"] >= MIN_FRAMES
    assert all(session["first_frame_s"] is not None for session in finished.sessions)


async def test_smoke_passes_against_railbird(
    gateway: GatewayProcess, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    more = ("--gateway-metrics", f"{gateway.url}/metrics", *judged_by("delay_p95 < 5s"))
    finished = await to_a_verdict(lambda: run(tmp_path, "smoke", gateway.url, *FLAGS, *more))
    assert_all_is_well(finished)
    delay, join = finished.distribution("delay_s"), finished.distribution("join_s")
    assert delay["count"] > 0
    assert 0 < delay["p50"] <= delay["p95"] < 5
    assert "delay p95" in finished.output
    assert finished.report["comparison"]
    assert all(counts["server"] == counts["client"] for counts in finished.report["comparison"])
    measured(
        f"{finished.media['frames_complete']} frames, join p95 {join['p95'] * 1e3:.1f} ms, "
        f"delay p95 {delay['p95'] * 1e3:.1f} ms, {finished.media['freeze_ratio']:.2%} frozen"
    )


async def test_smoke_passes_against_an_independent_server(
    stock: StockServer, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    more = ("--gateway-metrics", stock.metrics_url)
    finished = await to_a_verdict(lambda: run(tmp_path, "smoke", stock.url, *FLAGS, *more))
    assert_all_is_well(finished)
    # It encodes anew: no stamp of the studio is left, so there is no delay to speak of.
    delay, join = finished.distribution("delay_s"), finished.distribution("join_s")
    assert (delay["count"], delay["p95"]) == (0, None)
    assert "delay" not in finished.output
    assert finished.report["comparison"] == []
    measured(
        f"{finished.media['frames_complete']} frames, join p95 {join['p95'] * 1e3:.1f} ms, "
        f"{finished.media['freeze_ratio']:.2%} frozen"
    )
