import pytest

from gateway.clock import ntp_from_seconds
from gateway.errors import WireError
from gateway.wire import rtcp
from loadgen.studios.feedback import MAX_REFERENCES, FeedbackReader

VIDEO, AUDIO, SERVER = 11, 22, 33


@pytest.fixture
def reader() -> FeedbackReader:
    return FeedbackReader({VIDEO})


def reference(ssrc: int, seconds: float) -> rtcp.ExtendedReport:
    return rtcp.ExtendedReport(ssrc, (rtcp.ReceiverReferenceTime(ntp_from_seconds(seconds)),))


def test_feedback_of_one_compound(reader: FeedbackReader) -> None:
    compound = rtcp.serialize_compound(
        [
            rtcp.ReceiverReport(SERVER, ()),
            rtcp.GenericNack(SERVER, VIDEO, (65535, 0)),
            rtcp.GenericNack(SERVER, AUDIO, (7,)),
            rtcp.PictureLossIndication(SERVER, VIDEO),
            rtcp.FullIntraRequest(SERVER, ((VIDEO, 1),)),
        ]
    )
    feedback = reader.read(compound, 0.0)
    assert feedback.missing == [(VIDEO, 65535), (VIDEO, 0), (AUDIO, 7)]
    assert feedback.keyframe_requests == 2


def test_keyframe_request_for_another_source_is_none_for_us(reader: FeedbackReader) -> None:
    packets: list[rtcp.RtcpPacket] = [
        rtcp.PictureLossIndication(SERVER, AUDIO),
        rtcp.FullIntraRequest(SERVER, ((AUDIO, 1),)),
    ]
    assert reader.read(rtcp.serialize_compound(packets), 0.0).keyframe_requests == 0


def test_reference_time_is_answered_once_with_the_delay(reader: FeedbackReader) -> None:
    reader.read(rtcp.serialize_compound([reference(SERVER, 1000.5)]), 10.0)
    (answer,) = reader.answer(VIDEO, 10.25)
    assert answer == rtcp.ExtendedReport(VIDEO, (rtcp.Dlrr((rtcp.DlrrReport(SERVER, 1000 << 16 | 0x8000, 0x4000),)),))
    assert reader.answer(VIDEO, 11.0) == []


def test_reference_times_are_bounded(reader: FeedbackReader) -> None:
    for ssrc in range(1, 3 * MAX_REFERENCES):
        reader.read(rtcp.serialize_compound([reference(ssrc, 1.0)]), 0.0)
    (answer,) = reader.answer(VIDEO, 0.0)
    assert isinstance(answer, rtcp.ExtendedReport)
    (dlrr,) = answer.blocks
    assert isinstance(dlrr, rtcp.Dlrr)
    assert len(dlrr.reports) == MAX_REFERENCES


def test_garbage_is_a_wire_error(reader: FeedbackReader) -> None:
    with pytest.raises(WireError):
        reader.read(b"\x80\xc9\0\7", 0.0)
