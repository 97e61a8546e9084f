"""What a scrape says: every family, its labels, and figures that only grow."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gateway.auth.identity import nobody
from gateway.clock import monotonic_s
from gateway.errors import SignallingError
from gateway.hub.collector import GatewayCollector
from gateway.metrics import FAMILIES, hls, media, process
from gateway.transport.marking import Codepoints
from gateway.wire import rtcp
from tests.hub.desk import AUDIO_TYPE, BUFFER_BYTES, Desk, player_offer, studio_offer
from tests.ingest.offers import Section, vp8
from tests.stream.doubles import DELTA_SLICE, IDR_SLICE

CODEPOINTS = Codepoints(bet_signals=18, audio=46, video=34, retransmission=36)


class Scrape:
    """One reading of everything."""

    def __init__(self, desk: Desk) -> None:
        self.registry = CollectorRegistry()
        self.collector = GatewayCollector(desk.hub)
        self.registry.register(self.collector)

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def scrape(desk: Desk) -> Scrape:
    return Scrape(desk)


def busy(desk: Desk) -> None:
    """A studio with a hole in its packets, a player that asks for two of them and for a keyframe, and refusals."""
    studio = desk.studio()
    for number, payload in ((100, IDR_SLICE), (101, DELTA_SLICE), (104, DELTA_SLICE)):
        desk.rtp(studio, number, payload)
    desk.rtp(studio, 7, b"opus", AUDIO_TYPE)
    studio.tick(monotonic_s())
    viewer = desk.player()
    track = desk.stream().tracks["video"]
    newest = (track.forwarded - 1) & 0xFFFF
    nack = rtcp.GenericNack(1, track.ssrc, (newest, (newest - 1) & 0xFFFF))
    block = rtcp.ReportBlock(track.ssrc, 0, 6, 0, 0, 0, 0)
    keyframe = rtcp.PictureLossIndication(1, track.ssrc)
    viewer.on_rtcp([rtcp.ReceiverReport(1, (block,)), nack, keyframe], monotonic_s())
    desk.hub.presentations.requests["playlist", "200"] += 1
    desk.port.on_datagram(b"\xff", ("192.0.2.9", 1), monotonic_s())
    desk.hub.admission.is_draining = True
    with pytest.raises(SignallingError):
        desk.hub.studios.open("other", studio_offer(), nobody("192.0.2.1"))


async def test_every_family_is_described(scrape: Scrape) -> None:
    described = {metric.name for metric in scrape.collector.describe()}
    assert described == {name.removesuffix("_total") for name in FAMILIES}


async def test_every_sample_has_the_labels_of_its_family(desk: Desk, scrape: Scrape) -> None:
    busy(desk)
    samples = list(scrape.collector.samples())
    assert samples
    for name, labels, _ in samples:
        assert len(labels) == len(FAMILIES[name].labels), name


async def test_every_family_has_a_sample_when_there_is_something_to_tell(desk: Desk, scrape: Scrape) -> None:
    busy(desk)
    desk.socket.codepoints = CODEPOINTS
    told = {name for name, _, _ in scrape.collector.samples()}
    of_the_hub = {family.name for group in (media, hls, process) for family in group.FAMILIES}
    # Nobody has left yet, and traces are told by whoever sends them.
    assert of_the_hub - told == {"railbird_sessions_ended_total", "railbird_trace_spans_dropped_total"}


async def test_no_sample_is_told_twice(desk: Desk, scrape: Scrape) -> None:
    busy(desk)
    keys = [(name, labels) for name, labels, _ in scrape.collector.samples()]
    assert len(keys) == len(set(keys))


async def test_no_label_names_a_viewer_or_an_address(desk: Desk, scrape: Scrape) -> None:
    busy(desk)
    text = generate_latest(scrape.registry).decode()
    for session in desk.port.sessions():
        assert session.session_id not in text
    assert "192.0.2" not in text
    assert "127.0.0.1" not in text


async def test_empty_gateway_tells_of_itself(scrape: Scrape) -> None:
    assert scrape("railbird_ready") == 1
    assert scrape("railbird_sessions", leg="ingest") == 0
    assert scrape("railbird_sessions", leg="egress") == 0
    assert scrape("railbird_socket_buffer_bytes", direction="receive", state="asked") == BUFFER_BYTES
    granted = scrape("railbird_socket_buffer_bytes", direction="send", state="granted")
    assert granted is not None
    assert granted > 0
    assert scrape("railbird_socket_kernel_drops_total") == 0


async def test_marks_are_told_where_packets_have_them(desk: Desk, scrape: Scrape) -> None:
    classes = ("bet_signals", "audio", "video", "retransmission")
    assert [scrape("railbird_dscp", **{"class": name}) for name in classes] == [None] * 4
    desk.socket.codepoints = CODEPOINTS
    assert [scrape("railbird_dscp", **{"class": name}) for name in classes] == [18, 46, 34, 36]


async def test_ingest_is_counted(desk: Desk, scrape: Scrape) -> None:
    busy(desk)
    assert scrape("railbird_stream_live", stream="table") == 1
    assert scrape("railbird_packets_total", stream="table", leg="ingest") == 4
    expected = len(IDR_SLICE) + 2 * len(DELTA_SLICE) + len(b"opus")
    assert scrape("railbird_bytes_total", stream="table", leg="ingest") == expected
    assert scrape("railbird_keyframes_total", stream="table") == 1
    assert scrape("railbird_frames_total", stream="table", track="video") == 3
    assert scrape("railbird_nacked_packets_total", stream="table", leg="ingest") == 2
    assert scrape("railbird_keyframe_requests_total", stream="table", leg="ingest") == 1


async def test_egress_is_counted(desk: Desk, scrape: Scrape) -> None:
    busy(desk)
    assert scrape("railbird_viewers", stream="table", protocol="webrtc") == 1
    assert scrape("railbird_packets_total", stream="table", leg="egress") == 3
    assert scrape("railbird_nacked_packets_total", stream="table", leg="egress") == 2
    assert scrape("railbird_retransmissions_total", stream="table", kind="rtx") == 1
    assert scrape("railbird_retransmissions_refused_total", stream="table", reason="unknown") == 1
    assert scrape("railbird_packets_lost_total", stream="table", leg="egress") == 6
    assert scrape("railbird_keyframe_requests_total", stream="table", leg="egress") == 1


async def test_sessions_and_datagrams_are_counted(desk: Desk, scrape: Scrape) -> None:
    busy(desk)
    assert scrape("railbird_sessions", leg="ingest") == 1
    assert scrape("railbird_sessions", leg="egress") == 1
    assert scrape("railbird_half_open_sessions") == 2  # nobody shook hands here
    assert scrape("railbird_ready") == 0
    assert scrape("railbird_sessions_refused_total", leg="ingest", cause="draining") == 1
    assert scrape("railbird_datagrams_total", kind="other") == 1
    assert scrape("railbird_datagrams_dropped_total", cause="unknown_source") == 1


async def test_ends_are_counted_by_leg_and_cause(desk: Desk, scrape: Scrape) -> None:
    desk.studio()
    desk.player().session.close("idle")
    assert scrape("railbird_sessions_ended_total", leg="egress", cause="idle") == 1
    desk.studio()
    assert scrape("railbird_sessions_ended_total", leg="ingest", cause="taken_over") == 1
    assert scrape("railbird_publisher_takeovers_total") == 1


async def test_counters_never_go_back_when_the_studio_changes(desk: Desk, scrape: Scrape) -> None:
    def counters() -> dict[tuple[str, tuple[str, ...]], float]:
        kinds = {name for name, family in FAMILIES.items() if family.kind == "counter"}
        return {(name, labels): value for name, labels, value in scrape.collector.samples() if name in kinds}

    busy(desk)
    desk.hub.admission.is_draining = False
    before = counters()
    desk.studio(offer=studio_offer(Section("video", "0", (vp8(96),))))
    during = counters()
    desk.stream().source.close("peer_left")  # type: ignore[union-attr]
    after = counters()
    for key, value in before.items():
        assert value <= during[key] <= after[key], key


async def test_stream_that_waits_is_not_live(desk: Desk, scrape: Scrape) -> None:
    desk.studio().session.close("peer_left")
    assert scrape("railbird_stream_live", stream="table") == 0
    with pytest.raises(SignallingError):
        desk.hub.open_viewer("table", player_offer(), nobody("192.0.2.2"))
