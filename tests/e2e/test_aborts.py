"""Every cause of abort, produced for real with the thresholds as they are by default; hiccups that abort nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import StartGateway
from tests.e2e.flood import flood
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.puppet_studio import puppet
from tests.e2e.relay import LISTEN, relay_before
from tests.e2e.rounds import RoundOf
from tests.e2e.studio_av import AvStudio

PICTURE_GAP_MS = 2000
STUDIO_SILENT_MS = 6000
LOOP_LAG_MS = 1000
MARGIN_MS = 1500
"""The watchdog looks every 100 ms, on a machine that does other things as well."""
SOUND_GAP_MS = PICTURE_GAP_MS / 2
"""Sound goes on: half of what makes a picture's gap."""


async def _aborted(gateway: GatewayProcess, game: RoundOf, cause: str) -> dict[str, Any]:
    """Wait for the abort by `cause`, which the scrape counts once and no other; the evidence."""
    told = await game.until_aborted()
    assert told["cause"] == cause, told
    aborts = (await gateway.metrics()).by_label("railbird_round_aborts_total", "cause")
    assert {name: count for name, count in aborts.items() if count} == {cause: 1}
    evidence: dict[str, Any] = told["evidence"]
    return evidence


async def _still_open(gateway: GatewayProcess, game: RoundOf) -> None:
    told = await game.told()
    assert told["state"] == "betting_open", told
    assert (await gateway.metrics()).value("railbird_round_aborts_total") == 0


# The studio


async def test_studio_that_is_killed_is_disconnected_once_it_is_silent(
    gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack
) -> None:
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.stop)
    await gateway.live("card")
    game = await RoundOf.opened(gateway, "card")
    studio.signal(signal.SIGKILL)
    evidence = await _aborted(gateway, game, "studio_disconnected")
    assert STUDIO_SILENT_MS <= evidence["studioSilentMs"] <= STUDIO_SILENT_MS + MARGIN_MS
    assert evidence["studioConnected"] is True
    assert evidence["pictureGapMs"] >= STUDIO_SILENT_MS
    assert evidence["lossShare"] == 0


async def test_studio_whose_process_is_stopped_had_frozen_if_it_goes_on_and_is_disconnected_if_not(
    start_gateway: StartGateway, cleanup: contextlib.AsyncExitStack
) -> None:
    gateway = await start_gateway(ROUNDS__ABORTS__STUDIO_SILENT_S="4.0")
    studios = [await AvStudio(gateway, name).start() for name in ("goes-on", "stays")]
    for studio in studios:
        cleanup.push_async_callback(studio.stop)
        await gateway.live(studio.stream)
    games = [await RoundOf.opened(gateway, studio.stream) for studio in studios]
    for studio in studios:
        studio.signal(signal.SIGSTOP)
    await asyncio.sleep(2.5)
    assert [(await game.told())["state"] for game in games] == ["betting_open"] * 2
    studios[0].signal(signal.SIGCONT)
    frozen, gone = [await game.until_aborted() for game in games]
    assert (frozen["cause"], gone["cause"]) == ("ingest_freeze", "studio_disconnected")
    assert frozen["evidence"]["mediaGapMs"] >= PICTURE_GAP_MS
    assert frozen["evidence"]["studioSilentMs"] < MARGIN_MS
    assert gone["evidence"]["studioSilentMs"] >= 4000


async def test_studio_that_says_goodbye_is_disconnected_when_it_has_not_come_back(gateway: GatewayProcess) -> None:
    async with puppet(gateway, "puppet") as studio:
        game = await RoundOf.opened(gateway, "puppet")
        await studio.leave()
        evidence = await _aborted(gateway, game, "studio_disconnected")
    assert PICTURE_GAP_MS <= evidence["pictureGapMs"] <= PICTURE_GAP_MS + MARGIN_MS
    assert evidence["studioConnected"] is False
    assert evidence["studioEnded"] in ("deleted", "peer_left")


async def test_studio_that_checks_its_path_but_sends_nothing_has_frozen(gateway: GatewayProcess) -> None:
    async with puppet(gateway, "puppet") as studio:
        game = await RoundOf.opened(gateway, "puppet")
        studio.freeze()
        evidence = await _aborted(gateway, game, "ingest_freeze")
    assert evidence["mediaGapMs"] >= PICTURE_GAP_MS
    assert evidence["studioSilentMs"] < evidence["mediaGapMs"] - PICTURE_GAP_MS / 2
    assert evidence["lossShare"] == 0


async def test_studio_whose_pictures_alone_stop_has_a_stalled_encoder(gateway: GatewayProcess) -> None:
    async with puppet(gateway, "puppet") as studio:
        game = await RoundOf.opened(gateway, "puppet")
        studio.sends_pictures = False
        evidence = await _aborted(gateway, game, "encoder_stalled")
    assert PICTURE_GAP_MS <= evidence["pictureGapMs"] <= PICTURE_GAP_MS + MARGIN_MS
    assert evidence["soundGapMs"] < SOUND_GAP_MS
    assert evidence["lossShare"] == 0


# The way


async def test_loss_that_nobody_mends_is_ingest_loss(
    start_gateway: StartGateway, measured: Callable[[str], None]
) -> None:
    gateway = await start_gateway(**LISTEN)
    async with relay_before(gateway) as relay, puppet(gateway, "puppet"):
        game = await RoundOf.opened(gateway, "puppet")
        relay.newest.loss = 0.2
        evidence = await _aborted(gateway, game, "ingest_loss")
    measured(f"{evidence['lossShare']:.3f} of {evidence['packetsExpected']} packets lost in {evidence['windowMs']} ms")
    assert evidence["lossShare"] == pytest.approx(0.2, abs=0.06)
    assert evidence["framesLostShare"] >= 0.1
    assert evidence["packetsMissing"] >= 50


async def test_loss_that_retransmission_mends_aborts_nothing(
    start_gateway: StartGateway, measured: Callable[[str], None]
) -> None:
    gateway = await start_gateway(**LISTEN)
    async with relay_before(gateway) as relay, puppet(gateway, "puppet", answers_nack=True):
        game = await RoundOf.opened(gateway, "puppet")
        relay.newest.loss = 0.2
        await asyncio.sleep(5.0)
        await _still_open(gateway, game)
        recovered = (await gateway.metrics()).value("railbird_packets_recovered_total", stream="puppet")
    measured(f"{recovered:.0f} packets recovered, {relay.newest.lost['rtp']} lost")
    assert recovered > 50


async def test_path_that_carries_sound_but_no_large_packets_is_ingest_loss_and_no_stalled_encoder(
    start_gateway: StartGateway,
) -> None:
    gateway = await start_gateway(**LISTEN)
    async with relay_before(gateway) as relay, puppet(gateway, "puppet"):
        game = await RoundOf.opened(gateway, "puppet")
        relay.newest.max_bytes = 300
        evidence = await _aborted(gateway, game, "ingest_loss")
    assert evidence["lossShare"] >= 0.5
    assert evidence["packetsMissing"] + evidence["packetsUnseen"] >= 50
    assert evidence["pictureGapMs"] >= PICTURE_GAP_MS
    assert evidence["soundGapMs"] < SOUND_GAP_MS


# The gateway and its host


async def test_gateway_that_stood_still_is_overloaded(gateway: GatewayProcess) -> None:
    async with puppet(gateway, "puppet"):
        game = await RoundOf.opened(gateway, "puppet")
        os.kill(gateway.pid, signal.SIGSTOP)
        await asyncio.sleep(1.5)
        os.kill(gateway.pid, signal.SIGCONT)
        evidence = await _aborted(gateway, game, "gateway_overload")
    assert LOOP_LAG_MS <= evidence["loopLagMaxMs"] <= 1500 + MARGIN_MS
    assert evidence["stoodStillMs"] >= LOOP_LAG_MS
    assert evidence["pictureGapMs"] < LOOP_LAG_MS
    assert evidence["lossShare"] == 0


async def test_receive_buffer_that_is_overrun_is_the_hosts_fault(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(udp="127.0.0.1:0", SOCKET_BUFFERS__RECEIVE_BYTES="65536")
    async with puppet(gateway, "puppet"):
        game = await RoundOf.opened(gateway, "puppet")
        async with flood("127.0.0.1", gateway.udp_port):
            evidence = await _aborted(gateway, game, "host_receive_drops")
    assert evidence["kernelDrops"] >= 20
    assert evidence["loopLagMaxMs"] < LOOP_LAG_MS
    assert (await gateway.metrics()).value("railbird_socket_kernel_drops_total") >= evidence["kernelDrops"]


# People


async def test_round_that_the_studio_ends_is_its_request(gateway: GatewayProcess) -> None:
    async with puppet(gateway, "puppet"):
        game = await RoundOf.opened(gateway, "puppet")
        await game.move_to("aborted")
        await _aborted(gateway, game, "studio_request")


async def test_studio_that_an_operator_ends_is_policy(gateway: GatewayProcess) -> None:
    async with puppet(gateway, "puppet"):
        game = await RoundOf.opened(gateway, "puppet")
        (session,) = await gateway.sessions()
        async with gateway.http.delete(f"/api/v1/sessions/{session['session']}") as response:
            assert response.status in (200, 204)
        evidence = await _aborted(gateway, game, "policy")
    assert evidence["studioEnded"] == "operator"


# What aborts nothing


async def test_hiccups_below_the_thresholds_abort_nothing(
    start_gateway: StartGateway, cleanup: contextlib.AsyncExitStack
) -> None:
    gateway = await start_gateway(**LISTEN)
    relay = await cleanup.enter_async_context(relay_before(gateway))
    first = await cleanup.enter_async_context(puppet(gateway, "puppet", answers_nack=True))
    game = await RoundOf.opened(gateway, "puppet")

    first.freeze()
    await asyncio.sleep(1.0)
    first.thaw()
    await asyncio.sleep(1.0)
    os.kill(gateway.pid, signal.SIGSTOP)
    await asyncio.sleep(0.3)
    os.kill(gateway.pid, signal.SIGCONT)
    relay.newest.loss = 0.03
    await asyncio.sleep(4.0)
    await _still_open(gateway, game)

    second = await cleanup.enter_async_context(puppet(gateway, "puppet"))
    await first.close()
    await second.leave()
    third = await cleanup.enter_async_context(puppet(gateway, "puppet"))
    await asyncio.sleep(1.0)
    await _still_open(gateway, game)

    await third.leave()
    assert await _aborted(gateway, game, "studio_disconnected")


async def test_picture_that_fails_after_the_result_aborts_nothing(gateway: GatewayProcess) -> None:
    async with puppet(gateway, "puppet") as studio:
        game = await RoundOf.opened(gateway, "puppet")
        await game.move_to("betting_closed")
        await game.move_to("result", result={"pocket": 17})
        studio.sends_pictures = False
        await asyncio.sleep(PICTURE_GAP_MS / 1000 + 1.0)
        assert (await game.told())["state"] == "result"
        assert (await game.move_to("settled"))["state"] == "settled"
    assert (await gateway.metrics()).value("railbird_round_aborts_total") == 0
