"""Leaving without ending a round (docs/drain.md): a gateway that is told to stop while a round is played."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.signals.messages import PROTOCOL
from tests.e2e.aiortc_peer import AiortcViewer, RefusedError
from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import ROOT, GatewayProcess
from tests.e2e.network import skip_without_gathered_addresses
from tests.e2e.puppet_studio import puppet
from tests.e2e.rounds import RoundOf
from tests.e2e.test_signals import Page
from tests.e2e.waiting import eventually, until

EDGE = "https://edge-b.example"
PATIENT = {"DRAIN__ROUNDS_S": "60", "DRAIN__SPREAD_S": "1", "DRAIN__LEAVE_S": "4", "DRAIN__ELSEWHERE": f'["{EDGE}"]'}
SOON_S = 5.0
"""What is to happen at once has so long on a busy machine; what it is told from takes a minute."""

NOTICE_S = 2.0


class Watcher:
    """A player by WebRTC with its page's data channel."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.viewer = AiortcViewer(f"{gateway.url}/whep/table")
        channel = self.viewer.connection.createDataChannel(
            "signals", ordered=False, maxRetransmits=0, protocol=PROTOCOL
        )
        self.page = Page(channel)


@contextlib.asynccontextmanager
async def watching(gateway: GatewayProcess) -> AsyncIterator[Watcher]:
    watcher = Watcher(gateway)
    try:
        await watcher.viewer.connect()
        await watcher.page.until_heard("welcome")
        yield watcher
    finally:
        await watcher.viewer.close()


@contextlib.asynccontextmanager
async def listening(gateway: GatewayProcess) -> AsyncIterator[list[dict[str, Any]]]:
    """A player by WebSocket: what it hears. It answers no ping, and leaves with the block."""
    heard: list[dict[str, Any]] = []
    async with (
        aiohttp.ClientSession(gateway.url) as http,
        http.ws_connect("/signals/table", protocols=(PROTOCOL,)) as line,
    ):

        async def hear() -> None:
            async for message in line:
                heard.append(json.loads(message.data))

        listener = asyncio.create_task(hear())
        try:
            await until(lambda: bool(heard))
            yield heard
        finally:
            listener.cancel()


def of_kind(heard: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [message for message in heard if message["type"] == kind]


async def readiness(gateway: GatewayProcess) -> tuple[int, list[str]]:
    async with gateway.http.get("/readyz") as response:
        return response.status, (await response.text()).splitlines()


async def until_draining(gateway: GatewayProcess) -> list[str]:
    _, lines = await eventually(lambda: readiness(gateway), lambda answer: answer[1][0] == "draining", SOON_S)
    return lines


async def settled(told: RoundOf) -> None:
    for state in ("betting_closed", "result", "settled"):
        await told.move_to(state)


async def test_sigterm_lets_the_round_end_and_players_move_before_the_studio_goes(
    start_gateway: StartGateway, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    skip_without_gathered_addresses()
    gateway = await start_gateway(**PATIENT, ROUNDS__LEDGER=str(tmp_path / "ledger"))
    async with puppet(gateway, "table") as studio, listening(gateway) as heard:
        async with watching(gateway) as watcher:
            told = await RoundOf.opened(gateway, "table")
            gateway.terminate()
            assert await until_draining(gateway) == ["draining", "draining: 1 round open, 3 sessions"]
            await _is_closed_to_others(gateway)
            watcher.page.say(type="bet", betId="b-1", roundId=told.round_id, amount=5)
            assert (await watcher.page.until_heard("ack"))["state"] == "accepted"
            assert of_kind(watcher.page.heard, "move") == of_kind(heard, "move") == []

            await settled(told)
            move = await watcher.page.until_heard("move")
            assert (move["to"], 0 <= move["afterMs"] <= 1000) == (EDGE, True)
            await until(lambda: bool(of_kind(heard, "move")))
            metrics = await gateway.metrics()
            assert metrics.value("railbird_players_moved_total", stream="table") == 2
            assert metrics.value("railbird_drain_rounds_remaining") == 0
            assert [each["leg"] for each in gateway.events("session ended")] == []
            moved_s = time.monotonic()
            await watcher.viewer.delete()
        assert gateway.returncode is None
        # The player by WebSocket stays: it is sent away, and only then the studio.
        code, _ = await gateway.ended()
        measured(f"the process ended {time.monotonic() - moved_s:.1f} s after its player had left, with {code}")
        assert code == 0
        assert [each["type"] for each in heard][-1] == "goodbye"
        await studio.close()
    ended = [(each["leg"], each["cause"]) for each in gateway.events("session ended")]
    assert ended == [("egress", "deleted"), ("ingest", "moved")]
    assert [each["state"] for each in gateway.events("round")][-1] == "settled"
    assert "aborted" not in gateway.log()
    ledger = (tmp_path / "ledger").glob("*.jsonl")
    assert sum('"settled"' in path.read_text() for path in ledger) == 1


async def _refuses_players(gateway: GatewayProcess) -> None:
    refused = AiortcViewer(f"{gateway.url}/whep/table")
    with pytest.raises(RefusedError) as refusal:
        await refused.negotiate()
    assert refusal.value.status == 503
    await refused.close()


async def _is_closed_to_others(gateway: GatewayProcess) -> None:
    """Nobody new is let in, and all are told where to go; who operates sees how far it is."""
    await _refuses_players(gateway)
    async with gateway.http.get("/hls/table/index.m3u8") as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
        assert response.headers["Link"] == f'<{EDGE}/hls/table/index.m3u8>; rel="alternate"'
    async with gateway.http.post("/api/v1/streams/table/rounds", json={"state": "betting_open"}) as response:
        assert response.status == 503
    async with gateway.http.get("/livez") as response:
        assert response.status == 200
    metrics = await gateway.metrics()
    assert metrics.value("railbird_draining") == metrics.value("railbird_drain_orders", order="signal") == 1
    assert metrics.value("railbird_ready") == 0
    assert metrics.value("railbird_drain_rounds_remaining") == 1
    assert metrics.value("railbird_drain_sessions_remaining", leg="ingest") == 1
    assert metrics.value("railbird_drain_sessions_remaining", leg="egress") == 2


async def test_round_that_does_not_end_is_aborted_by_policy_at_the_deadline(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(DRAIN__ROUNDS_S="1.5")
    async with puppet(gateway, "table"):
        told = await RoundOf.opened(gateway, "table")
        gateway.terminate()
        await until_draining(gateway)
        assert (await told.told())["state"] == "betting_open"
        code, _ = await gateway.ended()
    assert code == 0
    (aborted,) = [each for each in gateway.events("round") if each["state"] == "aborted"]
    assert (aborted["cause"], aborted["evidence"]) == ("policy", {"rule": "drain"})


async def test_player_who_does_not_move_and_one_without_signals_are_closed_in_time(
    start_gateway: StartGateway,
) -> None:
    skip_without_gathered_addresses()
    gateway = await start_gateway(DRAIN__SPREAD_S="0.5", DRAIN__LEAVE_S="2")
    async with puppet(gateway, "table"), watching(gateway) as stubborn:
        silent = AiortcViewer(f"{gateway.url}/whep/table")
        await silent.connect()
        gateway.terminate()
        await silent.until_state("closed", SOON_S)
        await stubborn.viewer.until_state("closed", SOON_S)
        code, _ = await gateway.ended()
        await silent.close()
    assert code == 0
    ended = [(each["leg"], each["cause"]) for each in gateway.events("session ended")]
    assert ended == [("egress", "moved"), ("egress", "moved"), ("ingest", "moved")]
    assert len(of_kind(stubborn.page.heard, "move")) >= 1


async def test_notice_refuses_newcomers_at_once_and_moves_nobody_before_its_time(
    start_gateway: StartGateway, measured: Callable[[str], None]
) -> None:
    """At least so long: a machine may be slow, and is never early."""
    skip_without_gathered_addresses()
    gateway = await start_gateway(DRAIN__NOTICE_S=f"{NOTICE_S}", DRAIN__SPREAD_S="0", DRAIN__LEAVE_S="2")
    async with puppet(gateway, "table"), listening(gateway) as heard, watching(gateway) as watcher:
        ordered_s = time.monotonic()
        gateway.terminate()
        await until_draining(gateway)
        await _refuses_players(gateway)
        await until(lambda: bool(of_kind(heard + watcher.page.heard, "move")))
        first_s = time.monotonic() - ordered_s
        await watcher.page.until_heard("move")
        await until(lambda: bool(of_kind(heard, "move")))
    code, _ = await gateway.ended()
    assert code == 0
    measured(f"the first player was told to move {first_s:.2f} s after SIGTERM, with a notice of {NOTICE_S} s")
    assert first_s >= NOTICE_S


async def test_file_and_api_are_withdrawn_and_the_gateway_serves_again(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    file = tmp_path / "run" / "drain"
    gateway = await start_gateway(**PATIENT, DRAIN__FILE=str(file))
    assert (await readiness(gateway))[0] == 200, "without its directory"
    async with puppet(gateway, "table"):
        told = await RoundOf.opened(gateway, "table")
        file.parent.mkdir()
        file.touch()
        await until_draining(gateway)
        async with gateway.http.post("/api/v1/drain") as response:
            assert (response.status, (await response.json())["orders"]) == (202, ["file", "api"])
        file.unlink()
        await eventually(lambda: _orders(gateway), lambda orders: orders == ["api"], SOON_S)
        async with gateway.http.delete("/api/v1/drain") as response:
            assert (await response.json())["orders"] == []
        assert (await readiness(gateway))[0] == 200
        await settled(told)
        await RoundOf.opened(gateway, "table")
        assert (await gateway.metrics()).value("railbird_draining") == 0
        assert gateway.events("session ended") == []


async def _orders(gateway: GatewayProcess) -> list[str]:
    async with gateway.http.get("/api/v1/drain") as response:
        orders: list[str] = (await response.json())["orders"]
        return orders


async def test_sigint_ends_at_once(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(**PATIENT)
    async with puppet(gateway, "table"):
        await RoundOf.opened(gateway, "table")
        os.kill(gateway.pid, signal.SIGINT)
        assert await _ended_soon(gateway) == 0
    assert [each["evidence"] for each in gateway.events("round") if each["state"] == "aborted"] == [
        {"rule": "shutdown"}
    ]


async def test_second_sigterm_ends_at_once(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(**PATIENT)
    async with puppet(gateway, "table"):
        await RoundOf.opened(gateway, "table")
        gateway.terminate()
        await until_draining(gateway)
        await asyncio.sleep(0.5)
        assert gateway.returncode is None
        gateway.terminate()
        assert await _ended_soon(gateway) == 0


async def _ended_soon(gateway: GatewayProcess) -> int:
    async with asyncio.timeout(SOON_S):
        return (await gateway.ended())[0]


async def test_gateway_that_nobody_uses_ends_at_once(
    start_gateway: StartGateway, measured: Callable[[str], None]
) -> None:
    gateway = await start_gateway(**PATIENT)
    async with puppet(gateway, "table"):
        gateway.terminate()
        started_s = time.monotonic()
        assert await _ended_soon(gateway) == 0
        measured(f"ended within {(time.monotonic() - started_s) * 1000:.0f} ms")


async def test_gateway_whose_node_is_broken_drains_all_the_same(start_gateway: StartGateway, tmp_path: Path) -> None:
    node = tmp_path / "node.json"
    node.write_text("{")
    gateway = await start_gateway(**PATIENT, NODE__RESULT=str(node))
    async with puppet(gateway, "table"):
        told = await RoundOf.opened(gateway, "table")
        gateway.terminate()
        await until_draining(gateway)
        await settled(told)
        assert await _ended_soon(gateway) == 0


async def test_command_of_the_pre_stop_hook_waits_for_the_round(start_gateway: StartGateway, tmp_path: Path) -> None:
    file = tmp_path / "drain"
    gateway = await start_gateway(**PATIENT, DRAIN__FILE=str(file))
    where = gateway.url.removeprefix("http://")
    command = (sys.executable, "-m", "gateway.drain", "--file", str(file), "--http", where, "--wait-s", "30")
    async with puppet(gateway, "table"):
        told = await RoundOf.opened(gateway, "table")
        hook = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        await until_draining(gateway)
        await asyncio.sleep(1.0)
        assert hook.returncode is None
        await settled(told)
        said, _ = await asyncio.wait_for(hook.communicate(), 10)
        assert hook.returncode == 0
        assert "draining: 1 round open, 1 session" in said.decode().splitlines()
        gateway.terminate()
        assert await _ended_soon(gateway) == 0
    again = await gateway.restarted(tmp_path / "again.log").start()
    assert (await readiness(again))[0] == 200, "the file was meant for the one before"
    await again.stop()
