"""Players that hop, vanish, say goodbye and change networks."""

from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import GatewayProcess
from tests.loadgen.e2e.command import Finished, judged_by, run, to_a_verdict
from tests.loadgen.e2e.scenarios import players, scenario, studio

LEAVES = {"hop": 3, "tab_close": 2, "goodbye": 2}
HOPPERS = players(8, "hoppers", stay="2s", leaves=LEAVES, away="200ms", sampled="50%")
PHONES = players(3, "phones", ice_restart_every="2s", sampled="50%")


async def test_players_hop_vanish_and_change_networks(
    start_gateway: StartGateway, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    churn = scenario("10s", HOPPERS, PHONES, studios=(studio("table-{n}", streams=3),))
    thresholds = ("sessions_failed == 0", "authentication_failures == 0", "closed_by_server == 0", "residual_loss < 1%")
    gateways: list[GatewayProcess] = []

    async def attempt() -> Finished:
        gateways.append(await start_gateway(TIMEOUTS__IDLE_S="60"))  # So that it remembers who vanished.
        return await run(tmp_path, churn, gateways[-1].url, *judged_by(*thresholds))

    finished = await to_a_verdict(attempt)
    assert finished.exit_status == 0, finished.output
    totals = finished.report["totals"]
    measured(f"{totals['joins']} joins, {totals['ice_restarts']} ICE restarts, ended: {totals['ended']}")
    assert totals["ice_restarts"] >= 3
    assert set(totals["ended"]) == {*LEAVES, "run_end"}
    assert sum(totals["ended"].values()) == totals["joins"] == len(finished.sessions)
    assert {session["stream"] for session in finished.sessions} == {"table-1", "table-2", "table-3"}

    phones = [session for session in finished.sessions if session["group"] == "phones"]
    assert [session["end"] for session in phones] == ["run_end"] * 3
    assert sum(session["ice_restarts"] for session in phones) == totals["ice_restarts"]
    assert all(session["longest_gap_s"] < 2 for session in phones)

    # The gateway saw the same: every network, and of those who left, all but who vanished.
    gateway = gateways[-1]
    joined = {event["session"] for event in gateway.events("connected")}  # Not who was still joining at the end.
    networks = [event for event in gateway.events("address") if event["leg"] == "egress" and event["session"] in joined]
    assert len(networks) == totals["joins"] + totals["ice_restarts"]
    left = [session for session in await gateway.sessions() if session["leg"] == "egress"]
    assert len(left) == totals["ended"]["tab_close"]
