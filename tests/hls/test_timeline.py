from gateway.hls.timeline import AUDIO_HZ, VIDEO_HZ, Timeline
from gateway.stream.timing import PublisherClock
from gateway.stream.track import Track
from tests.hls.content import UNIX_S, WALL, audio_track, video_track

NOW_S = 100.0


def arrive(track: Track, timestamp: int, at_s: float) -> None:
    """A packet with outgoing `timestamp`, captured and come at once."""
    track.clock.on_packet(timestamp & 0xFFFFFFFF, WALL.ntp(at_s))


def report(track: Track, clock: PublisherClock, timestamp: int, captured_s: float, skew_s: float, way_s: float) -> None:
    """A sender report of a publisher whose clock is `skew_s` ahead."""
    publisher_ntp = WALL.ntp(captured_s + skew_s)
    clock.on_sender_report(publisher_ntp, WALL.ntp(captured_s + way_s))
    track.clock.on_sender_report(publisher_ntp, timestamp & 0xFFFFFFFF, clock)


def test_video_counts_its_own_ticks() -> None:
    timeline = Timeline()
    timeline.begin_epoch(video_track(), 5000, 90_000)
    assert timeline.video_position(5000) == 90_000
    assert timeline.video_position(8000) == 93_000


def test_video_over_the_wrap_of_its_timestamps() -> None:
    timeline = Timeline()
    timeline.begin_epoch(video_track(), 0xFFFFF000, 0)
    positions = [timeline.video_position((0xFFFFF000 + number * 3000) & 0xFFFFFFFF) for number in range(5)]
    assert positions == [0, 3000, 6000, 9000, 12000]


def test_video_counts_on_over_many_wraps() -> None:
    timeline = Timeline()
    timeline.begin_epoch(video_track(), 7, 0)
    step = 1 << 30
    assert [timeline.video_position((7 + number * step) & 0xFFFFFFFF) for number in range(12)][-1] == 11 * step


def test_sound_has_no_place_before_its_clock_is_known() -> None:
    timeline, video, audio = Timeline(), video_track(), audio_track()
    assert timeline.audio_position(audio, 0) is None
    arrive(audio, 0, NOW_S)
    assert timeline.audio_position(audio, 0) is None, "no epoch has begun"
    timeline.begin_epoch(video, 0, 0)
    assert timeline.audio_position(audio, 0) is None, "video has had no packet"
    assert timeline.unix_s(0) is None
    arrive(video, 0, NOW_S)
    assert timeline.audio_position(audio, 0) == 0


def test_sound_is_placed_by_arrival_until_reports_come() -> None:
    timeline, video, audio = Timeline(), video_track(), audio_track()
    arrive(video, 1000, NOW_S)
    arrive(audio, 2000, NOW_S + 0.5)
    timeline.begin_epoch(video, 1000, 900_000)
    assert timeline.audio_position(audio, 2000) in (480_000 + 23_999, 480_000 + 24_000)


def test_sound_is_placed_by_reports_whatever_the_way_was() -> None:
    """Audio's packets queued for 300 ms, and the publisher's clock is wrong by hours."""
    for skew_s in (0.0, 7200.0, -7200.0):
        timeline, video, audio, clock = Timeline(), video_track(), audio_track(), PublisherClock()
        arrive(video, 0, NOW_S + 0.02)
        arrive(audio, 0, NOW_S + 0.32)
        report(video, clock, 90_000, NOW_S + 1.0, skew_s, 0.02)
        report(audio, clock, 48_000, NOW_S + 1.0, skew_s, 0.3)
        timeline.begin_epoch(video, 0, 0)
        position = timeline.audio_position(audio, 48_000)
        assert position is not None
        assert abs(position - 48_000) <= 1, skew_s
        unix_s = timeline.unix_s(0)
        assert unix_s is not None
        assert abs(unix_s - (UNIX_S + NOW_S + 0.02)) < 0.001, skew_s


def test_sound_over_the_wraps_of_both_tracks() -> None:
    timeline, video, audio, clock = Timeline(), video_track(), audio_track(), PublisherClock()
    video_first, audio_first = 0xFFFFFFFF - 45_000, 0xFFFFFFFF - 24_000
    report(video, clock, video_first, NOW_S, 60.0, 0.02)
    report(audio, clock, audio_first, NOW_S, 60.0, 0.02)
    timeline.begin_epoch(video, video_first, 0)
    for tenth in range(30):
        timeline.video_position((video_first + tenth * VIDEO_HZ // 10) & 0xFFFFFFFF)
        position = timeline.audio_position(audio, (audio_first + tenth * AUDIO_HZ // 10) & 0xFFFFFFFF)
        assert position is not None
        assert abs(position - tenth * AUDIO_HZ // 10) <= 1


def test_sound_from_before_the_epoch_lies_before_it() -> None:
    timeline, video, audio = Timeline(), video_track(), audio_track()
    arrive(video, 0, NOW_S)
    arrive(audio, 0, NOW_S)
    timeline.begin_epoch(video, 0, 0)
    position = timeline.audio_position(audio, -4800 & 0xFFFFFFFF)
    assert position is not None
    assert abs(position + 4800) <= 1


def test_epoch_goes_on_where_the_one_before_ended() -> None:
    timeline, video, audio, clock = Timeline(), video_track(), audio_track(), PublisherClock()
    report(video, clock, 0, NOW_S, 0.0, 0.0)
    report(audio, clock, 0, NOW_S, 0.0, 0.0)
    timeline.begin_epoch(video, 0, 0)
    assert timeline.video_position(180_000) == 180_000
    timeline.begin_epoch(video, 900_000, 183_000)  # ten seconds of capture lie at two
    assert timeline.video_position(903_000) == 186_000
    position = timeline.audio_position(audio, 480_000)
    assert position is not None
    assert abs(position - 183_000 * AUDIO_HZ // VIDEO_HZ) <= 1
    unix_s = timeline.unix_s(183_000)
    assert unix_s is not None
    assert abs(unix_s - (UNIX_S + NOW_S + 10.0)) < 0.001
