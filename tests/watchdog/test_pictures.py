"""Which picture is the newest that is whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.stream.stream import Stream
from gateway.watchdog.pictures import MAX_SCANNED, newest_picture_s
from tests.stream.doubles import DELTA_SLICE, IDR_SLICE, incoming, stream_of

PACKETS_A_PICTURE = 3


class Shown:
    """A stream that is fed pictures of three packets, ten a second, number 0 a keyframe."""

    def __init__(self) -> None:
        self.stream: Stream
        self.stream, _ = stream_of()
        self.video = self.stream.tracks["video"]

    def feed(self, picture: int, *numbers: int, arrival_s: float | None = None) -> None:
        """Packets of a picture, by default all of them, and out with them."""
        for number in numbers or range(PACKETS_A_PICTURE):
            sequence_number = picture * PACKETS_A_PICTURE + number
            payload = IDR_SLICE if picture == 0 else DELTA_SLICE
            at_s = picture / 10 if arrival_s is None else arrival_s
            is_last = number == PACKETS_A_PICTURE - 1
            packet = incoming(sequence_number, picture * 9000, payload, marker=is_last, arrival_s=at_s)
            self.stream.feed(self.video, packet, 0)
            self.stream.flush(at_s)

    def newest_s(self, known_s: float | None = None) -> float | None:
        return newest_picture_s(self.video, known_s)


@pytest.fixture
def shown() -> Shown:
    return Shown()


def test_stream_without_packets_has_no_picture(shown: Shown) -> None:
    assert shown.newest_s() is None


def test_picture_is_there_with_its_last_packet(shown: Shown) -> None:
    shown.feed(0, 0, 1)
    assert shown.newest_s() is None
    shown.feed(0, 2)
    assert shown.newest_s() == 0.0
    shown.feed(1)
    assert shown.newest_s() == 0.1


def test_picture_with_a_hole_is_not_whole_until_it_is_mended(shown: Shown) -> None:
    shown.feed(0)
    shown.feed(1, 0, 2)
    assert shown.newest_s() == 0.0
    shown.feed(1, 1, arrival_s=0.5)
    assert shown.newest_s() == 0.1


def test_hole_before_a_picture_may_have_been_its_beginning(shown: Shown) -> None:
    shown.feed(0)
    shown.feed(1, 1, 2)
    assert shown.newest_s() == 0.0
    shown.feed(2, 1, 2)
    assert shown.newest_s() == 0.0
    shown.feed(3)
    assert shown.newest_s() == 0.3


def test_picture_that_has_not_been_sent_yet_does_not_count(shown: Shown) -> None:
    shown.feed(0)
    whole = incoming(3, 9000, DELTA_SLICE, marker=True, arrival_s=0.1)
    shown.stream.feed(shown.video, whole, 0)
    assert shown.newest_s() == 0.0
    shown.stream.flush(0.1)
    assert shown.newest_s() == 0.1


def test_known_picture_stays_the_newest_while_none_comes(shown: Shown) -> None:
    shown.feed(0)
    assert shown.newest_s(7.0) == 7.0
    shown.feed(1, 0)
    assert shown.newest_s(0.0) == 0.0


def test_first_picture_of_another_studio_is_whole(shown: Shown) -> None:
    shown.feed(0)
    shown.feed(1)
    shown.video.begin_epoch()
    shown.stream.feed(shown.video, incoming(500, 7, IDR_SLICE, marker=True, arrival_s=5.0), 0)
    shown.stream.flush(5.0)
    assert shown.newest_s(0.1) == 5.0


def test_look_goes_back_a_bounded_way(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    shown.feed(0)
    for picture in range(1, MAX_SCANNED):
        shown.feed(picture, 0, arrival_s=0.0)
    asked: list[int] = []
    monkeypatch.setattr(type(shown.video.cache), "packet", lambda _cache, index: asked.append(index))
    assert shown.newest_s() is None
    assert len(asked) <= MAX_SCANNED + 1


@given(st.lists(st.integers(1, 20 * PACKETS_A_PICTURE - 1), unique=True))
def test_newest_picture_is_the_one_that_plain_counting_finds(order: list[int]) -> None:
    shown = Shown()
    came = [0, *order]
    for sequence_number in came:
        shown.feed(*divmod(sequence_number, PACKETS_A_PICTURE))
    whole = [
        picture
        for picture in range(20)
        if all(picture * PACKETS_A_PICTURE + number in came for number in range(PACKETS_A_PICTURE))
        and (picture == 0 or picture * PACKETS_A_PICTURE - 1 in came)
    ]
    assert shown.newest_s() == (whole[-1] / 10 if whole else None)
