"""Loss that is really made is measured as what it is: made in the client, and made on the way."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.relay import LISTEN, Relay, relay_before
from tests.e2e.waiting import until
from tests.loadgen.e2e.command import Finished, Loadgen, judged_by, run, to_a_verdict
from tests.loadgen.e2e.scenarios import players, scenario, studio

LOSS = 0.03
TOLERANCE = 0.05
"""Of the true rate."""
MAX_RESIDUAL_LOSS = 0.002
"""What was lost in the very last moment is asked for no more."""
VIEWERS = 8
STUDIOS = (studio(bitrate="2Mbps"),)
"""Eight players, about 200 packets a second each."""
ARRIVE_AT = "1s"
"""By then the studio's path is good for the whole run, and that of whoever comes is bad."""


def assert_repaired(finished: Finished) -> None:
    assert finished.media["recovered"] > 0
    assert finished.media["residual_loss"] < MAX_RESIDUAL_LOSS
    assert finished.media["authentication_failures"] == 0


async def test_loss_made_in_the_client_is_measured_at_its_rate(
    gateway: GatewayProcess, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    impairment = {"loss": f"{LOSS:.0%}", "burst": 3}
    lossy = scenario("7s", players(VIEWERS, impairment=impairment), studios=STUDIOS)
    flags = judged_by("loss > 1%", "loss < 0.5%")
    finished = await to_a_verdict(lambda: run(tmp_path, lossy, gateway.url, *flags))
    media = finished.media
    expected = media["packets"] - media["recovered"] + media["lost"]
    true_loss = media["impaired"] / expected
    measured(
        f"lost {media['loss']:.3%}, made {true_loss:.3%} of {expected} packets, never came {media['residual_loss']:.3%}"
    )
    assert media["loss"] == pytest.approx(true_loss, rel=TOLERANCE)
    assert true_loss == pytest.approx(LOSS, rel=0.5)
    assert_repaired(finished)
    assert (finished.exit_status, finished.missed) == (1, ["loss < 0.5%"])


async def test_loss_on_the_way_is_measured_at_its_rate(
    start_gateway: StartGateway,
    cleanup: contextlib.AsyncExitStack,
    tmp_path: Path,
    measured: Callable[[str], None],
) -> None:
    lossy = scenario("8s", players(VIEWERS, arrival={"at": ARRIVE_AT}), studios=STUDIOS)
    relays: list[Relay] = []

    async def attempt() -> Finished:
        gateway = await start_gateway(**LISTEN)
        relays.append(await cleanup.enter_async_context(relay_before(gateway)))
        async with Loadgen(tmp_path, lossy, gateway.url, "--gateway-metrics", f"{gateway.url}/metrics") as loadgen:
            await _lose_from_now_on(relays[-1])
            return await loadgen.finished()

    finished = await to_a_verdict(attempt)
    assert finished.exit_status == 0, finished.output
    assert finished.report["totals"]["joins"] == VIEWERS

    media, paths = finished.media, list(relays[-1].paths.values())[1:]
    lost = sum(path.lost["rtp"] for path in paths)
    # The relay loses retransmissions, too; which of them, it does not tell.
    retransmissions = next(row for row in finished.report["comparison"] if "retransmitted" in row["name"])
    lost_at_first = lost - (retransmissions["server"] - retransmissions["client"])
    measured(
        f"lost {media['lost']} ({media['loss']:.3%}), made {lost_at_first:.0f}, "
        f"and {lost - lost_at_first:.0f} retransmissions; never came {media['residual_loss']:.3%}"
    )
    assert media["lost"] == pytest.approx(lost_at_first, rel=TOLERANCE)
    assert media["loss"] == pytest.approx(LOSS, rel=0.5)
    assert media["impaired"] == 0
    assert_repaired(finished)


async def _lose_from_now_on(relay: Relay) -> None:
    """Let the studio's path be, and the players' lose."""
    await until(lambda: len(relay.paths) > 0, within_s=30)
    relay.loss = LOSS
