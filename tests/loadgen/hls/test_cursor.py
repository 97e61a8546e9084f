from dataclasses import replace

import pytest

from loadgen.hls.cursor import OverrunError, Start, behind, hold_back_s, live_start, new_parts, next_item, start_at
from loadgen.hls.playlist import MediaPlaylist, Part, Segment

BEGIN_UNIX_S = 1_000.0


def segment(msn: int, parts: int, *, is_complete: bool = True, listed: bool = True) -> Segment:
    """Parts of 0.2 s, ten a segment, the first and the sixth independent; segment 0 begins at BEGIN_UNIX_S."""
    listing = tuple(Part(f"{msn}.{number}", 0.2, number % 5 == 0) for number in range(parts))
    begin_unix_s = BEGIN_UNIX_S + 2.0 * msn
    return Segment(msn, f"{msn}" if is_complete else None, 0.2 * parts, listing if listed else (), 0, "m", begin_unix_s)


def playlist(last_parts: int = 3) -> MediaPlaylist:
    """Segments 4 to 7: of the first alone the parts are not listed, the last has so many so far."""
    segments = (segment(4, 10, listed=False), segment(5, 10), segment(6, 10), segment(7, last_parts, is_complete=False))
    return MediaPlaylist(2.0, 4, segments, part_target_s=0.21, part_hold_back_s=0.63, can_block_reload=True)


def place(start: Start) -> tuple[int, int]:
    return start.msn, start.part


@pytest.mark.parametrize(
    ("last_parts", "where", "lead_in_s"),
    [(3, (6, 5), 0.97), (4, (7, 0), 0.17), (8, (7, 0), 0.97), (9, (7, 5), 0.17)],
)
def test_start_is_the_newest_independent_part_behind_the_hold_back(
    last_parts: int, where: tuple[int, int], lead_in_s: float
) -> None:
    start = live_start(playlist(last_parts))
    assert place(start) == where
    assert start.lead_in_s == pytest.approx(lead_in_s)
    assert start.begin_unix_s == pytest.approx(BEGIN_UNIX_S + 2.0 * where[0] + 0.2 * where[1])


def test_start_of_a_young_stream_is_its_beginning() -> None:
    young = replace(playlist(), media_sequence=7, segments=(segment(7, 2, is_complete=False),))
    assert (place(live_start(young)), live_start(young).lead_in_s) == ((7, 0), 0.0)


def test_start_of_an_empty_playlist_is_what_comes() -> None:
    assert place(live_start(replace(playlist(), segments=()))) == (4, 0)


def test_start_without_parts_is_a_whole_segment_behind_the_hold_back() -> None:
    segments = tuple(segment(msn, 10, listed=False) for msn in range(4, 9))
    plain = MediaPlaylist(2.0, 4, segments)
    assert hold_back_s(plain) == 6.0
    assert (place(live_start(plain)), live_start(plain).lead_in_s) == ((6, 0), 0.0)
    assert hold_back_s(replace(plain, hold_back_s=7.0)) == 7.0


@pytest.mark.parametrize(
    ("after_s", "where"), [(14.0, (7, 0)), (14.1, (7, 0)), (13.05, (6, 5)), (9.0, (4, 0)), (99.0, (7, 3))]
)
def test_other_rendition_starts_at_the_same_time(after_s: float, where: tuple[int, int]) -> None:
    assert place(start_at(playlist(), BEGIN_UNIX_S + after_s)) == where


def test_other_rendition_without_dates_starts_by_itself() -> None:
    assert start_at(playlist(), None) == live_start(playlist())


def test_items_come_in_order_across_segments() -> None:
    position, seen = (6, 8), []
    while (item := next_item(playlist(), position)) is not None:
        seen.append(item.uri)
        position = behind(item)
    assert seen == ["6.8", "6.9", "7.0", "7.1", "7.2"]
    assert position == playlist().next_position


def test_segment_whose_parts_are_not_listed_is_taken_whole() -> None:
    item = next_item(playlist(), (4, 0))
    assert item is not None
    assert (item.uri, item.part, behind(item)) == ("4", None, (5, 0))


def test_item_ends_where_the_next_begins() -> None:
    item, following = next_item(playlist(), (6, 9)), next_item(playlist(), (7, 0))
    assert item is not None
    assert following is not None
    assert item.end_unix_s == pytest.approx(following.begin_unix_s)


@pytest.mark.parametrize("position", [(3, 0), (3, 7), (4, 1)])
def test_item_that_left_the_window_is_an_overrun(position: tuple[int, int]) -> None:
    with pytest.raises(OverrunError):
        next_item(playlist(), position)


def test_new_parts_are_those_from_the_wanted_one_on() -> None:
    assert [item.uri for item in new_parts(playlist(), (7, 1))] == ["7.2", "7.1"]
    assert [item.uri for item in new_parts(playlist(), (6, 9))] == ["7.2", "7.1", "7.0", "6.9"]
    assert new_parts(playlist(), (7, 3)) == []
