import asyncio
import dataclasses
import time
from collections.abc import Iterator
from functools import partial

import pytest

from gateway.wire import rtcp
from loadgen.errors import SignallingError
from loadgen.figures import StudioCounts
from loadgen.peer.datagrams import Arrival
from loadgen.signalling.offer import studio_offer
from loadgen.studios import broadcast
from loadgen.studios.broadcast import Broadcast, fresh_ssrcs
from tests.e2e.waiting import until
from tests.e2e.windows import in_one_window
from tests.loadgen.studios.clips import packetized
from tests.loadgen.studios.double import Answer, PeerDouble
from tests.loadgen.studios.receiver import AUDIO, AUDIO_TYPE, RTX_TYPE, VIDEO, VIDEO_TYPE

SSRCS = fresh_ssrcs()


@pytest.fixture
def peer() -> Iterator[PeerDouble]:
    double = PeerDouble(partial(studio_offer, ssrcs=SSRCS))
    yield double
    double.close("end")


def on_air(peer: PeerDouble, ended: list[bool] | None = None) -> Broadcast:
    news = ended if ended is not None else []
    return Broadcast(peer, packetized(), SSRCS, StudioCounts(), lambda: news.append(True))


async def test_broadcast_sends_at_once_and_until_it_is_stopped(peer: PeerDouble) -> None:
    live = on_air(peer)
    assert peer.take().of(VIDEO_TYPE)[0].header.ssrc == SSRCS.video
    assert peer.receiver.of(AUDIO_TYPE)[0].header.ssrc == SSRCS.audio

    async def measure() -> tuple[int, float]:
        """Frames of half a second, and how many it should have; read as they come, as the socket does not keep all."""
        before, began_s = _frames(peer), time.monotonic()
        await until(lambda: _frames(peer) >= before + 15)
        due = 30 * (time.monotonic() - began_s)
        return _frames(peer) - before, due

    await in_one_window(measure, lambda window: window[0] == pytest.approx(window[1], abs=2))
    live.stop()
    sent = len(peer.take().packets)
    await asyncio.sleep(0.1)
    assert len(peer.take().packets) == sent


def _frames(peer: PeerDouble) -> int:
    """Sent until now."""
    return len({packet.header.timestamp for packet in peer.take().of(VIDEO_TYPE)})


async def test_broadcast_answers_feedback_of_its_socket_and_what_came_early(peer: PeerDouble) -> None:
    early = peer.receiver.feedback(rtcp.PictureLossIndication(1, SSRCS.video))
    peer.early = [Arrival(early, len(early), time.time_ns(), ("127.0.0.1", 9))]
    live = on_air(peer)
    await asyncio.sleep(0.1)
    first = peer.take().of(VIDEO_TYPE)[0].header.sequence_number
    peer.server.send(peer.receiver.feedback(rtcp.GenericNack(1, SSRCS.video, (first,))))
    peer.server.send(b"\x01\x01stun")
    peer.server.send(b"\x90")
    await asyncio.sleep(0.1)
    live.stop()
    assert live.transmission.counts.plis_received == 1
    assert [packet.payload[:2] for packet in peer.take().of(RTX_TYPE)] == [first.to_bytes(2, "big")]
    assert peer.control == [b"\x01\x01stun"]
    assert live.transmission.malformed == 0


async def test_broadcast_asks_for_consent_and_notes_its_end(peer: PeerDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "CHECK_INTERVAL_S", 0.05)
    ended: list[bool] = []
    began_s = time.monotonic()
    live = on_air(peer, ended)
    await until(lambda: peer.checks >= 3)
    assert peer.checks <= (time.monotonic() - began_s) / 0.05
    assert ended == []
    peer.is_closed_by_server = True
    await until(lambda: bool(ended))
    live.stop()
    assert live.is_ended_by_server


async def test_broadcast_pauses(peer: PeerDouble) -> None:
    live = on_air(peer)
    await asyncio.sleep(0.1)
    live.pause(0.3)
    paused, seen = len(peer.take().packets), list[int]()
    # By a timer that is due before the pause is over: it has its turn before, however late both are.
    asyncio.get_running_loop().call_later(0.2, lambda: seen.append(len(peer.take().packets)))
    await until(lambda: len(peer.take().packets) > paused)
    live.stop()
    assert seen == [paused]


@pytest.mark.parametrize("media", [(AUDIO,), (dataclasses.replace(VIDEO, mime="video/vp8"), AUDIO)])
async def test_broadcast_needs_a_server_that_takes_h264(media: tuple[object, ...]) -> None:
    peer = PeerDouble(partial(studio_offer, ssrcs=SSRCS), Answer(media))  # type: ignore[arg-type]
    with pytest.raises(SignallingError, match="no H264") as refused:
        on_air(peer)
    assert refused.value.cause == "answer"
    peer.close("end")


async def test_broadcast_to_a_server_without_audio_or_rtx() -> None:
    peer = PeerDouble(partial(studio_offer, ssrcs=SSRCS), Answer((dataclasses.replace(VIDEO, rtx_payload_type=None),)))
    live = on_air(peer)
    await asyncio.sleep(0.1)
    live.stop()
    assert peer.take().of(AUDIO_TYPE) == []
    assert peer.receiver.of(VIDEO_TYPE)
    peer.close("end")
