import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transport.srtp import srtp_session
from gateway.transport.srtp.profiles import AEAD_AES_128_GCM
from gateway.wire import rtcp
from loadgen.figures import MediaCounts
from loadgen.peer.datagrams import MAX_READ_BYTES, Arrival
from loadgen.players import receiver as receiver_module
from loadgen.players.impairment import Impairment
from loadgen.players.receiver import Handlers, Receiver
from loadgen.players.reports import Reporter
from loadgen.players.track import MAX_SSRCS
from loadgen.players.video import VideoTrack
from tests.loadgen.players.origins import (
    AUDIO_SSRC,
    AUDIO_TYPE,
    FRAME_S,
    LATE_AFTER_S,
    RTX_SSRC,
    RTX_TYPE,
    T0_S,
    VIDEO_SSRC,
    Origin,
    Rates,
    Viewer,
    Wire,
    answer,
    retransmitter,
    srtp_pair,
)

STUN = bytes((0, 1)) + bytes(18)


def watching(is_sampled: bool = False, impairment: Impairment | None = None) -> tuple[Viewer, Origin]:
    viewer = Viewer(is_sampled, impairment=impairment)
    origin = Origin(viewer.server)
    viewer.feed(origin.frame(is_keyframe=True))
    return viewer, origin


def read(viewer: Viewer, *datagrams: bytes, arrival_s: float = T0_S) -> None:
    """All in one run."""
    wire = Wire()
    wire.put(datagrams, arrival_s)
    viewer.receiver.read(wire)  # type: ignore[arg-type]


def video_of(viewer: Viewer) -> VideoTrack:
    assert viewer.receiver.video is not None
    return viewer.receiver.video


# Runs


@pytest.mark.parametrize("is_sampled", [False, True])
def test_run_of_mixed_packets_is_cut_and_each_goes_its_way(is_sampled: bool) -> None:
    viewer, origin = watching(is_sampled)
    audio = Origin(viewer.server, AUDIO_SSRC, AUDIO_TYPE)
    report = viewer.report(rtcp.SenderReport(VIDEO_SSRC, 1 << 32, 2, 3, 4))
    packets = origin.frame(3)
    size = len(packets[0])
    rr = viewer.report(rtcp.ReceiverReport(VIDEO_SSRC), rtcp.Bye((1, 2, 3)))
    padded_report = viewer.report(
        rtcp.SenderReport(VIDEO_SSRC, 1 << 32, 2, 3, 4), rtcp.UnknownPacket(204, 0, bytes(size - len(report) - 4 & ~3))
    )
    audio.timestamp += 960
    sound = audio.packet(bytes(size - 12 - 16), False)
    assert len(sound) == size
    read(viewer, packets[0], packets[1], sound, STUN + bytes(size - len(STUN)), packets[2], rr)
    read(viewer, padded_report)
    assert len(rr) < size
    assert viewer.counts.frames_complete == 2
    assert (viewer.counts.packets, viewer.receiver.packets, viewer.counts.malformed) == (7, 7, 0)
    assert viewer.control == [STUN + bytes(size - len(STUN))]
    assert [len(rtcp.parse_compound(compound)) for compound in viewer.compounds] == [2, 2]
    assert viewer.receiver.tracks[AUDIO_SSRC] is viewer.receiver.audio


@pytest.mark.parametrize("length", range(1, 12))
def test_last_segment_that_is_too_short_for_a_header_is_malformed(length: int) -> None:
    viewer, origin = watching()
    ahead = origin.frame(5)
    read(viewer, *ahead[:3])
    # Behind what was read stands what was read before: it must not be taken for a header's end.
    receiver_module._buffer[: sum(map(len, ahead[:2])) + len(ahead[4])] = ahead[0] + ahead[1] + ahead[4]
    read(viewer, ahead[3], ahead[4][:length])
    read(viewer, ahead[4])
    assert (viewer.counts.malformed, viewer.counts.packets, viewer.counts.duplicates) == (1, 8, 0)
    assert viewer.counts.frames_complete == 2


@pytest.mark.parametrize("length", range(12))
def test_datagram_that_is_too_short_for_a_header_is_malformed(length: int) -> None:
    viewer, _ = watching()
    read(viewer, b"\x80\x60\x00\x01\x00\x02\x00\x03\x00\x04\x00\x05"[:length])
    assert viewer.counts.malformed == 1


@pytest.mark.parametrize("tail", [1, 5, 11, 12, 13])
def test_read_of_the_whole_buffer_ends_with_it(tail: int) -> None:
    viewer, _ = watching()
    bytes_before = viewer.counts.bytes
    segment = (MAX_READ_BYTES - tail) // 5
    run = [b"\x80" + bytes(segment - 1)] * 5
    rest = MAX_READ_BYTES - 5 * segment
    read(viewer, *run, bytes((0x90,)) * rest)
    assert viewer.counts.bytes == bytes_before + MAX_READ_BYTES


def test_short_last_segment_that_is_a_packet_is_one() -> None:
    viewer, origin = watching()
    packets = [*origin.frame(2, has_marker=False), origin.packet(b"\x5c\x41", marker=True)]
    assert len(packets[2]) < len(packets[1])
    read(viewer, *packets)
    assert (viewer.counts.packets, viewer.counts.frames_complete, viewer.counts.malformed) == (6, 2, 0)


def test_arrivals_before_the_receiver_was_there_count() -> None:
    viewer = Viewer()
    origin = Origin(viewer.server)
    packets = origin.frame(3, is_keyframe=True)
    run = b"".join(packets)
    viewer.receiver.on_arrival(Arrival(run, len(packets[0]), round(T0_S * 1e9), ("127.0.0.1", 9)))
    assert (viewer.counts.frames_complete, viewer.counts.packets, viewer.counts.bytes) == (1, 3, len(run))
    assert video_of(viewer).first_frame_s == pytest.approx(T0_S, abs=1e-5)


class Refusing(Wire):
    """A socket that is told by ICMP that nobody listens."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals

    def recvmsg_into(
        self, buffers: tuple[memoryview], ancillary_bytes: int
    ) -> tuple[int, list[tuple[int, int, bytes]], int, tuple[str, int]]:
        """See `Wire`."""
        if self.refusals:
            self.refusals -= 1
            raise ConnectionRefusedError
        return super().recvmsg_into(buffers, ancillary_bytes)


@pytest.mark.parametrize("refusals", [1, 1000])
def test_refused_reads_raise_nothing_and_end(refusals: int) -> None:
    viewer, origin = watching()
    wire = Refusing(refusals)
    wire.put(origin.frame(3), T0_S)
    viewer.receiver.read(wire)  # type: ignore[arg-type]
    assert viewer.counts.packets == (6 if refusals == 1 else 3)


# SSRCs


def test_packets_of_a_payload_type_that_was_not_negotiated_are_left_alone() -> None:
    viewer, _ = watching()
    viewer.feed(Origin(viewer.server, 77, payload_type=100).frame(3))
    assert (viewer.counts.packets, viewer.receiver.packets) == (3, 6)
    assert list(viewer.receiver.tracks) == [VIDEO_SSRC]


def test_codec_of_which_we_know_no_keyframe_is_left_alone() -> None:
    server, player = srtp_pair()
    nobody = Handlers(lambda *_: None, lambda *_: None)
    receiver = Receiver(answer(mime="video/h265"), player, nobody, LATE_AFTER_S)
    for packet in Origin(server).frame(3):
        receiver.on_datagram(packet, T0_S)
    assert (receiver.video, receiver.packets, receiver.counts.packets) == (None, 3, 0)


def test_ssrc_whose_first_packet_is_not_authentic_makes_no_track() -> None:
    viewer, _ = watching()
    video = video_of(viewer)
    stranger = srtp_session(AEAD_AES_128_GCM, b"x" * 28, b"y" * 28)
    for ssrc in range(100, 100 + 2 * MAX_SSRCS):
        viewer.feed(Origin(stranger, ssrc).frame(1))
    assert viewer.receiver.video is video
    assert viewer.counts.authentication_failures == 2 * MAX_SSRCS
    viewer.feed(Origin(viewer.server, 999).frame(1))
    assert 999 in viewer.receiver.tracks


def test_ssrcs_are_bounded() -> None:
    viewer, _ = watching()
    for ssrc in range(100, 100 + 2 * MAX_SSRCS):
        viewer.feed(Origin(viewer.server, ssrc).frame(1))
    assert len(viewer.receiver.tracks) == MAX_SSRCS


def test_rtx_padding_probes_are_no_packets() -> None:
    viewer, _ = watching()
    probe = Origin(viewer.server, RTX_SSRC, RTX_TYPE)
    viewer.feed([probe.padding(), probe.padding()])
    counts = viewer.counts
    assert (counts.packets, counts.retransmissions, counts.malformed, viewer.receiver.packets) == (3, 0, 0, 5)


@pytest.mark.parametrize("is_sampled", [False, True])
def test_padding_of_the_media_ssrc_is_a_packet_and_no_frame(is_sampled: bool) -> None:
    viewer, origin = watching(is_sampled)
    viewer.feed([origin.padding(), origin.padding()])
    viewer.feed(origin.frame(3))
    assert (viewer.counts.packets, viewer.counts.lost, viewer.counts.malformed) == (8, 0, 0)
    assert viewer.counts.frames_complete == 2


def test_rtx_that_is_not_authentic_repairs_nothing() -> None:
    viewer, origin = watching()
    rtx = retransmitter(origin)
    viewer.feed([packet for place, packet in enumerate(origin.frame(5)) if place != 2])
    datagram = rtx.rtx(1005)
    viewer.feed([datagram[:-1] + bytes((datagram[-1] ^ 1,))])
    assert (viewer.counts.authentication_failures, viewer.counts.recovered, viewer.counts.lost) == (1, 0, 1)
    viewer.feed([datagram])
    assert (viewer.counts.recovered, viewer.counts.frames_complete) == (1, 2)


# RTCP, and what is malformed


def test_rtx_that_comes_twice_is_a_duplicate_and_no_forgery() -> None:
    viewer, origin = watching()
    rtx = retransmitter(origin)
    viewer.feed([packet for place, packet in enumerate(origin.frame(5)) if place != 2])
    viewer.feed([rtx.rtx(1005)])
    viewer.feed([rtx.stream.repeat(1)])
    counts = viewer.counts
    assert (counts.authentication_failures, counts.duplicates, counts.retransmissions, counts.packets) == (0, 1, 1, 8)


def test_rtcp_that_is_not_authentic_reaches_nobody() -> None:
    viewer, _ = watching()
    report = bytearray(viewer.report(rtcp.ReceiverReport(5)))
    report[-6] ^= 1
    viewer.feed([bytes(report)])
    assert (viewer.compounds, viewer.counts.authentication_failures) == ([], 1)


def test_take_counts_begins_anew_and_the_tracks_count_on() -> None:
    viewer, origin = watching()
    taken, packets = viewer.receiver.take_counts()
    assert (taken.packets, packets, viewer.counts) == (3, 3, MediaCounts())
    viewer.feed(origin.frame(4))
    taken, packets = viewer.receiver.take_counts()
    assert (taken.packets, taken.frames_complete, packets) == (4, 1, 4)


def malformed(viewer: Viewer, origin: Origin) -> list[bytes]:
    """Datagrams to damage."""
    rtx = retransmitter(origin)
    audio = Origin(viewer.server, AUDIO_SSRC, AUDIO_TYPE)
    return [
        *origin.frame(3),
        *audio.frame(1),
        origin.padding(),
        rtx.rtx(origin.index - 3),
        rtx.stream.packet(b"\x01"),
        viewer.report(rtcp.SenderReport(VIDEO_SSRC, 1, 2, 3, 4), rtcp.Bye((VIDEO_SSRC,))),
        viewer.server.sealer.seal_rtcp(b"\x80\xc8\x00\xff" + bytes(8)),
        STUN,
    ]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.lists(st.binary(max_size=80), max_size=5))
def test_datagrams_that_are_malformed_never_raise(seed: int, is_sampled: bool, junk: list[bytes]) -> None:
    rng = random.Random(seed)
    viewer, origin = watching(is_sampled)
    reporter = Reporter(viewer.player)
    viewer.receiver._handlers = Handlers(lambda *_: None, reporter.on_compound, viewer.receiver._handlers.on_frame)
    for datagram in [*malformed(viewer, origin), *junk]:
        broken = bytearray(datagram)
        for _ in range(rng.randrange(3)):
            if broken:
                broken[rng.randrange(min(len(broken), 16))] = rng.randrange(256)
        viewer.receiver.on_datagram(bytes(broken[: rng.randrange(len(broken) + 1) or None]), T0_S)
    for _ in range(2):
        viewer.receiver.video = video_of(viewer)
        video_of(viewer).give_up(video_of(viewer).highest, T0_S + 1.0)
        viewer.feed(origin.frame(3, is_keyframe=True), T0_S + 1.0)
    viewer.receiver.take_counts()
    Reporter(viewer.player, 5).report(viewer.receiver.tracks, T0_S + 2.0)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([VIDEO_SSRC, VIDEO_SSRC, AUDIO_SSRC, 9]),
            st.sampled_from([96, 96, 97, 111, 3]),
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFFFFFF),
            st.booleans(),
            st.binary(max_size=6),
        ),
        max_size=40,
    ),
    st.booleans(),
)
def test_authentic_packets_that_make_no_sense_never_raise(
    packets: list[tuple[int, int, int, int, bool, bytes]], is_sampled: bool
) -> None:
    viewer, _ = watching(is_sampled)
    origins = {ssrc: Origin(viewer.server, ssrc) for ssrc in (VIDEO_SSRC, AUDIO_SSRC, 9)}
    for ssrc, payload_type, sequence_number, timestamp, marker, payload in packets:
        first = 0xA0 if marker and payload else 0x80
        header = (
            bytes((first, payload_type | marker << 7))
            + sequence_number.to_bytes(2)
            + timestamp.to_bytes(4)
            + ssrc.to_bytes(4)
        )
        viewer.feed([origins[ssrc].seal(header, payload, sequence_number)])
        for track in viewer.receiver.tracks.values():
            assert len(track.holes) <= 1000
            if (last := track.holes.hopeless(T0_S + 1.0, 0.0)) is not None:
                track.give_up(last, T0_S)
    Reporter(viewer.player, 5).report(viewer.receiver.tracks, T0_S + 2.0)


def test_reports_of_ever_new_ssrcs_are_not_remembered() -> None:
    viewer, _ = watching()
    for ssrc in range(1, 100):
        viewer.feed([viewer.report(rtcp.ReceiverReport(ssrc))])
    assert len(viewer.compounds) == MAX_SSRCS
    viewer.feed([viewer.report(rtcp.ReceiverReport(1))])
    assert len(viewer.compounds) == MAX_SSRCS + 1
    assert viewer.counts.malformed == 0


def test_forged_reports_take_nobodys_place() -> None:
    viewer, _ = watching()
    viewer.feed([bytes((0x80, 201, 0, 1)) + ssrc.to_bytes(4) + bytes(40) for ssrc in range(100)])
    viewer.feed([viewer.report(rtcp.ReceiverReport(5))])
    assert len(viewer.compounds) == 1


# Impairment


def stream(viewer: Viewer, origin: Origin, frames: int, settle: Callable[[float], None] | None = None) -> float:
    """That many frames, each second the keyframe; the time of the last."""
    now_s = T0_S
    for number in range(frames):
        now_s += FRAME_S
        viewer.feed(origin.frame(6, is_keyframe=number % 30 == 0), now_s)
        viewer.receiver.release_impaired(now_s)
        if settle is not None:
            settle(now_s)
    return now_s


@pytest.mark.parametrize("is_sampled", [False, True])
@pytest.mark.parametrize(("loss", "burst"), [(0.01, 1.0), (0.05, 1.0), (0.02, 4.0)])
def test_loss_made_on_the_way_in_is_the_loss_that_is_measured(loss: float, burst: float, is_sampled: bool) -> None:
    impairment = Impairment(Rates(loss=loss, burst=burst), seed=5)
    viewer, origin = watching(is_sampled, impairment)
    stream(viewer, origin, 400)
    impairment._is_losing = False
    impairment._burst_begins = 0.0
    viewer.feed(origin.frame(1), T0_S + 100.0)
    counts = viewer.counts
    assert counts.lost == counts.impaired == impairment.dropped > 0
    assert counts.packets + counts.lost == 3 + 400 * 6 + 1
    assert counts.expected == counts.packets + counts.lost
    assert counts.reordered == counts.duplicates == 0


def test_reordering_and_jitter_on_the_way_in_are_no_loss_even_for_who_asks_at_once() -> None:
    impairment = Impairment(Rates(loss=0.05, jitter_s=0.02, reorder=0.05), seed=5)
    viewer, origin = watching(impairment=impairment)
    rtx = retransmitter(origin)

    def settle(now_s: float) -> None:
        track = viewer.receiver.video
        for index in track.holes.due(now_s, 0.0) if track is not None else ():
            if index in origin.originals:
                viewer.feed([rtx.rtx(index)], now_s + 0.001)

    last_s = stream(viewer, origin, 600, settle)
    impairment._is_losing = False
    impairment._burst_begins = 0.0
    for step in range(1, 50):
        viewer.receiver.release_impaired(last_s + step * FRAME_S)
        viewer.feed(origin.frame(1), last_s + step * FRAME_S)
        settle(last_s + step * FRAME_S)
    viewer.receiver.release_impaired(last_s + 10.0)
    counts = viewer.counts
    assert counts.lost == counts.impaired > 0
    # Of what a whole keyframe overtakes nothing is asked for any more.
    assert counts.recovered >= counts.lost - 3
    assert counts.impaired < impairment.dropped  # Retransmissions were lost, too.
    assert counts.reordered > 20
    assert counts.duplicates == 0


def test_impairment_lets_the_session_live() -> None:
    viewer, _ = watching(impairment=Impairment(Rates(loss=0.999, burst=1e9), seed=1))
    report = viewer.report(rtcp.ReceiverReport(5))
    for _ in range(50):
        viewer.feed([STUN])
    viewer.feed([report])
    assert len(viewer.control) == 50
    assert len(viewer.compounds) == 1


@pytest.mark.parametrize("length", range(1, 13))
def test_short_datagrams_on_an_impaired_way_raise_nothing(length: int) -> None:
    viewer, _ = watching(impairment=Impairment(Rates(), seed=1))
    viewer.feed([b"\x80" * length])
    assert viewer.counts.malformed == (length < 12)


def test_packets_read_are_all_that_came_however_many_were_dropped_on_the_way_in() -> None:
    impairment = Impairment(Rates(loss=0.2, burst=3.0), seed=5)
    viewer, origin = watching(impairment=impairment)
    rtx = retransmitter(origin)
    stream(viewer, origin, 100)
    viewer.feed([rtx.rtx(index) for index in list(origin.originals)[:50]])
    assert impairment.dropped > viewer.counts.impaired > 0
    assert viewer.receiver.take_counts()[1] == 3 + 100 * 6 + 50
