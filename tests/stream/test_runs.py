"""Cutting batches into runs that UDP_SEGMENT can carry."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.stream.runs import cut_runs
from gateway.transport.socket import MAX_RUN_BYTES, MAX_SEGMENTS
from gateway.transport.srtp import Run, Sealable

HEADER = bytes(12)


def packet(payload_bytes: int, number: int = 0) -> Sealable:
    return HEADER, bytes(payload_bytes), 1, number


def sizes(run: Run, overhead_bytes: int = 0) -> list[int]:
    return [len(header) + len(payload) + overhead_bytes for header, payload, _, _ in run.packets]


def runs_of(*payload_sizes: int, overhead_bytes: int = 0) -> list[list[int]]:
    runs = cut_runs([packet(size) for size in payload_sizes], overhead_bytes)
    return [sizes(run, overhead_bytes) for run in runs]


def test_no_packets_make_no_run() -> None:
    assert cut_runs([], 16) == []


def test_equal_packets_make_one_run() -> None:
    assert runs_of(88, 88, 88) == [[100, 100, 100]]


def test_shorter_packet_ends_its_run() -> None:
    assert runs_of(88, 88, 50, 50) == [[100, 100, 62], [62]]


def test_longer_packet_begins_a_run() -> None:
    assert runs_of(50, 88, 88) == [[62], [100, 100]]


def test_overhead_is_part_of_the_segment() -> None:
    (run,) = cut_runs([packet(88), packet(88)], 16)
    assert run.segment_bytes == 116


def test_run_has_no_more_segments_than_the_kernel_takes() -> None:
    assert [len(run) for run in runs_of(*[88] * (2 * MAX_SEGMENTS + 1))] == [MAX_SEGMENTS, MAX_SEGMENTS, 1]


def test_without_segmentation_every_packet_is_a_run() -> None:
    packets = [packet(88, number) for number in range(3)]
    assert [run.packets for run in cut_runs(packets, 16, max_segments=1)] == [[each] for each in packets]


def test_runs_have_the_mark_that_they_were_cut_for() -> None:
    mark = ((0, 1, b"mark"),)
    assert [run.mark for run in cut_runs([packet(88), packet(100)], 16, mark=mark)] == [mark, mark]
    assert [run.mark for run in cut_runs([packet(88)], 16)] == [()]


def test_run_knows_its_bytes_on_the_wire() -> None:
    (run,) = cut_runs([packet(88), packet(88), packet(10)], 16)
    assert (len(run), run.size_bytes) == (3, 2 * 116 + 38)


def test_run_has_no_more_bytes_than_the_kernel_takes() -> None:
    fitting = MAX_RUN_BYTES // 1500
    assert fitting < MAX_SEGMENTS
    assert [len(run) for run in runs_of(*[1488] * (fitting + 1))] == [fitting, 1]
    assert [len(run) for run in runs_of(*[1472] * (fitting + 1), overhead_bytes=16)] == [fitting, 1]


@given(
    payload_sizes=st.lists(st.one_of(st.integers(0, 1400), st.sampled_from([1100, 1101])), max_size=200),
    overhead_bytes=st.sampled_from([0, 10, 16]),
)
def test_runs_whatever_the_sizes_hold_every_packet_in_order(payload_sizes: list[int], overhead_bytes: int) -> None:
    packets = [packet(size, number) for number, size in enumerate(payload_sizes)]
    runs = cut_runs(packets, overhead_bytes)
    assert [each for run in runs for each in run.packets] == packets
    for run in runs:
        *full, last = sizes(run, overhead_bytes)
        assert all(size == run.segment_bytes for size in full)
        assert last <= run.segment_bytes
        assert len(run.packets) <= MAX_SEGMENTS
        assert len(run.packets) * run.segment_bytes <= MAX_RUN_BYTES


@given(payload_sizes=st.lists(st.integers(0, 1400), min_size=1, max_size=100))
def test_runs_are_as_few_as_order_allows(payload_sizes: list[int]) -> None:
    runs = cut_runs([packet(size) for size in payload_sizes], 0)
    for run, following in itertools.pairwise(runs):
        last, first = sizes(run)[-1], sizes(following)[0]
        is_full = len(run.packets) == MAX_SEGMENTS or (len(run.packets) + 1) * run.segment_bytes > MAX_RUN_BYTES
        assert first > run.segment_bytes or last < run.segment_bytes or is_full
