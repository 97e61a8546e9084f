import pytest

from gateway.config import HlsSettings
from gateway.errors import SignallingError
from gateway.hls.date_ranges import DateRange, DateRanges
from gateway.hls.multivariant import ESTIMATE_MARGIN
from gateway.hls.playlist import Skip
from gateway.hls.presentation import PLAYERS_WINDOW_S, SETTLED_SEGMENTS, Presentation
from tests.hls.content import UNIX_S, Studio, run_at_once
from tests.stream.doubles import H264, OPUS, stream_of


class Bench:
    """A presentation of a stream that a studio of the test's own clock feeds."""

    def __init__(self, *, has_audio: bool = True) -> None:
        self.stream, _ = stream_of(*([H264, OPUS] if has_audio else [H264]))
        self.studio = Studio(self.stream)
        self.studio.has_audio = has_audio
        self.date_ranges = DateRanges()
        self.changes = 0
        self.presentation = self.begun()
        self.studio.after_packet = lambda now_s: self.presentation.packager.pump(now_s)

    def begun(self) -> Presentation:
        return Presentation(self.stream, HlsSettings(), self.date_ranges, run_at_once, self._on_change)

    def _on_change(self) -> None:
        self.changes += 1

    def is_there(self, msn: int | None, part: int | None = None, name: str = "video") -> bool:
        return self.presentation.playlist_wish(name, msn, part)()

    def refused(self, msn: int | None, part: int | None) -> int:
        with pytest.raises(SignallingError) as refusal:
            self.presentation.playlist_wish("video", msn, part)
        return refusal.value.status


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.studio.run(5.0)
    return bench


def test_generation_cannot_be_guessed() -> None:
    bench = Bench()
    generations = {bench.begun().generation for _ in range(50)}
    assert len(generations) == 50
    assert all(len(generation) >= 22 for generation in generations), "128 bits in base64"
    assert all(generation.replace("-", "").replace("_", "").isalnum() for generation in generations)


def test_presentation_is_ready_with_a_whole_segment_of_each_rendition() -> None:
    bench = Bench()
    assert not bench.presentation.is_ready
    bench.studio.has_audio = False
    bench.studio.run(2.2)
    assert bench.presentation.packager.video.has_whole_segment
    assert not bench.presentation.is_ready
    assert bench.changes > 0
    bench.studio.has_audio = True
    bench.studio.run(1.0)
    assert bench.presentation.is_ready
    assert bench.presentation.stored_bytes > 0


def test_multivariant_playlist_tells_the_rates_of_the_segments(bench: Bench) -> None:
    text = bench.presentation.multivariant("dir/")
    assert "dir/video.m3u8\n" in text
    assert 'URI="dir/audio.m3u8"' in text
    assert "RESOLUTION=640x360,FRAME-RATE=30.000" in text
    whole = [segment for segment in bench.presentation.packager.video.segments if segment.is_whole]
    peak_bps = max(segment.size_bytes * 8 / segment.duration_s for segment in whole) + 96_000
    assert f":BANDWIDTH={round(ESTIMATE_MARGIN * peak_bps)},AVERAGE-BANDWIDTH=" in text, "two segments tell little"
    bench.studio.run(2.0 * SETTLED_SEGMENTS)
    assert f":BANDWIDTH={round(peak_bps)},AVERAGE-BANDWIDTH=" in bench.presentation.multivariant("")


def test_segment_cut_short_by_a_break_does_not_raise_the_bandwidth(bench: Bench) -> None:
    before = bench.presentation.multivariant("")
    bench.studio.size, bench.studio.wants_keyframe = (320, 180), True
    bench.studio.run(0.1)
    bench.studio.size, bench.studio.wants_keyframe = (640, 360), True
    bench.studio.run(0.5)
    shortest = min(each.duration_s for each in bench.presentation.packager.video.segments if each.is_whole)
    assert shortest < 0.2
    assert _bandwidth(bench.presentation.multivariant("")) < 1.5 * _bandwidth(before)


def _bandwidth(text: str) -> int:
    return int(text.partition(":BANDWIDTH=")[2].partition(",")[0])


def test_multivariant_playlist_of_video_alone() -> None:
    bench = Bench(has_audio=False)
    bench.studio.run(1.0)
    assert "EXT-X-MEDIA:" not in bench.presentation.multivariant("")
    with pytest.raises(SignallingError) as refusal:
        bench.presentation.playlist("audio", Skip.NOTHING, 0.0)
    assert refusal.value.status == 404


# What a request waits for (section 6.2.5.2)


def test_playlist_without_directives_waits_for_the_first_segment() -> None:
    bench = Bench()
    assert not bench.is_there(None)
    bench.studio.run(0.5)
    assert not bench.is_there(None)
    bench.studio.run(1.7)
    assert bench.is_there(None)


def test_playlist_waits_for_the_segment_or_part_that_is_asked_for(bench: Bench) -> None:
    """Two segments and 0.8 s: parts 0 to 3 of segment 2."""
    assert bench.presentation.packager.video.last == (2, 3)
    assert bench.is_there(0)
    assert bench.is_there(1)
    assert not bench.is_there(2)
    assert bench.is_there(2, 3)
    assert not bench.is_there(2, 4)
    assert bench.is_there(1, 30), "a part past the end of a segment is the first of the next"
    assert not bench.is_there(3)
    assert not bench.is_there(3, 0)


def test_what_lies_too_far_ahead_is_refused(bench: Bench) -> None:
    assert bench.refused(4, None) == 400
    assert bench.refused(4, 0) == 400
    assert not bench.is_there(3, 13)
    # 3 s are 14.28 parts of 0.21 s.
    assert not bench.is_there(2, 3 + 14)
    assert bench.refused(2, 3 + 15) == 400


def test_part_without_segment_is_refused(bench: Bench) -> None:
    assert bench.refused(None, 0) == 400


def test_before_the_first_part_a_little_ahead_may_be_asked_for() -> None:
    bench = Bench()
    assert not bench.is_there(0, 0)
    assert not bench.is_there(1)
    assert bench.refused(2, None) == 400


def test_nothing_is_waited_for_when_it_has_ended(bench: Bench) -> None:
    bench.presentation.packager.finish(bench.studio.now_s)
    assert bench.is_there(None)
    assert bench.is_there(7)
    assert bench.is_there(900, 900)
    assert bench.presentation.playlist("video", Skip.SEGMENTS, 0.0).plain.endswith(b"#EXT-X-ENDLIST\n")


def test_rendition_that_is_none_is_refused(bench: Bench) -> None:
    for ask in (
        lambda: bench.presentation.rendition("text"),
        lambda: bench.presentation.playlist_wish("text", None, None),
        lambda: bench.presentation.playlist("text", Skip.NOTHING, 0.0),
        lambda: bench.presentation.part("text", 0, 0),
    ):
        with pytest.raises(SignallingError) as refusal:
            ask()
        assert refusal.value.status == 404


# Media


def test_segment_is_the_concatenation_of_its_parts(bench: Bench) -> None:
    presentation = bench.presentation
    segment = presentation.segment("video", 1)
    assert segment is not None
    payloads = [presentation.part("video", 1, index) for index in range(len(segment.parts))]
    assert payloads == [part.payload for part in segment.parts]
    assert presentation.part("video", 1, len(payloads)) is None
    assert presentation.segment("video", 2) is None, "it is not whole"
    assert presentation.part("video", 2, 0) is not None
    assert presentation.part("video", 99, 0) is None


def test_hinted_part_is_the_next_alone(bench: Bench) -> None:
    presentation = bench.presentation
    assert presentation.is_hinted("video", 2, 4)
    assert not presentation.is_hinted("video", 2, 5)
    assert not presentation.is_hinted("video", 3, 0)
    assert not presentation.is_hinted("video", 2, 3)
    presentation.packager.finish(bench.studio.now_s)
    assert not presentation.is_hinted("video", *presentation.packager.video.hinted)


# Figures and date ranges


def test_players_are_those_that_ask_for_each_part(bench: Bench) -> None:
    presentation, studio = bench.presentation, bench.studio
    assert presentation.players == 0
    for _ in range(20):
        for _player in range(7):
            presentation.playlist("video", Skip.NOTHING, studio.now_s)
            presentation.playlist("audio", Skip.NOTHING, studio.now_s)
        studio.run(0.2)
        presentation.sample(studio.now_s)
    assert presentation.players == 7
    for _ in range(20):
        studio.run(0.2)
        presentation.sample(studio.now_s)
    assert presentation.players == 0
    assert len(presentation._samples) <= PLAYERS_WINDOW_S / 0.2 + 2


def test_players_without_new_parts_are_unknown(bench: Bench) -> None:
    bench.presentation.sample(200.0)
    bench.presentation.playlist("video", Skip.NOTHING, 200.0)
    bench.presentation.sample(201.0)
    assert bench.presentation.players == 0


def test_date_range_is_in_both_playlists_until_its_time_has_left_them(bench: Bench) -> None:
    presentation, ranges = bench.presentation, bench.date_ranges
    ranges.mark(DateRange("round-1", "round", UNIX_S + bench.studio.now_s, 2.0), bench.studio.now_s)
    for name in ("video", "audio"):
        assert b'ID="round-1"' in presentation.playlist(name, Skip.NOTHING, bench.studio.now_s).plain
    bench.studio.run(10.0)
    presentation.forget_date_ranges(ranges, bench.studio.now_s)
    assert len(ranges) == 1
    bench.studio.run(16.0)
    presentation.forget_date_ranges(ranges, bench.studio.now_s)
    assert len(ranges) == 0
    assert b"DATERANGE:" not in presentation.playlist("video", Skip.NOTHING, bench.studio.now_s).plain
    assert ranges.recently_removed() == "round-1"


def test_date_ranges_stay_before_the_first_segment() -> None:
    bench = Bench()
    bench.date_ranges.mark(DateRange("round-1", "round", UNIX_S), 0.0)
    bench.presentation.forget_date_ranges(bench.date_ranges, 100.0)
    assert len(bench.date_ranges) == 1
