from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.hls import rendition as module
from gateway.hls.rendition import WINDOW_TARGET_DURATIONS, Part, Rendition

WINDOW_S = WINDOW_TARGET_DURATIONS * 2


def part(size_bytes: int = 10, duration_s: float = 0.25) -> Part:
    return Part(bytes(size_bytes), duration_s, False)


class Source:
    """Fills a rendition: segments of eight parts of 0.25 s, each part at its time."""

    def __init__(self) -> None:
        self.rendition = Rendition("video", 0.21, 2)
        self.now_s = 100.0

    def segments(self, count: int, parts: int = 8, *, init: bool = False, is_discontinuity: bool = False) -> None:
        for number in range(count):
            first = not number
            new_init = b"init" if not self.rendition.segments or (init and first) else None
            self.rendition.begin_segment(self.now_s, is_discontinuity and first, new_init)
            self.parts(parts)
            self.rendition.end_segment()

    def parts(self, count: int) -> None:
        for _ in range(count):
            self.now_s += 0.25
            self.rendition.add_part(part(), self.now_s)

    @property
    def named(self) -> list[int]:
        return [segment.msn for segment in self.rendition.segments]


@pytest.fixture
def source() -> Source:
    return Source()


# Numbers


def test_empty_rendition(source: Source) -> None:
    rendition = source.rendition
    assert (rendition.last, rendition.hinted, rendition.hinted_init, rendition.duration_s) == (None, (0, 0), None, 0)
    assert not rendition.has(0, None)
    assert not rendition.has(0, 0)
    assert rendition.segment(0) is None
    assert rendition.init_section(0) is None


def test_segments_count_up_from_zero(source: Source) -> None:
    source.segments(3)
    assert source.named == [0, 1, 2]
    assert source.rendition.last == (2, 7)
    assert source.rendition.parts_made == 24


def test_hint_is_the_part_that_comes_next(source: Source) -> None:
    rendition = source.rendition
    hints = []

    def note() -> None:
        hints.append(rendition.hinted)

    rendition.begin_segment(0.0, False, b"init")
    note()
    source.parts(1)
    note()
    rendition.end_segment()
    note()
    rendition.begin_segment(0.0, False)
    note()
    source.parts(1)
    note()
    assert hints == [(0, 0), (0, 1), (1, 0), (1, 0), (1, 1)]


def test_hinted_init_is_told_only_where_the_next_part_needs_another(source: Source) -> None:
    rendition = source.rendition
    rendition.begin_segment(0.0, False, b"one")
    assert rendition.hinted_init == 0
    source.parts(1)
    rendition.end_segment()
    assert rendition.hinted_init is None
    rendition.begin_segment(0.0, False)
    assert rendition.hinted_init is None
    source.parts(1)
    rendition.end_segment()
    rendition.begin_segment(0.0, True, b"two")
    assert rendition.hinted_init == 1
    source.parts(1)
    assert rendition.hinted_init is None


def test_empty_segment_gives_way_to_the_next(source: Source) -> None:
    source.segments(1)
    rendition = source.rendition
    rendition.begin_segment(1.0, True, b"lost")
    rendition.begin_segment(2.0, False, b"kept")
    newest = rendition.segments[-1]
    assert (newest.msn, newest.is_discontinuity, newest.unix_s) == (1, True, 2.0)
    assert rendition.init_section(newest.init_number) == b"kept"


def test_version_grows_with_each_change(source: Source) -> None:
    rendition = source.rendition
    versions = [rendition.version]
    rendition.begin_segment(0.0, False, b"init")
    versions.append(rendition.version)
    rendition.add_part(part(), 0.0)
    versions.append(rendition.version)
    rendition.end_segment()
    versions.append(rendition.version)
    rendition.end()
    versions.append(rendition.version)
    assert versions == sorted(set(versions))


# What may be asked for (section 6.2.5.2)


def test_whole_segment_is_there_only_when_it_is_whole(source: Source) -> None:
    source.segments(2)
    source.rendition.begin_segment(0.0, False)
    source.parts(9)
    assert source.rendition.has(1, None)
    assert not source.rendition.has(2, None), "its parts are not enough"
    source.rendition.end_segment()
    assert source.rendition.has(2, None)
    assert not source.rendition.has(3, None)


def test_part_is_there_with_itself_or_anything_newer(source: Source) -> None:
    source.segments(1)
    source.rendition.begin_segment(0.0, False)
    source.parts(3)
    assert source.rendition.has(1, 2)
    assert not source.rendition.has(1, 3)
    assert source.rendition.has(0, 5)
    assert not source.rendition.has(2, 0)


def test_part_beyond_the_last_of_a_whole_segment_is_the_first_of_the_next(source: Source) -> None:
    source.segments(1)
    assert source.rendition.has(0, 7)
    assert not source.rendition.has(0, 8)
    source.rendition.begin_segment(0.0, False)
    assert not source.rendition.has(0, 8), "the next segment is empty"
    source.parts(1)
    assert source.rendition.has(0, 8)
    assert source.rendition.has(0, 99)


def test_numbers_before_the_window_are_there(source: Source) -> None:
    source.segments(30)
    assert source.named[0] > 3
    assert source.rendition.has(0, None)
    assert source.rendition.has(0, 3)


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.integers(0, 13), st.integers(0, 13))
def test_what_is_there_stays_there(counts: list[int], msn: int, index: int) -> None:
    """A request that was answered never has to wait again."""
    source = Source()
    seen: list[tuple[bool, bool]] = [(False, False)]

    def changes() -> Iterator[None]:
        for number, count in enumerate(counts):
            source.rendition.begin_segment(0.0, False, None if number else b"init")
            yield
            for _ in range(count):
                source.parts(1)
                yield
            source.rendition.end_segment()
            yield

    for _ in changes():
        state = source.rendition.has(msn, None), source.rendition.has(msn, index)
        assert all(now >= before for now, before in zip(state, seen[-1], strict=True))
        seen.append(state)
    whole = msn < len(counts)
    assert seen[-1][0] == whole
    assert seen[-1][1] == (msn < len(counts) - 1 or (whole and index < counts[msn]))


# The window


def test_window_lasts_eight_target_durations_at_least(source: Source) -> None:
    for _ in range(40):
        source.segments(1)
        assert source.rendition.duration_s <= WINDOW_S + 2.0
        assert source.named == list(range(source.named[0], source.named[-1] + 1))
    assert source.rendition.duration_s == WINDOW_S
    assert source.named == list(range(32, 40))


def test_segment_stays_for_its_own_and_the_playlists_duration(source: Source) -> None:
    """Section 6.2.2."""
    source.segments(8)
    source.rendition.begin_segment(0.0, False)
    while source.named[0] == 0:
        source.parts(1)
    removed_s = source.now_s
    playlist_s = source.rendition.duration_s + 2.0
    source.rendition.end_segment()
    while source.rendition.segment(0) is not None:
        source.segments(1, parts=1)
    assert source.now_s - removed_s >= playlist_s + 2.0
    assert source.now_s - removed_s <= playlist_s + 2.0 + 0.25


def test_parts_stay_as_long_as_their_segment(source: Source) -> None:
    source.segments(9)
    segment = source.rendition.segment(0)
    assert segment is not None
    assert 0 not in source.named
    assert len(segment.parts) == 8


def test_discontinuity_sequence_counts_what_left_with_its_tag(source: Source) -> None:
    source.segments(1)
    source.segments(1, is_discontinuity=True)
    source.segments(7)
    assert (source.named[0], source.rendition.discontinuity_sequence) == (1, 0)
    source.segments(1)
    assert (source.named[0], source.rendition.discontinuity_sequence) == (2, 1)


def test_init_section_is_here_as_long_as_a_segment_needs_it(source: Source) -> None:
    source.segments(2)
    source.segments(1, init=True, is_discontinuity=True)
    needed_by, rendition = 1, source.rendition
    for _ in range(40):
        source.segments(1)
        assert (rendition.init_section(0) is not None) == (rendition.segment(needed_by) is not None)
        assert rendition.init_section(1) is not None
    assert rendition.init_section(0) is None


def test_stored_bytes_are_those_of_all_that_is_here(source: Source) -> None:
    source.segments(50)
    rendition = source.rendition
    here = [segment for msn in range(60) if (segment := rendition.segment(msn)) is not None]
    assert rendition.stored_bytes == sum(segment.size_bytes for segment in here)
    assert len(here) <= 2 * WINDOW_TARGET_DURATIONS + 3


def test_memory_is_bounded_whatever_parts_weigh(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STORED_BYTES", 1000)
    source.segments(30)
    assert source.rendition.stored_bytes <= 1000
    assert source.named[-1] == 29
    source.rendition.begin_segment(0.0, False)
    source.rendition.add_part(part(5000), source.now_s)
    assert source.named == [30], "the newest stays, whatever it weighs"
    assert source.rendition.stored_bytes == 5000


# The end


def test_end_closes_the_open_segment(source: Source) -> None:
    source.segments(1)
    source.rendition.begin_segment(0.0, False)
    source.parts(2)
    source.rendition.end()
    assert source.rendition.is_ended
    assert source.rendition.segments[-1].is_whole
    assert source.rendition.last == (1, 1)


def test_end_leaves_no_empty_segment(source: Source) -> None:
    source.segments(1)
    source.rendition.begin_segment(0.0, False)
    source.rendition.end()
    assert source.named == [0]


def test_end_of_what_never_began(source: Source) -> None:
    source.rendition.end()
    assert source.rendition.is_ended
    assert source.named == []
