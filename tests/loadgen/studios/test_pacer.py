import itertools
import math

from loadgen.studios.pacer import BURST_INTERVAL_S, Outgoing, Pacer


class Frame:
    """Of so many packets of 1000 bytes."""

    def __init__(self, packets: int) -> None:
        self._packets = packets

    def payloads(self, stamp_nal: bytes) -> list[bytes]:
        return [stamp_nal, *[bytes(1000)] * (self._packets - 1)]


def test_pacer_without_bitrate_sends_all_at_once() -> None:
    pacer = Pacer(None)
    assert pacer.due_s == math.inf
    pacer.put(Frame(3), 3000, now_s=10.0)
    pacer.put(Frame(2), 6000, now_s=10.0)
    assert pacer.due_s == 10.0
    numbers = itertools.count(1)
    packets = pacer.burst(lambda: bytes((next(numbers),)))
    assert [packet.rtp_ticks for packet in packets] == [3000, 3000, 3000, 6000, 6000]
    assert [packet.is_first for packet in packets] == [True, False, False, True, False]
    assert [packet.is_last for packet in packets] == [False, False, True, False, True]
    assert [packet.payload for packet in packets if packet.is_first] == [b"\1", b"\2"], "each has a stamp of its own"
    assert pacer.due_s == math.inf


def test_pacer_spreads_a_frame_over_bursts() -> None:
    pacer = Pacer(1_000_000)  # 2.5 times that are 1562 bytes in 5 ms
    pacer.put(Frame(7), 0, now_s=10.0)
    bursts: list[tuple[float, int]] = []
    while pacer.due_s < math.inf:
        bursts.append((round(pacer.due_s - 10.0, 6), len(pacer.burst(lambda: b"s" * 1000))))
    assert bursts == [(0.0, 2), (0.005, 2), (0.01, 2), (0.015, 1)]


def test_pacer_sends_frames_one_after_the_other_and_stamps_them_as_they_leave() -> None:
    pacer = Pacer(1_000_000)
    pacer.put(Frame(5), 1, now_s=0.0)
    pacer.put(Frame(1), 2, now_s=0.0)
    stamped: list[float] = []
    sent: list[Outgoing] = []
    while (due_s := pacer.due_s) < math.inf:

        def stamp(at_s: float = due_s) -> bytes:
            stamped.append(at_s)
            return bytes(1000)

        sent += pacer.burst(stamp)
    assert [packet.rtp_ticks for packet in sent] == [1] * 5 + [2]
    assert stamped == [0.0, 2 * BURST_INTERVAL_S]


def test_pacer_does_not_send_faster_after_a_rest() -> None:
    pacer = Pacer(1_000_000)
    pacer.put(Frame(2), 0, now_s=0.0)
    pacer.burst(lambda: bytes(1000))
    pacer.put(Frame(2), 0, now_s=0.001)
    assert pacer.due_s == BURST_INTERVAL_S, "the burst before was a moment ago"
    pacer.burst(lambda: bytes(1000))
    pacer.put(Frame(2), 0, now_s=9.0)
    assert pacer.due_s == 9.0
