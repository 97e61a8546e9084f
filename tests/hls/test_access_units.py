"""Packets into a real track, access units out of it."""

from gateway.hls.access_units import REPAIR_WAIT_S, AccessUnit, AccessUnitReader
from gateway.stream.cache import HISTORY_S, MAX_PACKETS
from gateway.stream.track import Track
from tests.hls.content import DELTA_SLICE, IDR_SLICE, PPS, SPS, video_track
from tests.stream.doubles import incoming

KEY = [SPS, PPS, IDR_SLICE]
TICKS = 3000


class Pictures:
    """Writes pictures into a track, and lets packets be late or lost."""

    def __init__(self, track: Track, first: int = 50) -> None:
        self.track = track
        self.number = first
        self.timestamp = 0
        self.withheld: list[tuple[int, int, bytes, bool]] = []

    def send(self, payloads: list[bytes], now_s: float = 0.0, *, lost: tuple[int, ...] = ()) -> None:
        self.timestamp += TICKS
        for place, payload in enumerate(payloads):
            packet = (self.number, self.timestamp, payload, place == len(payloads) - 1)
            self.number += 1
            if place in lost:
                self.withheld.append(packet)
            else:
                self._accept(packet, now_s)

    def repair(self, now_s: float) -> None:
        for packet in self.withheld:
            self._accept(packet, now_s)
        self.withheld.clear()

    def _accept(self, packet: tuple[int, int, bytes, bool], now_s: float) -> None:
        number, timestamp, payload, marker = packet
        self.track.accept(incoming(number, timestamp, payload, marker=marker, arrival_s=now_s))


def begun() -> tuple[Pictures, AccessUnitReader]:
    track = video_track()
    return Pictures(track), AccessUnitReader(track, None)


def read(reader: AccessUnitReader, now_s: float = 0.0) -> list[AccessUnit]:
    return list(reader.read(now_s))


def test_units_in_order() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.send([DELTA_SLICE])
    key, delta = read(reader)
    assert (key.nal_units, key.is_idr) == (KEY, True)
    assert (delta.nal_units, delta.is_idr) == ([DELTA_SLICE], False)
    assert (delta.timestamp - key.timestamp) & 0xFFFFFFFF == TICKS
    assert read(reader) == []
    assert (reader.incomplete, reader.undecodable) == (0, 0)


def test_picture_without_its_end_waits() -> None:
    pictures, reader = begun()
    pictures.send(KEY, lost=(2,))
    assert read(reader) == []
    pictures.repair(0.0)
    assert [each.nal_units for each in read(reader)] == [KEY]


def test_picture_without_marker_ends_at_the_next_timestamp() -> None:
    pictures, reader = begun()
    for payload in KEY:
        pictures.track.accept(incoming(pictures.number, 77, payload, marker=False))
        pictures.number += 1
    assert read(reader) == []
    pictures.send([DELTA_SLICE])
    assert [each.nal_units for each in read(reader)] == [KEY, [DELTA_SLICE]]


def test_loss_that_is_repaired_in_time_leaves_no_trace() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.send([DELTA_SLICE, b"\x41b", b"\x41c"], 1.0, lost=(1,))
    pictures.send([b"\x41d"], 1.03)
    assert [each.is_idr for each in read(reader, 1.0 + REPAIR_WAIT_S - 0.01)] == [True]
    pictures.repair(1.0 + REPAIR_WAIT_S - 0.01)
    assert [each.nal_units for each in read(reader, 1.24)] == [[DELTA_SLICE, b"\x41b", b"\x41c"], [b"\x41d"]]
    assert (reader.incomplete, reader.undecodable, reader.awaits_keyframe) == (0, 0, False)


def test_loss_that_stays_costs_all_up_to_the_next_keyframe() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.send([DELTA_SLICE, DELTA_SLICE], 1.0, lost=(1,))
    pictures.send([DELTA_SLICE], 1.03)
    pictures.send([DELTA_SLICE], 1.06)
    pictures.send(KEY, 1.09)
    assert len(read(reader, 1.03 + REPAIR_WAIT_S - 0.001)) == 1
    (key,) = read(reader, 1.03 + REPAIR_WAIT_S)
    assert key.is_idr
    assert not key.begins_epoch
    # The picture right behind the hole is left out with the one that has it: nobody knows which of them lost more.
    assert (reader.incomplete, reader.undecodable) == (1, 1)


def test_keyframe_right_behind_a_hole_is_taken() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.send([DELTA_SLICE], 1.0, lost=(0,))
    pictures.send(KEY, 1.03)
    units = read(reader, 2.0)
    assert [each.is_idr for each in units] == [True, True]


def test_multi_slice_keyframe_never_passes_in_part() -> None:
    whole = [SPS, PPS, b"\x65a", b"\x65b", b"\x65c", b"\x65d"]
    for place in range(len(whole)):
        pictures, reader = begun()
        pictures.send(KEY)
        pictures.send(whole, 1.0, lost=(place,))
        pictures.send([DELTA_SLICE], 1.03)
        pictures.send(KEY, 1.06)
        assert [each.nal_units for each in read(reader, 3.0)] == [KEY, KEY], place
        assert reader.incomplete == 1, place


def test_keyframe_with_two_holes_counts_once() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.send([SPS, PPS, b"\x65a", b"\x65b", b"\x65c", b"\x65d"], 1.0, lost=(0, 3))
    pictures.send(KEY, 1.06)
    assert [each.nal_units for each in read(reader, 3.0)] == [KEY, KEY]
    assert reader.incomplete == 1


def test_rest_of_a_keyframe_that_comes_after_the_wait_is_left_out() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    assert len(read(reader)) == 1
    first, timestamp = pictures.number, 90_000
    for place, at_s in ((2, 1.0), (3, 1.1), (4, 1.5), (5, 1.9)):
        packet = incoming(first + place, timestamp, b"\x65slice", marker=place == 5, arrival_s=at_s)
        pictures.track.accept(packet)
        assert read(reader, at_s) == []
    assert read(reader, 3.0) == []
    assert reader.incomplete == 1


def test_aggregated_slices_behind_a_hole_begin_no_keyframe() -> None:
    """A STAP-A is a beginning only with an SPS in it."""
    stap = b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in (b"\x65b", b"\x65c"))
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.send([b"\x67sps", stap], 1.0, lost=(0,))
    assert [each.nal_units for each in read(reader, 3.0)] == [KEY]
    assert reader.incomplete == 1


def test_stap_a_with_parameter_sets_begins_a_keyframe_behind_a_hole() -> None:
    stap = b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in (SPS, PPS))
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.send([DELTA_SLICE], 1.0, lost=(0,))
    pictures.send([stap, IDR_SLICE], 1.03)
    assert [each.nal_units for each in read(reader, 3.0)] == [KEY, KEY]


def test_reordered_packets_of_one_picture() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.send([b"\x5c\x81one", b"\x5c\x01two", b"\x5c\x41three"], lost=(0, 1))
    pictures.repair(0.01)
    assert [each.nal_units for each in read(reader, 0.01)] == [KEY, [b"\x41onetwothree"]]


def test_padding_alone_is_no_picture() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    for _ in range(3):
        pictures.track.accept(incoming(pictures.number, pictures.timestamp, b"", marker=False))
        pictures.number += 1
    pictures.send([DELTA_SLICE])
    assert [each.nal_units for each in read(reader)] == [KEY, [DELTA_SLICE]]
    assert (reader.incomplete, reader.undecodable) == (0, 0)


def test_malformed_picture_is_a_loss() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.send([b"\x5c\x01no start", b"\x5c\x41end"])
    pictures.send([DELTA_SLICE])
    pictures.send(KEY)
    assert [each.is_idr for each in read(reader)] == [True, True]
    assert (reader.incomplete, reader.undecodable) == (1, 1)


def test_next_publisher_begins_an_epoch() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.track.begin_epoch()
    second = Pictures(pictures.track, first=9000)
    second.send([DELTA_SLICE], 0.5)
    second.send(KEY, 0.6)
    second.send([DELTA_SLICE], 0.7)
    assert [(each.is_idr, each.begins_epoch) for each in read(reader, 0.7)] == [
        (True, False),
        (True, True),
        (False, False),
    ]


def test_last_picture_of_a_publisher_without_end_is_left_out() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    pictures.send([DELTA_SLICE, b"\x41second"], lost=(1,))
    pictures.track.begin_epoch()
    Pictures(pictures.track, first=9000).send(KEY, 0.6)
    assert [(each.is_idr, each.begins_epoch) for each in read(reader, 0.6)] == [(True, False), (True, True)]
    assert reader.incomplete == 1


def test_break_that_is_asked_for_comes_with_the_next_keyframe() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    assert len(read(reader)) == 1
    reader.break_at_next_keyframe()
    assert reader.awaits_keyframe
    pictures.send([DELTA_SLICE])
    pictures.send(KEY)
    (key,) = read(reader)
    assert key.begins_epoch
    assert not reader.awaits_keyframe


def test_reader_goes_on_behind_what_was_evicted() -> None:
    pictures, reader = begun()
    pictures.send(KEY)
    for number in range(MAX_PACKETS // 100):
        pictures.send([DELTA_SLICE] * 120, HISTORY_S + number)
    pictures.send(KEY, 200.0)
    assert pictures.track.cache.oldest > 1003, "the first keyframe is gone"
    units = read(reader, 200.0 + REPAIR_WAIT_S)
    assert [each.is_idr for each in units] == [True]


def test_reader_that_starts_at_the_cached_keyframe() -> None:
    track = video_track()
    pictures = Pictures(track)
    for _ in range(3):
        pictures.send(KEY)
        pictures.send([DELTA_SLICE])
    reader = AccessUnitReader(track, track.cache.gop_start)
    assert [each.is_idr for each in read(reader)] == [True, False]
