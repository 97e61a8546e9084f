"""What is read of a process and of a stream, at a real hub."""

from dataclasses import replace

import pytest

from gateway.clock import monotonic_s
from gateway.clockwork import Clockwork
from gateway.watchdog.reading import read_process, read_stream
from gateway.watchdog.sample import StreamSample
from tests.hub.conftest import desk, settings
from tests.hub.desk import AUDIO_TYPE, Desk, studio_offer
from tests.ingest.offers import Section, opus
from tests.stream.doubles import DELTA_SLICE, IDR_SLICE

__all__ = ["desk", "settings"]


def seen(desk: Desk, previous: StreamSample | None = None) -> StreamSample:
    return read_stream(desk.hub, "table", previous, monotonic_s())


async def test_process_is_read_since_the_last_time(desk: Desk) -> None:
    clockwork = Clockwork(lambda _lag_s: None)
    clockwork.worst_lag_s, desk.port.worst_lateness_s = 0.7, 0.3
    first, second = read_process(clockwork, desk.port, 1.0), read_process(clockwork, desk.port, 2.0)
    assert (first.at_s, first.loop_lag_s, first.queue_lateness_s, first.kernel_drops) == (1.0, 0.7, 0.3, 0)
    assert (second.loop_lag_s, second.queue_lateness_s) == (0.0, 0.0)


async def test_stream_that_is_not_there_has_shown_nothing(desk: Desk) -> None:
    sample = seen(desk)
    assert (sample.picture_s, sample.media_s, sample.studio_s) == (None, None, None)
    assert not sample.is_connected


async def test_stream_of_a_studio_is_read_by_what_came(desk: Desk) -> None:
    studio = desk.studio()
    before_s = monotonic_s()
    desk.rtp(studio, 100, IDR_SLICE)
    desk.rtp(studio, 103, DELTA_SLICE)
    desk.rtp(studio, 7, b"opus", AUDIO_TYPE)
    sample = seen(desk)
    assert sample.picture_s is not None
    assert sample.sound_s is not None
    assert before_s <= sample.picture_s <= sample.sound_s == sample.media_s
    assert (sample.packets_expected, sample.packets_missed, sample.frames) == (4, 2, 2)
    assert (sample.is_connected, sample.sends_video, sample.ended_by) == (True, True, None)
    assert sample.studio_s == studio.session.last_seen_s


async def test_loop_lag_says_until_when_the_socket_was_read(desk: Desk) -> None:
    sample = read_stream(desk.hub, "table", None, 10.0, 2.5)
    assert (sample.at_s, sample.read_until_s) == (10.0, 7.5)


async def test_studio_that_left_is_remembered_with_what_it_sent(desk: Desk) -> None:
    studio = desk.studio()
    desk.rtp(studio, 100, IDR_SLICE)
    desk.rtp(studio, 102, DELTA_SLICE)
    before = seen(desk)
    studio.session.close("peer_left")
    after = seen(desk, before)
    assert (after.is_connected, after.ended_by) == (False, "peer_left")
    expected = replace(before, at_s=after.at_s, read_until_s=after.at_s, is_connected=False, ended_by="peer_left")
    assert after == expected


async def test_picture_of_a_stream_that_was_forgotten_stays_the_last_one(desk: Desk) -> None:
    studio = desk.studio()
    desk.rtp(studio, 100, IDR_SLICE)
    before = seen(desk)
    studio.session.close("peer_left")
    desk.registry.close_abandoned(monotonic_s() + 1000.0, 0.0)
    after = seen(desk, before)
    assert (after.picture_s, after.media_s, after.is_connected) == (before.picture_s, before.media_s, False)


async def test_picture_of_a_format_that_was_replaced_is_not_forgotten(desk: Desk) -> None:
    first = desk.studio()
    desk.rtp(first, 100, IDR_SLICE)
    before = seen(desk)
    del desk.stream().tracks["video"]
    assert seen(desk, before).picture_s == before.picture_s


async def test_studio_of_sound_alone_sends_no_video(desk: Desk) -> None:
    desk.studio(offer=studio_offer(Section("audio", "0", (opus(AUDIO_TYPE),))))
    assert not seen(desk).sends_video


@pytest.mark.parametrize("kind", ["video", "audio"])
async def test_track_without_packets_has_no_time(desk: Desk, kind: str) -> None:
    desk.studio()
    sample = seen(desk)
    assert (sample.picture_s if kind == "video" else sample.sound_s) is None
