import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest

from loadgen.figures import StudioCounts
from loadgen.scenario.schema import PauseEvent, ReconnectEvent
from loadgen.studios import broadcast, studio
from loadgen.studios.broadcast import Broadcast
from loadgen.studios.studio import Studio
from loadgen.studios.timeline import Event
from loadgen.studios.whip_peer import OfferMaker
from tests.e2e.waiting import until
from tests.loadgen.studios.clips import packetized
from tests.loadgen.studios.double import Answer, PeerDouble
from tests.loadgen.studios.receiver import AUDIO, VIDEO_TYPE


class Stage:
    """Studios, and the peers that they made."""

    def __init__(self) -> None:
        self.peers: list[PeerDouble] = []
        self.refusals: list[str] = []
        """Causes that the next peers fail with."""
        self.answer = Answer()
        self._running: list[tuple[Studio, asyncio.Task[None]]] = []

    def studio(self, *events: Event) -> Studio:
        live = Studio("table-1", packetized(), events, self._peer, StudioCounts())
        self._running.append((live, asyncio.create_task(live.run())))
        return live

    def _peer(self, offer: OfferMaker) -> PeerDouble:
        peer = PeerDouble(offer, self.answer, self.refusals.pop(0) if self.refusals else None)
        self.peers.append(peer)
        return peer

    async def cancel(self) -> None:
        for _live, task in self._running:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def close(self) -> None:
        await self.cancel()
        for live, _task in self._running:
            await live.close()


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(studio, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(broadcast, "CHECK_INTERVAL_S", 0.05)
    stage = Stage()
    yield stage
    await stage.close()
    assert all(peer.end is not None for peer in stage.peers)


def peers_are(stage: Stage, count: int) -> Callable[[], bool]:
    return lambda: len(stage.peers) == count


async def test_studio_publishes_until_it_is_cancelled_and_says_goodbye_when_closed(stage: Stage) -> None:
    live = stage.studio()
    await asyncio.wait_for(live.is_on_air.wait(), 1)
    await asyncio.sleep(0.2)
    await stage.cancel()
    (peer,) = stage.peers
    assert peer.end is None, "the session is left to close()"
    assert peer.take().of(VIDEO_TYPE)
    await live.close()
    assert peer.end == "goodbye"
    assert not live.is_on_air.is_set()


async def test_studio_offers_its_ssrcs_and_the_profile_that_browsers_offer(stage: Stage) -> None:
    live = stage.studio()
    await asyncio.wait_for(live.is_on_air.wait(), 1)
    await asyncio.sleep(0.05)
    (peer,) = stage.peers
    ssrc = peer.take().of(VIDEO_TYPE)[0].header.ssrc
    assert f"a=ssrc:{ssrc} " in peer.offer
    assert "profile-level-id=42e01f" in peer.offer


@pytest.mark.parametrize(
    ("profile_level_id", "offered"),
    [("42c01e", "42e01f"), ("42c02a", "42e02a"), ("640028", "640028"), ("42001f", "42001f"), ("ff0000", "ff0000")],
)
def test_offered_profile_is_the_clips(profile_level_id: str, offered: str) -> None:
    assert studio._offered_profile(profile_level_id) == offered


async def test_studio_tries_again_until_it_is_let_in(stage: Stage) -> None:
    stage.refusals = ["http_503", "ice_timeout"]
    live = stage.studio()
    await asyncio.sleep(0.02)
    assert live.last_error is not None
    assert live.last_error.cause == "http_503"
    await asyncio.wait_for(live.is_on_air.wait(), 2)
    assert live.last_error is None
    assert (live.counts.connects, live.counts.failures) == (1, 2)


async def test_studio_leaves_a_server_that_takes_no_video(stage: Stage) -> None:
    stage.answer = Answer((AUDIO,))
    live = stage.studio()
    await until(lambda: live.counts.failures > 1, within_s=2)
    assert live.last_error is not None
    assert live.last_error.cause == "answer"
    assert stage.peers[0].end == "goodbye"
    assert not live.is_on_air.is_set()


async def test_studio_whose_session_the_server_ends_connects_again(stage: Stage) -> None:
    live = stage.studio()
    await asyncio.wait_for(live.is_on_air.wait(), 1)
    stage.peers[0].is_closed_by_server = True
    await until(peers_are(stage, 2), within_s=2)
    assert stage.peers[0].end == "vanish"
    await until(lambda: live.counts.connects == 2, within_s=2)
    assert live.counts.failures == 1


@pytest.mark.parametrize(("goodbye", "end"), [(False, "vanish"), (True, "goodbye")])
async def test_studio_reconnects_with_fresh_ssrcs(stage: Stage, goodbye: bool, end: str) -> None:
    live = stage.studio(ReconnectEvent(at_s=0.2, reconnect_after_s=0.3, goodbye=goodbye))
    live.begin(time.time())
    await until(peers_are(stage, 2), within_s=3)
    left, came = stage.peers
    assert left.end == end
    assert left.ended_s is not None
    assert came.made_s - left.ended_s >= 0.29
    await until(lambda: bool(stage.peers[1].take().packets), within_s=2)
    first, second = (peer.receiver.packets[0].header for peer in stage.peers)
    assert first.ssrc != second.ssrc
    assert live.counts.failures == 0
    assert live.counts.connects == 2


async def test_nothing_happens_before_the_run_begins(stage: Stage) -> None:
    live = stage.studio(ReconnectEvent(at_s=0.1, reconnect_after_s=0.1))
    await asyncio.sleep(0.4)
    assert len(stage.peers) == 1
    live.begin(time.time())
    await until(peers_are(stage, 2), within_s=2)


async def test_studio_pauses_and_its_session_stays(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    live = stage.studio(PauseEvent(at_s=0.2, pause_s=0.4, every_s=1.0))
    await asyncio.wait_for(live.is_on_air.wait(), 1)
    (peer,) = stage.peers
    original, elapsed_s, seen = Broadcast.pause, list[float](), list[tuple[int, bool]]()

    def look() -> None:
        seen.append((len(peer.take().packets), live.is_on_air.is_set()))

    def pause(of: Broadcast, pause_s: float) -> None:
        elapsed_s.append(live.elapsed_s)
        original(of, pause_s)
        look()
        # By a timer that is due before the pause is over: it has its turn before, however late both are.
        asyncio.get_running_loop().call_later(0.2, look)

    monkeypatch.setattr(Broadcast, "pause", pause)
    live.begin(time.time())
    await until(lambda: bool(seen) and len(peer.take().packets) > seen[0][0])
    assert seen == [(seen[0][0], True)] * 2
    assert elapsed_s[0] >= 0.19
    assert len(stage.peers) == 1


async def test_counts_are_taken_once(stage: Stage) -> None:
    live = stage.studio()
    await asyncio.wait_for(live.is_on_air.wait(), 1)
    (peer,) = stage.peers
    # Read as they come: the socket does not keep all.
    await until(lambda: len({packet.header.timestamp for packet in peer.take().of(VIDEO_TYPE)}) > 3)
    first = live.take_counts()
    assert first.connects == 1
    assert first.frames > 3
    await until(lambda: len(peer.take().packets) > first.packets)
    second = live.take_counts()
    assert second.connects == 0
    await stage.cancel()
    rest = live.take_counts()
    sent = len(peer.take().packets)
    assert first.packets + second.packets + rest.packets == sent


async def test_lateness_is_taken_once(stage: Stage) -> None:
    live = stage.studio()
    assert live.take_lateness_s() == 0.0
    await asyncio.wait_for(live.is_on_air.wait(), 1)
    await asyncio.sleep(0.01)
    time.sleep(0.5)  # noqa: ASYNC251  the event loop is to be late
    await asyncio.sleep(0.05)
    lateness_s = live.take_lateness_s()
    assert lateness_s > 0.4
    assert live.take_lateness_s() == 0.0
    await asyncio.sleep(0.05)
    assert live.take_lateness_s() < lateness_s
