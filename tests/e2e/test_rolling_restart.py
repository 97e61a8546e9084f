"""Two edges of one table, restarted one after the other with a round open and players at it: nobody is lost.

Gateways are processes, players and studios the load generator's. A is told to stop (SIGTERM) while bets are open: the
round is played to its end, its players go on at B, and A ends. Then it comes again, and the same happens to B.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.quality.counters import NETWORK_CAUSES
from gateway.transport.ice import Credentials
from loadgen.signalling.offer import player_offer
from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import GatewayProcess, Metrics
from tests.e2e.held_up import Judged, judged
from tests.e2e.network import skip_without_gathered_addresses
from tests.e2e.rounds import RoundOf
from tests.e2e.waiting import eventually
from tests.loadgen.e2e.command import Finished, Loadgen
from tests.loadgen.e2e.scenarios import players, scenario, studio

pytestmark = pytest.mark.timeout(500)

TABLE = "table"
TOLD = 50
"""Players with signals, who are told to move."""
MUTE = 4
"""Players without: they are closed, and come again after two seconds. By then their edge refuses them and says where to
go, or it is gone: then they come again and again, so that nothing is asserted of how long that takes."""
WEBSOCKETS = 8
"""Of those with signals: who has a WebSocket beside a picture by WHEP."""
BY_WHEP = 38
"""With signals."""
BACK_WITHIN_S = 5.0
PICTURE_WITHIN_S = 3.0
"""From when the gateway has sent all that a picture takes: players by LL-HLS hold it back."""
LONG = "280s"
"""Longer than the test: it ends what it has begun."""

DRAIN = {"DRAIN__ROUNDS_S": "40", "DRAIN__SPREAD_S": "2", "DRAIN__LEAVE_S": "5", "DRAIN__RETRY_AFTER_S": "7"}

_BETS = {"bets": {"share": "100%", "per_round": 2}}
GROUPS = (
    players(BY_WHEP - WEBSOCKETS, "data-channels", streams=[TABLE], sampled="0%", signals=_BETS),
    players(WEBSOCKETS, "websockets", streams=[TABLE], sampled="0%", signals={"carrier": "websocket", **_BETS}),
    players(6, "tvs", streams=[TABLE], sampled="0%", protocol="hls", signals=_BETS),
    players(6, "back-offices", streams=[TABLE], protocol="none", signals=_BETS),
    players(MUTE, "mute", streams=[TABLE], sampled="0%"),
)
assert sum(group["count"] for group in GROUPS) == TOLD + MUTE

OVER = ("settled", "aborted")
OFFER = player_offer(Credentials.generate(), ":".join(["sha-256 AB", *31 * ["CD"]]), [])


class Edge:
    """One of the two, over its restarts."""

    def __init__(self, gateway: GatewayProcess, other_url: str, logs: Path) -> None:
        self.gateway = gateway
        self.other_url = other_url
        self.last: Metrics | None = None
        """What it counted, when it last said so."""
        self._logs = logs
        self._restarts = 0

    async def watch(self) -> None:
        """Read its metrics until it does not answer any more."""
        with contextlib.suppress(Exception):  # whatever an HTTP client says when nobody listens
            while True:
                self.last = await self.gateway.metrics()
                await asyncio.sleep(0.1)

    async def has_players(self, mute: int = 0) -> None:
        """Wait until all with signals are there, and so many without, and see something: pictures by WebRTC are
        sessions, signals connections."""

        def are_all(metrics: Metrics) -> bool:
            viewers = metrics.value("railbird_viewers", protocol="webrtc")
            pictures = metrics.value("railbird_first_frame_seconds_count", protocol="webrtc")
            signals = metrics.value("railbird_signal_connections", stream=TABLE)
            return signals == TOLD and min(viewers, pictures) >= BY_WHEP + mute

        await eventually(self.gateway.metrics, are_all, 40.0)

    async def restart(self, cleanup: contextlib.AsyncExitStack) -> None:
        """A process again, at the same ports."""
        self._restarts += 1
        self.gateway = self.gateway.restarted(self._logs / f"restarted-{self._restarts}.log")
        cleanup.push_async_callback(self.gateway.stop)
        await self.gateway.start()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


async def _edges(start_gateway: StartGateway, directory: Path) -> tuple[Edge, Edge]:
    """A and B, each of which knows the other."""
    ports = _free_ports(2)
    made = []
    for port, other in (ports, ports[::-1]):
        other_url = f"http://127.0.0.1:{other}"
        settings = DRAIN | {"DRAIN__ELSEWHERE": json.dumps([other_url])}
        gateway = await start_gateway(http=f"127.0.0.1:{port}", **settings)
        made.append(Edge(gateway, other_url, _made(directory / str(port))))
    return made[0], made[1]


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


@contextlib.asynccontextmanager
async def _on_air(directory: Path, gateway: GatewayProcess) -> AsyncIterator[None]:
    """A studio of the table at that gateway, whatever becomes of it."""
    async with Loadgen(directory, scenario(LONG, studios=(studio(TABLE),)), gateway.url):
        await gateway.live(TABLE, within_s=40.0)
        yield


@dataclass
class Run:
    """Once there and back."""

    finished: Finished
    edges: tuple[Edge, Edge]
    ended_s: tuple[float, float]
    """How long after their rounds A and B ended."""

    def judged(self) -> Judged:
        """How long its moves took."""
        return judged(self.told, self.finished.report["steps"], BACK_WITHIN_S)

    @property
    def told(self) -> list[dict[str, Any]]:
        """Sessions of players that were told to move, and saw something there."""
        return [session for session in self.finished.sessions if session["move_s"] is not None]


async def test_rolling_restart_loses_no_round_and_no_player(
    start_gateway: StartGateway,
    tmp_path: Path,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
) -> None:
    skip_without_gathered_addresses()
    run = await _there_and_back(start_gateway, _made(tmp_path / "run"), cleanup)
    if run.judged().is_void:
        measured("the first run is void: the load generator was held up too long; once more")
        for edge in run.edges:
            await edge.gateway.stop()
        run = await _there_and_back(start_gateway, _made(tmp_path / "second-run"), cleanup)
    moves = run.judged()
    assert not moves.is_void, "the machine had too much else to do, twice: how long moves take is not known"
    assert moves.late == []
    _all_came_back(run)
    move, back = run.finished.distribution("move_s"), run.finished.distribution("back_s")
    times = "/".join(f"{move[each]:.2f}" for each in ("p50", "p95", "max"))
    at_a_s, at_b_s = run.ended_s
    measured(
        f"{TOLD} players there and back, {move['count']} moves: without a picture for p50/p95/max {times} s, "
        f"{moves.allowed_s:.2f} s of it beyond {BACK_WITHIN_S:.0f} s, for the load generator's own lateness; "
        f"{back['count']} times without signals: max {back['max']:.2f} s; "
        f"A and B ended {at_a_s:.1f} and {at_b_s:.1f} s after their rounds"
    )


async def _there_and_back(start_gateway: StartGateway, directory: Path, cleanup: contextlib.AsyncExitStack) -> Run:
    a, b = await _edges(start_gateway, directory)
    async with contextlib.AsyncExitStack() as stack:
        for name, edge in (("studio-a", a), ("studio-b", b)):
            await stack.enter_async_context(_on_air(_made(directory / name), edge.gateway))
        crowd = Loadgen(_made(directory / "players"), scenario(LONG, *GROUPS, studios=()), a.gateway.url)
        await stack.enter_async_context(crowd)
        await a.has_players(MUTE)
        at_a_s = await _drain(a, b)
        await a.restart(cleanup)
        await a.gateway.live(TABLE, within_s=20.0)
        at_b_s = await _drain(b, a)
        await a.has_players(MUTE)
        await asyncio.sleep(PICTURE_WITHIN_S)
        crowd.press_ctrl_c()
        return Run(await crowd.finished(), (a, b), (at_a_s, at_b_s))


async def _drain(edge: Edge, other: Edge) -> float:
    """SIGTERM while bets are open; until the process has ended, and all are at the other one. How long it took from the
    round's end to the process's."""
    gateway = edge.gateway
    played = await RoundOf.opened(gateway, TABLE)
    await eventually(gateway.metrics, lambda metrics: metrics.value("railbird_bets_total", state="accepted") > 0)
    gateway.terminate()
    await eventually(lambda: _ready(gateway), lambda ready: ready[0] == 503)
    await _refuses_newcomers(edge)
    await asyncio.sleep(1.0)
    assert (await gateway.metrics()).value("railbird_players_moved_total") == 0, "players were moved during a round"
    assert gateway.returncode is None
    watching = asyncio.create_task(edge.watch())
    for state in ("betting_closed", "result", "settled"):
        told = await played.move_to(state)
    assert told["state"] == "settled"
    _counted_well(await gateway.metrics())  # players are there for seconds more
    code, seconds = await gateway.ended()
    await watching
    assert (code, gateway.faults()) == (0, [])
    _counted_well(edge.last)
    _logged_well(gateway, played)
    await other.has_players()
    return seconds


async def _ready(gateway: GatewayProcess) -> tuple[int, str]:
    async with gateway.http.get("/readyz") as response:
        return response.status, await response.text()


async def _refuses_newcomers(edge: Edge) -> None:
    """To watch, and to play: whoever would watch is told where else."""
    gateway = edge.gateway
    watch, hls = f"/whep/{TABLE}", f"/hls/{TABLE}/index.m3u8"
    for method, path, body in (("POST", watch, OFFER), ("GET", hls, None)):
        headers = {"Content-Type": "application/sdp"} if body else {}
        async with gateway.http.request(method, path, data=body, headers=headers) as response:
            assert (response.status, response.headers.get("Retry-After")) == (503, DRAIN["DRAIN__RETRY_AFTER_S"])
            assert response.headers["Link"] == f'<{edge.other_url}{path}>; rel="alternate"'
    async with gateway.http.post(f"/api/v1/streams/{TABLE}/rounds", json={"state": "betting_open"}) as response:
        assert (response.status, "Retry-After" in response.headers) == (503, True)


def _logged_well(gateway: GatewayProcess, played: RoundOf) -> None:
    """To its very end: the last that it was asked for may be older than the last that happened."""
    over = [(each["roundId"], each["state"]) for each in gateway.events("round") if each["state"] in OVER]
    assert over == [(played.round_id, "settled")]


def _counted_well(metrics: Metrics | None) -> None:
    """What a gateway says that drains."""
    assert metrics is not None
    assert metrics.value("railbird_draining") == 1
    assert metrics.value("railbird_rounds_total", stream=TABLE, outcome="settled") == 1
    aborts = {cause.value: metrics.value("railbird_round_aborts_total", cause=cause.value) for cause in NETWORK_CAUSES}
    assert set(aborts.values()) == {0}, aborts
    assert metrics.value("railbird_rounds_total", stream=TABLE, outcome="aborted") == 0


def _all_came_back(run: Run) -> None:
    finished, (a, b) = run.finished, run.edges
    totals: dict[str, Any] = finished.report["totals"]
    everybody = TOLD + MUTE
    assert (totals["moved"], totals["moves_refused"]) == (2 * TOLD, {})
    assert Counter(session["edge"] for session in run.told) == {a.gateway.url: TOLD, b.gateway.url: TOLD}
    assert (totals["closed_untold"] >= MUTE, totals["back_lost"]) == (True, 0)
    ended = totals["ended"]
    # Without a token the gateway cannot tell whose a WebSocket is: it closes who has one beside a picture as if it had
    # none, within the same seconds. Such a player knows where to go all the same.
    assert ended["moved"] >= 2 * (TOLD - WEBSOCKETS)
    assert 2 * TOLD <= ended["moved"] + ended["closed_by_server"] <= 2 * everybody
    assert ended["interrupted"] == everybody
    assert totals["goodbye_failures"] <= 2 * WEBSOCKETS
    for name in ("data-channels", "websockets", "back-offices"):
        assert finished.report["groups"][name]["join_failures"] == {}, name
    signals = totals["signals"]
    assert signals["rounds"] == signals["rounds_settled"] == 2 * TOLD
    assert signals["bets"] == signals["bets_answered"] > 0
    # What had no answer when its player was gone is asked for again at the other edge, which does not know that round.
    assert signals["accepted"] + signals["late"] + signals["unknown_round"] == signals["bets"]
    assert signals["unknown_round"] <= signals["resends"]
    assert (signals["connections_lost"], totals["signal_failures"]) == (0, {})
    assert (signals["rounds_aborted"], signals["bets_unanswered"], totals["broken_signal_rules"]) == (0, 0, {})
