"""What players see of a studio that hangs, and of one that comes back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadgen.players.freezes import MIN_INCREASE_S
from tests.e2e.gateway_process import GatewayProcess
from tests.loadgen.e2e.command import judged_by, run, to_a_verdict
from tests.loadgen.e2e.scenarios import players, scenario, studio

VIEWERS = 4
PAUSE_S = 2.0
AWAY_S = 1.0
MARGIN_S = 0.8
"""A busy machine sends the frame before and the one after late; a studio that comes back has a handshake to do."""


def assert_one_freeze(session: dict[str, Any]) -> None:
    """The longest gap is one freeze. A busy machine may add short ones of its own."""
    short = session["media"]["freezes"] - 1
    short_s = round(session["media"]["frozen_s"] - session["longest_gap_s"], 6)
    assert 0 <= short * MIN_INCREASE_S <= short_s < MARGIN_S


async def test_pause_of_the_studio_is_one_freeze_of_every_player(
    gateway: GatewayProcess, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    hanging = studio(events=[{"at": "3s", "pause": f"{PAUSE_S}s"}])
    steady = studio("table-2")
    groups = (players(VIEWERS, streams=["table-1"]), players(1, "others", streams=["table-2"]))
    proof = scenario("7s", *groups, studios=(hanging, steady))
    flags = judged_by("freezes == 0", "loss == 0%")
    finished = await to_a_verdict(lambda: run(tmp_path, proof, gateway.url, *flags))
    assert finished.exit_status == 1, finished.output
    assert finished.missed == ["freezes == 0"]
    assert finished.measured("freezes == 0") == sum(session["media"]["freezes"] for session in finished.sessions)
    seen = [session for session in finished.sessions if session["group"] == "viewers"]
    assert len(seen) == VIEWERS
    for session in seen:
        assert session["longest_gap_s"] == pytest.approx(PAUSE_S, abs=MARGIN_S)
        assert_one_freeze(session)
    assert all(session["longest_gap_s"] < MARGIN_S for session in finished.sessions if session["group"] == "others")
    gaps_s = sorted(session["longest_gap_s"] for session in seen)
    measured(f"{finished.media['freezes']} freezes, the longest of each {gaps_s[0]:.3f} to {gaps_s[-1]:.3f} s")


async def test_reconnect_of_the_studio_is_one_gap_of_players_that_stay(
    gateway: GatewayProcess, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    reconnect = {"at": "3s", "reconnect_after": f"{AWAY_S}s"}
    vanishing = studio("table-1", events=[reconnect])
    polite = studio("table-2", events=[reconnect | {"goodbye": True}])
    proof = scenario("7s", players(2 * VIEWERS), studios=(vanishing, polite))
    flags = judged_by("closed_by_server == 0", "studio_failures == 0")
    finished = await to_a_verdict(lambda: run(tmp_path, proof, gateway.url, *flags))
    assert finished.exit_status == 0, finished.output
    assert [stream["studio"]["connects"] for stream in finished.report["streams"].values()] == [2, 2]
    assert finished.report["totals"]["ended"] == {"run_end": 2 * VIEWERS}
    for session in finished.sessions:
        assert_one_freeze(session)
    assert finished.media["authentication_failures"] == 0
    for stream in ("table-1", "table-2"):
        gaps_s = sorted(session["longest_gap_s"] for session in finished.sessions if session["stream"] == stream)
        assert len(gaps_s) == VIEWERS
        assert gaps_s[0] >= AWAY_S
        assert gaps_s[-1] < AWAY_S + MARGIN_S
        measured(f"{stream}: the longest gap of each {gaps_s[0]:.3f} to {gaps_s[-1]:.3f} s")
