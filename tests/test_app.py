"""The gateway as a whole: started, stopped, and its timers, on loopback and without media."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.app import MAX_LATENESS_S, Gateway
from gateway.clock import monotonic_s
from gateway.config import HostPort, Settings
from gateway.stream.stream import Stream

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


@dataclass(eq=False)
class Call:
    """What stood in for a method of a stream."""

    times_s: list[float] = field(default_factory=list)
    is_broken: bool = False

    def __call__(self, now_s: float) -> None:
        self.times_s.append(now_s)
        if self.is_broken:
            raise RuntimeError("a bug")


def stand_in(monkeypatch: pytest.MonkeyPatch, owner: object, method: str, *, is_broken: bool = False) -> Call:
    """Replace `method` of `owner`, for this test."""
    call = Call(is_broken=is_broken)
    monkeypatch.setattr(owner, method, call)
    return call


def waiting(monkeypatch: pytest.MonkeyPatch, stream: Stream, wait_s: float | None) -> Call:
    """A batch of `stream` that may wait so long; the flush that ends its waiting."""
    monkeypatch.setattr(stream, "wait_s", lambda _now_s: wait_s)
    return stand_in(monkeypatch, stream, "flush")


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
    flush = waiting(monkeypatch, gateway.registry.open("table"), SOON_S)
    gateway._after_batch(monotonic_s())
    await gateway.stop()
    ticks = len(tick.times_s)
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
        await gateway.start()
        await asyncio.sleep(0.3)
        await gateway.stop()
    assert {name: len(call.times_s) >= 2 for name, call in calls.items()} == dict.fromkeys(names, True)
    assert len(sweep.times_s) == 1
    assert "call failed" in [each["event"] for each in logs]


async def test_lag_of_the_event_loop_is_observed(gateway: Gateway) -> None:
    count = gateway.metrics.get_sample_value("railbird_event_loop_lag_seconds_count")
    assert count is not None
    assert count >= 4


# After a batch


async def test_batch_that_is_complete_is_flushed_at_once(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = waiting(monkeypatch, gateway.registry.open("table"), 0.0)
    gateway._after_batch(7.0)
    assert flush.times_s == [7.0]


@pytest.mark.parametrize(("lateness_s", "times"), [(MAX_LATENESS_S - 0.01, 0), (MAX_LATENESS_S + 0.01, 1)])
async def test_video_is_shed_when_datagrams_wait_too_long(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, lateness_s: float, times: int
) -> None:
    shed = stand_in(monkeypatch, gateway.registry.open("table"), "shed_video")
    gateway.port.lateness_s = lateness_s
    gateway._after_batch(monotonic_s())
    assert len(shed.times_s) == times


async def test_stream_without_a_batch_is_left_alone(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = waiting(monkeypatch, gateway.registry.open("table"), None)
    gateway._after_batch(monotonic_s())
    await asyncio.sleep(SOON_S)
    assert flush.times_s == []


async def test_batch_that_may_wait_is_flushed_when_its_hold_ends(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, set_s = gateway.registry.open("table"), monotonic_s()
    flush = stand_in(monkeypatch, stream, "flush")
    monkeypatch.setattr(stream, "wait_s", lambda now_s: None if flush.times_s else max(set_s + SOON_S - now_s, 0.0))
    gateway._after_batch(set_s)
    assert flush.times_s == []
    await asyncio.sleep(10 * SOON_S)
    assert len(flush.times_s) == 1
    assert flush.times_s[0] >= set_s + SOON_S


async def test_hold_ends_with_the_batch_that_waits_least(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, wait_s in (("one", 60.0), ("two", SOON_S), ("three", 30.0)):
        waiting(monkeypatch, gateway.registry.open(name), wait_s)
    alarms_s: list[float] = []
    monkeypatch.setattr(gateway._flush_alarm, "set", lambda delay_s, _now_s: alarms_s.append(delay_s))
    gateway._after_batch(monotonic_s())
    assert alarms_s == [SOON_S]


async def test_hold_that_nothing_waits_for_is_cleared(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = gateway.registry.open("table")
    flush = waiting(monkeypatch, stream, SOON_S)
    gateway._after_batch(monotonic_s())
    monkeypatch.setattr(stream, "wait_s", lambda _now_s: None)
    gateway._after_batch(monotonic_s())
    monkeypatch.setattr(stream, "wait_s", lambda _now_s: 0.0)
    await asyncio.sleep(3 * SOON_S)
    assert flush.times_s == []


async def test_stream_with_a_bug_does_not_keep_the_others_waiting(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes = [waiting(monkeypatch, gateway.registry.open(name), 0.0) for name in ("one", "two", "three")]
    flushes[0].is_broken = True
    with capture_logs() as logs:
        gateway._after_batch(7.0)
    assert [flush.times_s for flush in flushes] == [[7.0]] * 3
    assert [(each["event"], each["stream"]) for each in logs] == [("call failed", "one")]


async def test_batch_is_flushed_though_asking_for_missing_fails(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = waiting(monkeypatch, gateway.registry.open("table"), 0.0)
    ask = stand_in(monkeypatch, gateway.hub, "ask_for_missing", is_broken=True)
    with capture_logs():
        gateway._after_batch(7.0)
    assert (ask.times_s, flush.times_s) == ([7.0], [7.0])


async def test_datagram_on_the_port_ends_in_a_flush(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = waiting(monkeypatch, gateway.registry.open("table"), 0.0)
    with socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.sendto(b"\x80garbage", ("127.0.0.1", gateway.port.socket.port))
    await asyncio.sleep(2 * SOON_S)
    assert len(flush.times_s) == 1


# The pacer


@dataclass
class CatchUp:
    """Somebody is on the way to the live end until paced so often."""

    pace: Call
    paces: int

    @property
    def is_pacing(self) -> bool:
        return len(self.pace.times_s) < self.paces


def pacing(monkeypatch: pytest.MonkeyPatch, stream: Stream, paces: int) -> Call:
    """Let `stream` have to be paced so often."""
    pace = stand_in(monkeypatch, stream, "pace")
    monkeypatch.setattr(stream, "catch_up", CatchUp(pace, paces))
    return pace


async def test_pacer_runs_from_the_join_until_all_are_live(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    pace, idle = (pacing(monkeypatch, gateway.registry.open(name), n) for name, n in (("table", 3), ("idle", 0)))
    gateway.hub.on_joined()
    assert pace.times_s == []
    await asyncio.sleep(0.2)
    assert (len(pace.times_s), len(idle.times_s)) == (3, 0)


async def test_pacer_is_woken_by_a_batch(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = gateway.registry.open("table")
    waiting(monkeypatch, stream, 0.0)
    pace = pacing(monkeypatch, stream, 1)
    gateway._after_batch(monotonic_s())
    await asyncio.sleep(0.05)
    assert len(pace.times_s) == 1


async def test_pacer_goes_on_beside_a_stream_with_a_bug(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = (pacing(monkeypatch, gateway.registry.open(name), 2) for name in ("broken", "sound"))
    broken.is_broken = True
    with capture_logs() as logs:
        gateway.hub.on_joined()
        await asyncio.sleep(0.1)
    assert (len(broken.times_s), len(sound.times_s)) == (2, 2)
    assert {each["stream"] for each in logs} == {"broken"}


# Settings


async def test_fanout_settings_reach_the_streams() -> None:
    fanout = {"hold_ms": 7.5, "hold_from_viewers": 3, "keyframe_age_s": 4.0, "instant_start_bps": 600_000}
    gateway = Gateway(settings_of(fanout=fanout))
    settings = gateway.registry.open("table")._settings
    assert (settings.hold_s, settings.hold_from_viewers, settings.keyframe_age_s) == (0.0075, 3, 4.0)
    assert settings.pacing.floor_bps == 600_000
    gateway.port.socket.close()
