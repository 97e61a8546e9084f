"""Bets against a real gateway, and against servers that do not answer them as they have to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateway_process import GatewayProcess
from tests.loadgen.e2e.command import NO_TIMES, Finished, judged_by, run
from tests.loadgen.e2e.scenarios import players, scenario, studio
from tests.loadgen.signals.stub import STREAM, Answers, Json, Stub, ack, serving, well

RIGHT = (
    "join_failures == 0%",
    "signal_failures == 0",
    "bets > 0",
    "bets_unanswered == 0",
    "broken_signal_rules == 0",
    "bets_refused == 0",
    "rounds_aborted == 0",
    "round_failures == 0",
    "closed_by_server == 0",
)
"""What no load excuses."""
DURATION = "19s"
ROUNDS = 2
"""In that time: they open after 4 s and 11 s, and take 6 s each."""


def _judged(finished: Finished) -> None:
    """On a machine that is busy with other things the load generator may give no verdict: its sums still hold."""
    assert finished.report["outcome"] in ("passed", "threshold missed", "generator overloaded"), finished.output


async def test_bets_smoke_passes_against_railbird(
    gateway: GatewayProcess, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    more = ("--duration", DURATION, "--gateway-metrics", f"{gateway.url}/metrics")
    finished = await run(tmp_path, "bets-smoke", gateway.url, *NO_TIMES, *judged_by(*RIGHT), *more)
    _judged(finished)
    assert finished.missed == []
    totals = finished.report["totals"]
    signals = totals["signals"]
    assert (totals["signal_failures"], totals["broken_signal_rules"], totals["round_failures"]) == ({}, {}, {})
    assert signals["bets"] == signals["bets_answered"] == signals["accepted"] + signals["late"]
    assert (signals["bets_unanswered"], signals["connections"], signals["connections_lost"]) == (0, 12, 0)
    studio = finished.report["streams"]["table-1"]["studio"]
    assert studio["rounds_opened"] == studio["rounds_settled"] == ROUNDS
    assert signals["rounds"] == signals["rounds_settled"] == ROUNDS * 12
    for name in ("data-channels", "smart-tvs"):
        of_group = finished.report["groups"][name]["signals"]
        assert of_group["bets"] > 0, name
        assert of_group["bets_answered"] == of_group["bets"], name
    # Half of the pings' round trips may be told after their player has left.
    assert finished.distribution("signal_rtt_s")["count"] > signals["pings"] / 2
    bets = [row for row in finished.report["comparison"] if row["name"].startswith("bets")]
    assert [row["difference"] for row in bets] == [0, 0]
    bet, ping = finished.distribution("bet_rtt_s"), finished.distribution("signal_rtt_s")
    assert bet["count"] == signals["bets"]
    assert 0 < bet["p50"] < 1
    times = ", ".join(f"{each['p50'] * 1e3:.2f}/{each['p95'] * 1e3:.2f} ms" for each in (bet, ping))
    measured(f"{signals['bets']} bets, {signals['late']} of them late; p50/p95 of bets and pings: {times}")


BETTORS: dict[str, Any] = players(
    4, "bettors", protocol="none", streams=[STREAM], signals={"bets": {"share": "100%", "per_round": 2}}
)
"""Somebody else drives the rounds."""


def _twice(bet: Json) -> list[Json]:
    return [ack(bet), ack(bet)]


def _never(_bet: Json) -> list[Json]:
    return []


def _wrongly(bet: Json) -> list[Json]:
    return [ack(bet | {"betId": "of-nobody"}), ack(bet, "rate_limited")]


JUDGED = ("bets_unanswered == 0", "broken_signal_rules == 0", "bets_refused == 0", "bets_accepted == 100%")


@pytest.mark.parametrize(
    ("answers", "missed", "rules"),
    [
        (well, set(), set()),
        (_twice, {"broken_signal_rules == 0"}, {"two_answers", "too_many_answers"}),
        (_never, {"bets_unanswered == 0", "bets_accepted == 100%"}, set()),
        (_wrongly, set(JUDGED) - {"bets_unanswered == 0"}, {"answer_to_nothing"}),
    ],
    ids=["well", "twice", "never", "wrongly"],
)
async def test_server_is_judged_by_its_answers(
    tmp_path: Path, answers: Answers, missed: set[str], rules: set[str]
) -> None:
    async with serving(Stub(answers=answers, rounds_every_s=2.0)) as stub:
        proof = scenario("6s", BETTORS, studios=())
        finished = await run(tmp_path, proof, stub.url, *judged_by("bets > 0", *JUDGED))
    totals = finished.report["totals"]
    assert totals["signals"]["bets"] == len(stub.bets) > 0
    assert set(totals["broken_signal_rules"]) == rules
    if finished.report["outcome"] != "generator overloaded":
        assert (finished.exit_status, set(finished.missed)) == (int(bool(missed)), missed), finished.output


async def test_round_that_the_gateway_aborts_is_counted_by_its_cause(gateway: GatewayProcess, tmp_path: Path) -> None:
    rounds = {"at": "1s", "every": "8s", "betting": "5s", "result_after": "1s", "settle_after": "500ms"}
    hanging = studio(events=[{"at": "2s", "pause": "4s"}], rounds=rounds)
    watching = players(3, "bettors", protocol="none", signals={"bets": {}})
    proof = scenario("9s", watching, studios=(hanging,))
    finished = await run(tmp_path, proof, gateway.url, *judged_by("rounds_aborted == 1", "broken_signal_rules == 0"))
    _judged(finished)
    totals = finished.report["totals"]
    assert (totals["round_aborts"], totals["round_failures"]) == ({"ingest_freeze": 1}, {})
    assert totals["signals"]["rounds_aborted"] == totals["signals"]["rounds"] == 3
    assert finished.missed == []
