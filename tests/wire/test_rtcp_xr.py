"""Extended reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.rtcp_xr import (
    Dlrr,
    DlrrReport,
    ExtendedReport,
    ReceiverReferenceTime,
    UnknownBlock,
    pack_extended_report,
    parse_extended_report,
)

uint32 = st.integers(0, 2**32 - 1)
words = st.integers(0, 5).flatmap(lambda count: st.binary(min_size=4 * count, max_size=4 * count))
blocks = st.one_of(
    st.builds(ReceiverReferenceTime, st.integers(0, 2**64 - 1)),
    st.builds(Dlrr, st.lists(st.builds(DlrrReport, uint32, uint32, uint32), max_size=4).map(tuple)),
    st.builds(UnknownBlock, st.sampled_from((1, 2, 3, 6, 7, 255)), st.integers(0, 255), words),
)


@given(st.builds(ExtendedReport, uint32, st.lists(blocks, max_size=5).map(tuple)))
def test_extended_report_survives_the_round_trip(report: ExtendedReport) -> None:
    assert parse_extended_report(pack_extended_report(report)) == report


def test_dlrr_on_the_wire() -> None:
    report = ExtendedReport(1, (Dlrr((DlrrReport(2, 3, 4),)),))
    assert pack_extended_report(report).hex() == "0000000105000003000000020000000300000004"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "000000",
        "00000001 04",
        "00000001 040000",
        "00000001 04000002 00000000",
        "00000001 04000001 00000000",
        "00000001 04000003 000000000000000000000000",
        "00000001 05000002 0000000000000000",
        "00000001 05000003 0000000000000000",
        "00000001 ff00ffff",
        "00000001 ff000000 ff000001",
    ],
)
def test_parse_extended_report_refuses(body: str) -> None:
    with pytest.raises(WireError):
        parse_extended_report(bytes.fromhex(body))
