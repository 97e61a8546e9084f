"""Arrivals for transport-wide feedback."""

from gateway.ingest.arrivals import MAX_ARRIVALS, ArrivalRecorder
from gateway.wire.twcc import TICK_US, TransportFeedback

SENDER_SSRC, MEDIA_SSRC = 1, 2


def feedback_of(recorder: ArrivalRecorder) -> list[TransportFeedback]:
    return recorder.feedback(SENDER_SSRC, MEDIA_SSRC)


def recorder_of(*arrivals: tuple[int, float]) -> ArrivalRecorder:
    recorder = ArrivalRecorder()
    for number, arrival_s in arrivals:
        recorder.on_packet(number, arrival_s)
    return recorder


def received(packet: TransportFeedback) -> list[int]:
    return [
        (packet.base_sequence_number + offset) & 0xFFFF
        for offset, delta in enumerate(packet.deltas)
        if delta is not None
    ]


def test_feedback_when_nothing_arrived_is_none() -> None:
    assert feedback_of(ArrivalRecorder()) == []


def test_feedback_tells_what_came_and_when() -> None:
    (packet,) = feedback_of(recorder_of((10, 64.0), (11, 64.001), (13, 64.0035)))
    assert (packet.sender_ssrc, packet.media_ssrc, packet.base_sequence_number) == (SENDER_SSRC, MEDIA_SSRC, 10)
    assert packet.reference_time_ticks == 1000
    assert packet.deltas == (0, 1000 // TICK_US, None, 2500 // TICK_US)


def test_feedback_tells_each_arrival_once() -> None:
    recorder = recorder_of((10, 1.0))
    feedback_of(recorder)
    assert feedback_of(recorder) == []


def test_feedback_counts_up_and_wraps() -> None:
    recorder, counts = ArrivalRecorder(), []
    for number in range(258):
        recorder.on_packet(number, 1.0 + number)
        counts += [packet.feedback_packet_count for packet in feedback_of(recorder)]
    assert counts == [number & 0xFF for number in range(258)]


def test_feedback_over_the_wrap_of_numbers_is_one() -> None:
    (packet,) = feedback_of(recorder_of((65535, 1.0), (0, 1.001), (65534, 1.002), (1, 1.003)))
    assert packet.base_sequence_number == 65534
    assert received(packet) == [65534, 65535, 0, 1]


def test_loss_between_two_feedbacks_is_told() -> None:
    recorder = recorder_of((10, 1.0))
    feedback_of(recorder)
    recorder.on_packet(13, 1.1)
    (packet,) = feedback_of(recorder)
    assert packet.base_sequence_number == 11
    assert packet.deltas[:2] == (None, None)
    assert received(packet) == [13]


def test_packet_that_came_after_its_feedback_is_told() -> None:
    recorder = recorder_of((10, 1.0), (12, 1.0))
    feedback_of(recorder)
    recorder.on_packet(11, 1.1)
    (packet,) = feedback_of(recorder)
    assert received(packet) == [11]


def test_number_that_came_twice_counts_at_its_first_arrival() -> None:
    (packet,) = feedback_of(recorder_of((10, 64.0), (11, 64.001), (11, 64.1)))
    assert packet.deltas == (0, 4)


def test_arrivals_between_two_feedbacks_are_bounded() -> None:
    recorder = recorder_of(*((number, 1.0) for number in range(MAX_ARRIVALS + 50)))
    assert sum(len(received(packet)) for packet in feedback_of(recorder)) == MAX_ARRIVALS
    recorder.on_packet(MAX_ARRIVALS + 50, 1.1)
    assert sum(len(received(packet)) for packet in feedback_of(recorder)) == 1
