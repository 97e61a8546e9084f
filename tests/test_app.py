"""The gateway as a whole: started, stopped, and its timers, on loopback and without media."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.app import SWEEP_TICK_S, Gateway
from gateway.auth.keys import Keys
from gateway.clock import monotonic_s
from gateway.config import HostPort, Settings
from gateway.hub.drain import Order
from gateway.node.node import Node
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from tests.auth.issuer import Issuer, key_set
from tests.calls import stand_in
from tests.e2e.waiting import until
from tests.http.conftest import H264, StandIn

SOON_S = 0.02


def settings_of(**values: object) -> Settings:
    """Settings with free ports of loopback."""
    loopback = HostPort(host="127.0.0.1", port=0)
    return Settings.model_validate({"http": loopback, "udp": loopback, **values})


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway that runs, without ticks: what is called, the test calls."""
    gateway = Gateway(settings_of())
    await gateway.start()
    gateway._clockwork.stop()
    yield gateway
    await gateway.stop()


# Start and stop


async def test_start_answers_on_the_ports_it_tells() -> None:
    gateway = Gateway(settings_of())
    with capture_logs() as logs:
        bound = await gateway.start()
    async with aiohttp.ClientSession() as client, client.get(f"http://{bound}/livez") as response:
        assert response.status == 200
    await gateway.stop()
    ready = next(each for each in logs if each["event"] == "ready")
    assert (ready["http"], ready["udp"]) == (str(bound), gateway.port.socket.port)


async def test_start_reads_keys_and_the_node_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    monkeypatch.setattr(Keys, "tick", lambda keys, now_s: looks.append("keys"))
    monkeypatch.setattr(Node, "tick", lambda node, now_s: looks.append("node"))
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(Issuer("current").jwk))
    gateway = Gateway(settings_of(auth={"jwks": str(keys)}, node={"result": tmp_path / "node.json"}))
    await gateway.start()
    assert looks == []
    assert len(gateway._read_at_the_start) == 2
    await gateway.stop()


async def test_stop_gives_both_ports_back() -> None:
    gateway = Gateway(settings_of())
    bound = await gateway.start()
    await gateway.stop()
    again = Gateway(settings_of(http=bound, udp=f"127.0.0.1:{gateway.port.socket.port}"))
    await again.start()
    await again.stop()


async def test_stop_after_a_start_that_failed_gives_the_media_port_back() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        gateway = Gateway(settings_of(http=f"127.0.0.1:{holder.getsockname()[1]}"))
        with pytest.raises(OSError, match="HTTP at"):
            await gateway.start()
    await gateway.stop()
    with socket.socket(type=socket.SOCK_DGRAM) as media:
        media.bind(("127.0.0.1", gateway.port.socket.port))


async def test_stop_drains_before_it_closes() -> None:
    gateway = Gateway(settings_of())
    await gateway.start()
    await gateway.stop()
    assert gateway.hub.admission.is_draining


async def test_stop_lets_nobody_in_while_it_hands_bets_on(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(settings_of())
    await gateway.start()
    gateway.hub.draining.order(Order.FILE, monotonic_s())
    was_draining: list[bool] = []

    class Upstream:
        async def stop(self, timeout_s: float) -> None:
            """The drain file is removed just now."""
            gateway.hub.draining.withdraw(Order.FILE)
            was_draining.append(gateway.hub.admission.is_draining)

    monkeypatch.setattr(gateway, "upstream", Upstream())
    await gateway.stop()
    assert was_draining == [True]


async def test_leave_tells_when_the_gateway_has_drained_and_whether_it_was_said_before(gateway: Gateway) -> None:
    gateway.registry.open("table").attach(StandIn(), [H264], monotonic_s())
    gateway.hub.play.command_round("table", Command(RoundState.BETTING_OPEN, "r1"), monotonic_s())
    ended: list[bool] = []
    assert gateway.leave(lambda: ended.append(True))
    assert not gateway.leave(lambda: ended.append(True))
    gateway.hub.tick_drain(monotonic_s())
    assert ended == []
    gateway.hub.play.command_round("table", Command(RoundState.ABORTED, "r1"), monotonic_s())
    gateway.hub.tick_drain(monotonic_s())
    assert ended == [True]


async def test_drain_file_is_looked_for_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.app.DRAIN_LOOK_INTERVAL_S", SOON_S)
    file = tmp_path / "drain"
    gateway = Gateway(settings_of(drain={"file": file}))
    await gateway.start()
    file.touch()
    await until(lambda: gateway.hub.admission.is_draining)
    file.unlink()
    await until(lambda: not gateway.hub.admission.is_draining)
    await gateway.stop()


async def test_departures_that_are_left_over_have_their_turn(gateway: Gateway) -> None:
    done: list[int] = []
    outbox: Any = gateway.hub.departures._outbox
    outbox.put(range(3), done.append)
    gateway.hub.departures.on_backlog()
    await until(lambda: done == [0, 1, 2])


async def test_drain_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(settings_of())
    ticks = stand_in(monkeypatch, gateway.hub, "tick_drain")
    await gateway.start()
    await until(lambda: len(ticks.times_s) >= 2)
    await gateway.stop()


async def test_stop_is_bounded_by_the_shutdown_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(settings_of(timeouts={"shutdown_s": SOON_S}))
    await gateway.start()
    close = gateway._http.stop

    async def hang() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(gateway._http, "stop", hang)
    async with asyncio.timeout(5):
        with capture_logs() as logs:
            await gateway.stop()
    assert [each["event"] for each in logs] == ["stopping", "some requests did not end in time", "stopped"]
    await close()


async def test_stop_silences_every_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(settings_of())
    tick = stand_in(monkeypatch, gateway.hub, "tick_publishers")
    await gateway.start()
    stream = gateway.registry.open("table")
    flush, hold_s = stand_in(monkeypatch, stream, "flush"), [SOON_S]
    monkeypatch.setattr(stream, "wait_s", lambda _now_s: hold_s[0])
    gateway._turns.after_batch(monotonic_s())
    await gateway.stop()
    # An alarm that still rings finds that the hold is over.
    ticks, hold_s[0] = len(tick.times_s), 0.0
    await asyncio.sleep(0.15)
    assert (len(tick.times_s), flush.times_s) == (ticks, [])


# Ticks


@pytest.mark.parametrize("broken", ["tick_publishers", "tick_viewers", "tick_streams"])
async def test_ticker_with_a_bug_does_not_stop_the_others(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(settings_of())
    names = ("tick_publishers", "tick_viewers", "tick_streams")
    calls = {name: stand_in(monkeypatch, gateway.hub, name, is_broken=name == broken) for name in names}
    sweep = stand_in(monkeypatch, gateway.port, "end_silent_sessions")
    with capture_logs() as logs:
        began_s = monotonic_s()
        await gateway.start()
        await until(lambda: all(len(call.times_s) >= 2 for call in calls.values()))
        await gateway.stop()
    assert 1 <= len(sweep.times_s) <= 1 + (monotonic_s() - began_s) / SWEEP_TICK_S
    assert "call failed" in [each["event"] for each in logs]


async def test_lag_of_the_event_loop_is_observed(gateway: Gateway) -> None:
    count = gateway.metrics.get_sample_value("railbird_event_loop_lag_seconds_count")
    assert count is not None
    assert count >= 4


# Settings


async def test_fanout_settings_reach_the_streams() -> None:
    gateway = Gateway(settings_of(fanout={"keyframe_age_s": 4.0}))
    assert gateway.registry.open("table")._settings.keyframe_age_s == 4.0
    gateway.port.socket.close()
