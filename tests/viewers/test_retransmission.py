"""Answering a viewer's NACK: what is sent again, how, and what is refused."""

import pytest

from gateway.stream.contract import Outlet, VideoState
from gateway.stream.layout import Layout
from gateway.stream.track import Track
from gateway.transport.marking import Marks
from gateway.transport.socket import Sent
from gateway.viewers.retransmission import (
    BUDGET_BPS,
    BUDGET_BURST_BYTES,
    BUDGET_NUMBERS_PER_S,
    MAX_REMEMBERED,
    MIN_INTERVAL_S,
    RetransmissionFigures,
    Retransmitter,
)
from gateway.wire.rtp import unpack_rtx_payload
from tests.stream.doubles import (
    H264,
    IDR_SLICE,
    OPUS,
    FirstIndex,
    PlainSealer,
    RecordingSender,
    incoming,
    layout_of,
    outlet_of,
)

FIRST = 1000
RTX_TYPE = 97


class Bench:
    """A live viewer of a track of which `count` packets have been forwarded."""

    def __init__(
        self,
        count: int = 10,
        payload_bytes: int = 100,
        *,
        has_rtx: bool = True,
        first: int = FIRST,
        audio: bool = False,
    ) -> None:
        self.sender = RecordingSender()
        self.figures = RetransmissionFigures()
        self.track = Track(OPUS if audio else H264, FirstIndex(first))
        for number in range(count):
            self.track.accept(incoming(70_000 + number, 3000 * number, IDR_SLICE.ljust(payload_bytes)))
        self.track.forwarded = self.track.cache.next_index
        layout = layout_of(self.track, 96, rtx_payload_type=RTX_TYPE if has_rtx else None)
        self.outlet = self.viewer("ann", layout)
        self.layout = layout
        self.retransmitter = Retransmitter(self.outlet, self.track, self.sender, self.figures)

    def viewer(self, name: str, layout: Layout) -> Outlet:
        outlet = outlet_of({}, name, {self.track.kind: layout})
        outlet.video, outlet.first[self.track.kind] = VideoState.LIVE, self.track.cache.oldest
        return outlet

    def nack(self, *sequence_numbers: int, now_s: float = 0.0) -> None:
        self.retransmitter.answer(sequence_numbers, now_s)

    @property
    def originals(self) -> list[int]:
        """The original sequence numbers of what was sent by RTX."""
        return [unpack_rtx_payload(datagram.payload)[0] for datagram in self.sender.datagrams]


# How


def test_retransmission_by_rtx_carries_the_original() -> None:
    bench = Bench()
    packet = bench.track.cache.packet(FIRST + 3)
    assert packet is not None
    bench.nack(FIRST + 3)
    (datagram,) = bench.sender.datagrams
    assert datagram.address == bench.outlet.address
    assert (datagram.payload_type, datagram.timestamp) == (RTX_TYPE, packet.timestamp)
    assert unpack_rtx_payload(datagram.payload) == (FIRST + 3, IDR_SLICE.ljust(100))
    assert (bench.figures.by_rtx, bench.figures.identical) == (1, 0)


@pytest.mark.parametrize("has_rtx", [True, False])
def test_retransmission_has_the_mark_of_its_class(has_rtx: bool) -> None:
    bench = Bench(has_rtx=has_rtx)
    bench.sender.marks = Marks(retransmission=((0, 1, b"again"),))
    bench.nack(FIRST + 3)
    assert [each.mark for each in bench.sender.datagrams] == [((0, 1, b"again"),)]


def test_retransmissions_have_a_sequence_of_their_own() -> None:
    bench = Bench()
    bench.nack(FIRST + 5, FIRST + 1, FIRST + 7)
    numbers = [datagram.sequence_number for datagram in bench.sender.datagrams]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert bench.originals == [FIRST + 5, FIRST + 1, FIRST + 7]


def test_peer_is_told_where_the_retransmissions_begin() -> None:
    bench = Bench()
    bench.nack(FIRST)
    assert isinstance(bench.outlet.sealer, PlainSealer)
    first = bench.outlet.sealer.started_at[bench.track.rtx_ssrc]
    assert bench.sender.datagrams[0].sequence_number == first < 1 << 15


def test_retransmission_without_rtx_is_the_identical_packet() -> None:
    bench = Bench(has_rtx=False)
    packet = bench.track.cache.packet(FIRST + 3)
    assert packet is not None
    bench.nack(FIRST + 3)
    (datagram,) = bench.sender.datagrams
    assert (datagram.payload_type, datagram.sequence_number, datagram.payload) == (96, FIRST + 3, packet.payload)
    assert packet.headers[bench.layout.number] == bench.layout.header(packet)
    assert (bench.figures.by_rtx, bench.figures.identical) == (0, 1)


def test_number_over_the_wrap_is_found() -> None:
    bench = Bench(count=20, first=65_530)
    bench.nack(65_531, 2)
    assert bench.originals == [65_531, 2]
    assert bench.figures.unknown == 0


def test_audio_is_sent_again_wherever_the_viewer_stands_in_video() -> None:
    bench = Bench(audio=True)
    bench.outlet.video = VideoState.WAITING
    bench.nack(FIRST + 2)
    assert bench.originals == [FIRST + 2]


# What is refused


def test_packet_that_is_not_in_the_cache_is_unknown() -> None:
    bench = Bench()
    bench.nack(FIRST - 1, FIRST + 10, FIRST + 500, 30_000)
    assert bench.sender.datagrams == []
    assert bench.figures.unknown == 4


def test_packet_from_before_the_viewer_began_was_never_sent() -> None:
    bench = Bench()
    bench.outlet.first["video"] = FIRST + 4
    bench.nack(FIRST + 3, FIRST + 4)
    assert bench.originals == [FIRST + 4]
    assert bench.figures.unknown == 1


def test_packet_that_has_not_been_forwarded_was_never_sent() -> None:
    bench = Bench()
    bench.track.forwarded = FIRST + 6
    bench.nack(FIRST + 5, FIRST + 6)
    assert bench.originals == [FIRST + 5]


def test_packet_ahead_of_a_catching_up_viewer_was_never_sent() -> None:
    bench = Bench()
    bench.outlet.video, bench.outlet.position = VideoState.CATCHING_UP, FIRST + 4
    bench.nack(FIRST + 3, FIRST + 4, FIRST + 9)
    assert bench.originals == [FIRST + 3]
    assert bench.figures.unknown == 2


@pytest.mark.parametrize("state", [VideoState.WAITING, VideoState.NONE])
def test_viewer_that_waits_for_a_keyframe_is_sent_no_video_again(state: VideoState) -> None:
    bench = Bench()
    bench.outlet.video = state
    bench.nack(FIRST + 3)
    assert bench.sender.datagrams == []


def test_viewer_that_was_never_sent_the_track_gets_nothing() -> None:
    bench = Bench()
    bench.outlet.first.clear()
    bench.nack(FIRST + 3)
    assert bench.sender.datagrams == []


def test_same_packet_is_not_sent_again_too_soon() -> None:
    bench = Bench()
    bench.nack(FIRST + 3, FIRST + 3, now_s=1.0)
    bench.nack(FIRST + 3, now_s=1.0 + MIN_INTERVAL_S / 2)
    assert (len(bench.sender.datagrams), bench.figures.too_soon) == (1, 2)
    bench.nack(FIRST + 3, now_s=1.0 + MIN_INTERVAL_S * 1.01)
    assert len(bench.sender.datagrams) == 2


def test_viewer_may_ask_for_no_more_than_its_budget() -> None:
    bench = Bench(count=100, payload_bytes=1000)
    bench.nack(*range(FIRST, FIRST + 100), now_s=1.0)
    affordable = BUDGET_BURST_BYTES // 1000
    assert len(bench.sender.datagrams) == affordable
    assert bench.figures.over_budget == 100 - affordable


def test_budget_is_refilled_with_time() -> None:
    bench = Bench(count=200, payload_bytes=1000)
    bench.nack(*range(FIRST, FIRST + 100), now_s=1.0)
    before = len(bench.sender.datagrams)
    bench.nack(*range(FIRST + 100, FIRST + 200), now_s=1.1)
    assert len(bench.sender.datagrams) - before == pytest.approx(BUDGET_BPS / 8 * 0.1 / 1000, abs=1)


def test_budget_does_not_gather_beyond_the_burst() -> None:
    bench = Bench(count=100, payload_bytes=1000)
    bench.nack(FIRST, now_s=1.0)
    bench.nack(*range(FIRST + 1, FIRST + 100), now_s=1000.0)
    assert len(bench.sender.datagrams) == 1 + BUDGET_BURST_BYTES // 1000


def test_viewer_may_ask_for_no_more_numbers_than_its_budget() -> None:
    bench = Bench()
    bench.nack(*[30_000] * (BUDGET_NUMBERS_PER_S + 7), now_s=1.0)
    assert (bench.figures.unknown, bench.figures.over_budget) == (BUDGET_NUMBERS_PER_S, 7)
    bench.nack(FIRST + 3, now_s=1.0)
    assert bench.sender.datagrams == []
    bench.nack(FIRST + 3, now_s=1.01)
    assert bench.originals == [FIRST + 3]


def test_viewers_have_budgets_of_their_own() -> None:
    bench = Bench(count=100, payload_bytes=1000)
    other = bench.viewer("bob", bench.layout)
    bench.nack(*range(FIRST, FIRST + 100))
    Retransmitter(other, bench.track, bench.sender, bench.figures).answer((FIRST,), 0.0)
    assert len(bench.sender.to(other)) == 1


@pytest.mark.parametrize("outcome", [Sent.FULL, Sent.FAILED])
def test_packet_that_the_socket_refused_may_be_asked_for_at_once(outcome: Sent) -> None:
    bench = Bench()
    bench.sender.answer = lambda _address: outcome
    bench.nack(FIRST + 3)
    bench.sender.answer = lambda _address: Sent.OK
    bench.nack(FIRST + 3)
    assert bench.originals == [FIRST + 3]
    assert bench.figures.too_soon == 0


def test_memory_of_what_was_sent_again_is_bounded() -> None:
    bench = Bench(count=2 * MAX_REMEMBERED, payload_bytes=10)
    for number in range(2 * MAX_REMEMBERED):
        bench.nack(FIRST + number, now_s=number / 1e6)
    assert len(bench.retransmitter._sent_s) == MAX_REMEMBERED
